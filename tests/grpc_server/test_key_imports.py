"""ImportKeys on a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
from structlog.testing import capture_logs

from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    ImportKeysRequest,
    KeyChange,
    KeyValue,
)
from support.facade import Facade, check_health, failing, open_channel
from support.key_writes import SlowKeyWrites, item_count, puts
from support.waiting import wait_until


def test_an_import_stops_at_the_first_failed_batch_and_reports_the_applied_changes(facade: Facade, arn: str) -> None:
    large = [KeyChange(put=KeyValue(key=f"{number:0500}", value="v" * 1024)) for number in range(3500)]
    request = ImportKeysRequest(kvs_arn=arn)
    stream = [request, *(ImportKeysRequest(changes=large[start : start + 100]) for start in range(0, 3500, 100))]

    failure = failing(facade.key_values.ImportKeys, iter(stream), timeout=60)

    assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "KEY_VALUE_QUOTA_EXCEEDED")
    applied = int(failure.metadata["applied_changes"])
    assert failure.outcome == "partial"
    assert failure.metadata["unknown_changes"] == "0"
    assert (failure.retry_after, failure.pushback) == (None, "-1")
    assert applied % 50 == 0
    assert item_count(facade, arn) == applied > 3000


def test_an_import_is_applied_as_it_arrives(facade: Facade, arn: str) -> None:
    resume = threading.Event()

    def requests() -> Iterator[ImportKeysRequest]:
        yield ImportKeysRequest(kvs_arn=arn, changes=puts(120))
        assert resume.wait(10)
        yield ImportKeysRequest(changes=puts(80, start=120))

    imported = facade.key_values.ImportKeys.future(requests())
    wait_until(lambda: item_count(facade, arn) == 100)
    resume.set()
    response = imported.result()
    assert (response.applied_changes, response.item_count) == (200, 200)


def test_an_invalid_change_is_reported_by_its_index_in_the_whole_stream(facade: Facade, arn: str) -> None:
    stream = [ImportKeysRequest(kvs_arn=arn, changes=puts(120)), ImportKeysRequest(changes=[*puts(3), KeyChange()])]

    failure = failing(facade.key_values.ImportKeys, iter(stream))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert [violation.field for violation in failure.violations] == ["changes[123]"]
    assert (failure.outcome, failure.metadata["applied_changes"]) == ("partial", "100")


def test_an_import_without_a_request_is_rejected_for_its_missing_changes(facade: Facade) -> None:
    failure = failing(facade.key_values.ImportKeys, iter([]))
    assert [violation.field for violation in failure.violations] == ["changes"]


def test_an_undecodable_request_ends_an_import(facade: Facade, arn: str) -> None:
    first = ImportKeysRequest(kvs_arn=arn, changes=puts(60)).SerializeToString()
    with open_channel(facade.address) as channel:
        method = channel.stream_unary("/cloudfront_facade.v1.KeyValueStoreDataService/ImportKeys")
        failure = failing(method, iter([first, b"\xff"]))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert "bytes are not a message" in failure.message
    assert (failure.outcome, failure.metadata["applied_changes"]) == ("partial", "50")


def test_a_cancelled_import_keeps_the_changes_applied_before(backend: SlowKeyWrites, facade: Facade, arn: str) -> None:
    hold = threading.Event()
    backend.before_batch = lambda number: number != 1 or hold.wait(10)
    with capture_logs() as lines:
        requests = iter([ImportKeysRequest(kvs_arn=arn, changes=puts(200))])
        imported = facade.key_values.ImportKeys.future(requests)
        wait_until(lambda: item_count(facade, arn) == 50)
        imported.cancel()
        check_health(facade)
        hold.set()
        wait_until(lambda: any(line.get("method") == "ImportKeys" for line in lines))
    assert backend.batches == 2, "the batch in flight is not cancelled, and no other is sent"
    assert item_count(facade, arn) == 100


def test_an_import_that_is_cancelled_between_its_requests_keeps_the_changes_applied_before(
    facade: Facade, arn: str
) -> None:
    hold = threading.Event()

    def requests() -> Iterator[ImportKeysRequest]:
        yield ImportKeysRequest(kvs_arn=arn, changes=puts(120))
        hold.wait(10)

    with capture_logs() as lines:
        imported = facade.key_values.ImportKeys.future(requests())
        wait_until(lambda: item_count(facade, arn) == 100)
        imported.cancel()
        hold.set()
        wait_until(lambda: any(line.get("method") == "ImportKeys" for line in lines))
    assert item_count(facade, arn) == 100, "the rest of a batch is not sent"


def test_an_oversized_request_ends_an_import(facade: Facade, arn: str) -> None:
    # gRPC itself rejects a message above the largest limit of all methods, without details.
    huge = ImportKeysRequest(changes=puts(1, value="v" * 5_000_000))
    failure = failing(facade.key_values.ImportKeys, iter([ImportKeysRequest(kvs_arn=arn, changes=puts(1)), huge]))
    assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
