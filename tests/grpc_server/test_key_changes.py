"""Writes of keys on a real server: versions, batches, streams, sizes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    DeleteKeyRequest,
    DescribeKeyValueStoreDataRequest,
    GetKeyRequest,
    ImportKeysRequest,
    KeyChange,
    KeyValue,
    PutKeyRequest,
    UpdateKeysRequest,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.facade import Facade, failing, function, open_channel, running_facade


class Slow(EmbeddedBackend):
    """The embedded backend, whose updates of keys take their time."""

    def __init__(self) -> None:
        super().__init__(path=":memory:", s3_dir=None)
        self.seconds = 0.0
        self.batches = 0
        self.described = 0
        self.puts = 0

    def put_key(self, **arguments: Any) -> Any:
        self.puts += 1
        return super().put_key(**arguments)

    def update_keys(self, **arguments: Any) -> Any:
        time.sleep(self.seconds)
        self.batches += 1
        return super().update_keys(**arguments)

    def describe_key_value_store_data(self, **arguments: Any) -> Any:
        self.described += 1
        return super().describe_key_value_store_data(**arguments)


@pytest.fixture
def backend() -> Slow:
    return Slow()


@pytest.fixture
def facade(backend: Slow) -> Iterator[Facade]:
    with running_facade(backend) as facade:
        yield facade


@pytest.fixture
def arn(facade: Facade) -> str:
    created = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
    return created.key_value_store.arn


def puts(count: int, value: str = "v", start: int = 0) -> list[KeyChange]:
    return [KeyChange(put=KeyValue(key=f"k{number}", value=value)) for number in range(start, start + count)]


def item_count(facade: Facade, arn: str) -> int:
    return facade.key_values.DescribeKeyValueStoreData(DescribeKeyValueStoreDataRequest(kvs_arn=arn)).item_count


def test_writers_that_name_no_version_do_not_hinder_each_other(backend: Slow, facade: Facade, arn: str) -> None:
    def put(number: int) -> None:
        facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key=f"k{number}", value="v"), timeout=20)

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(put, range(48)))
    assert item_count(facade, arn) == 48
    assert backend.puts == 48, "they take turns, so that no version is another's"


def test_writers_of_two_replicas_do_not_lose_a_write(backend: Slow, facade: Facade, arn: str) -> None:
    with running_facade(backend) as other:

        def put(number: int) -> None:
            replica = (facade, other)[number % 2]
            replica.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key=f"k{number}", value="v"), timeout=20)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, range(40)))
        assert item_count(facade, arn) == 40


def test_a_version_that_is_named_is_obeyed(facade: Facade, arn: str) -> None:
    first = facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="k", value="1"))
    facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="k", value="2", etag=first.etag))
    for stale in (
        failing(facade.key_values.PutKey, PutKeyRequest(kvs_arn=arn, key="k", value="3", etag=first.etag)),
        failing(facade.key_values.DeleteKey, DeleteKeyRequest(kvs_arn=arn, key="k", etag=first.etag)),
        failing(facade.key_values.UpdateKeys, UpdateKeysRequest(kvs_arn=arn, changes=puts(1), etag=first.etag)),
    ):
        assert (stale.code, stale.reason, stale.outcome) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", "not_applied")
        assert stale.retry_after is None
    assert facade.key_values.GetKey(GetKeyRequest(kvs_arn=arn, key="k")).value == "2"


def test_any_number_of_changes_is_cut_into_batches(backend: Slow, facade: Facade, arn: str) -> None:
    response = facade.key_values.UpdateKeys(UpdateKeysRequest(kvs_arn=arn, changes=puts(501)))
    assert (response.item_count, backend.batches) == (501, 11)
    assert backend.described == 1  # each batch goes on from the version that the one before it made


def test_changes_stop_where_one_fails_and_the_error_says_how_many_were_applied(facade: Facade, arn: str) -> None:
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


def test_a_version_that_is_named_is_that_of_the_first_batch_and_each_batch_goes_on_from_it(
    backend: Slow, facade: Facade, arn: str
) -> None:
    etag = facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="other", value="1")).etag
    backend.seconds = 0.2
    update = facade.key_values.UpdateKeys.future(UpdateKeysRequest(kvs_arn=arn, changes=puts(200), etag=etag))
    while backend.batches < 2:
        time.sleep(0.01)
    facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="other", value="2"))

    failure = failing(update.result)

    assert (failure.code, failure.reason, failure.outcome) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", "partial")
    assert int(failure.metadata["applied_changes"]) + 1 == item_count(facade, arn)


def test_time_that_runs_out_is_told_with_what_was_applied(backend: Slow, facade: Facade, arn: str) -> None:
    backend.seconds = 0.3
    request = UpdateKeysRequest(kvs_arn=arn, changes=puts(1000))

    failure = failing(facade.key_values.UpdateKeys, request, timeout=1.5)

    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert failure.outcome == "partial"
    applied = int(failure.metadata["applied_changes"])
    time.sleep(0.5)
    assert 50 <= applied <= item_count(facade, arn) <= applied + int(failure.metadata["unknown_changes"]) < 1000


def test_the_log_says_of_changes_that_were_applied_in_part_how_many(
    backend: Slow, facade: Facade, arn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**arguments: Any) -> Any:
        if backend.batches == 2:
            raise RuntimeError
        backend.batches += 1
        return EmbeddedBackend.update_keys(backend, **arguments)

    backend.update_keys = fail  # type: ignore[method-assign]
    failure = failing(facade.key_values.UpdateKeys, UpdateKeysRequest(kvs_arn=arn, changes=puts(180)))
    assert (failure.reason, failure.outcome) == ("INTERNAL", "partial")
    assert (failure.metadata["applied_changes"], failure.metadata["unknown_changes"]) == ("100", "50")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "method=UpdateKeys" in line]
    for fact in ("outcome=partial", "applied_changes=100", "unknown_changes=50"):
        assert fact in line


def test_a_caller_that_goes_away_ends_its_changes(backend: Slow, facade: Facade, arn: str) -> None:
    backend.seconds = 0.1
    update = facade.key_values.UpdateKeys.future(UpdateKeysRequest(kvs_arn=arn, changes=puts(2000)))
    while backend.batches < 2:
        time.sleep(0.01)
    update.cancel()
    time.sleep(0.4)
    done = backend.batches
    time.sleep(0.4)
    assert backend.batches == done < 10


def test_an_import_is_applied_as_it_comes(backend: Slow, facade: Facade, arn: str) -> None:
    go_on = threading.Event()

    def requests() -> Iterator[ImportKeysRequest]:
        yield ImportKeysRequest(kvs_arn=arn, changes=puts(120))
        assert go_on.wait(10)
        yield ImportKeysRequest(changes=puts(80, start=120))

    imported = facade.key_values.ImportKeys.future(requests())
    while backend.batches < 2:
        time.sleep(0.01)
    assert item_count(facade, arn) == 100
    go_on.set()
    response = imported.result()
    assert (response.applied_changes, response.item_count) == (200, 200)


def test_a_bad_change_in_a_later_request_is_named_by_its_place_in_the_stream(facade: Facade, arn: str) -> None:
    stream = [ImportKeysRequest(kvs_arn=arn, changes=puts(120)), ImportKeysRequest(changes=[*puts(3), KeyChange()])]

    failure = failing(facade.key_values.ImportKeys, iter(stream))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert [violation.field for violation in failure.violations] == ["changes[123]"]
    assert (failure.outcome, failure.metadata["applied_changes"]) == ("partial", "100")


def test_an_import_without_a_request_names_no_store(facade: Facade) -> None:
    failure = failing(facade.key_values.ImportKeys, iter([]))
    assert [violation.field for violation in failure.violations] == ["kvs_arn"]


def test_bytes_that_are_no_request_end_an_import(facade: Facade, arn: str) -> None:
    first = ImportKeysRequest(kvs_arn=arn, changes=puts(60)).SerializeToString()
    with open_channel(facade.address) as channel:
        method = channel.stream_unary("/cloudfront_facade.v1.KeyValueStoreDataService/ImportKeys")
        failure = failing(method, iter([first, b"\xff"]))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert "bytes are no message" in failure.message
    assert (failure.outcome, failure.metadata["applied_changes"]) == ("partial", "50")


def test_an_importer_that_goes_away_leaves_what_was_applied_before(backend: Slow, facade: Facade, arn: str) -> None:
    hold = threading.Event()

    def requests() -> Iterator[ImportKeysRequest]:
        yield ImportKeysRequest(kvs_arn=arn, changes=puts(120))
        hold.wait(10)

    imported = facade.key_values.ImportKeys.future(requests())
    while backend.batches < 2:
        time.sleep(0.01)
    imported.cancel()
    hold.set()
    time.sleep(0.3)
    assert item_count(facade, arn) == 100
    assert facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="after", value="v")).item_count == 101


def test_a_large_request_is_for_keys_only(facade: Facade, arn: str) -> None:
    changes = puts(900, value="v" * 1000)
    assert 256 * 1024 < UpdateKeysRequest(changes=changes).ByteSize() < 4 * 1024 * 1024
    assert facade.key_values.UpdateKeys(UpdateKeysRequest(kvs_arn=arn, changes=changes)).item_count == 900

    failure = failing(facade.functions.CreateFunction, function(function_code=b"x" * 300_000))

    assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")
    assert failure.metadata["limit"] == "262144"
    assert failure.outcome == "not_applied"
    assert failure.pushback == "-1"


def test_a_request_that_is_too_large_ends_an_import(facade: Facade, arn: str) -> None:
    # gRPC itself refuses what is above the largest limit of all methods, and says less.
    huge = ImportKeysRequest(changes=puts(1, value="v" * 5_000_000))
    failure = failing(facade.key_values.ImportKeys, iter([ImportKeysRequest(kvs_arn=arn, changes=puts(1)), huge]))
    assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_health_answers_while_very_many_changes_are_checked(facade: Facade, arn: str) -> None:
    changes = [KeyChange(delete="k")] * 400_000 + [KeyChange()]
    request = UpdateKeysRequest(kvs_arn=arn, changes=changes)
    assert request.ByteSize() < 4 * 1024 * 1024
    update = facade.key_values.UpdateKeys.future(request, timeout=30)
    slowest = 0.0
    while not update.done():
        started = time.monotonic()
        failing(facade.key_values.GetKey, GetKeyRequest(kvs_arn=arn, key=""))
        slowest = max(slowest, time.monotonic() - started)
    failure = failing(update.result)
    assert [violation.field for violation in failure.violations] == ["changes[400000]"]
    assert slowest < 1.0, "the loop was held up"


def test_a_store_that_is_not_ready_is_told_so_and_no_version_is_blamed() -> None:
    backend = EmbeddedBackend(path=":memory:", s3_dir=None, provisioning_seconds=60)
    with running_facade(backend) as facade:
        created = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects")).key_value_store
        for failure in (
            failing(facade.key_values.PutKey, PutKeyRequest(kvs_arn=created.arn, key="k")),
            failing(facade.key_values.GetKey, GetKeyRequest(kvs_arn=created.arn, key="k")),
        ):
            assert failure.code is grpc.StatusCode.FAILED_PRECONDITION
            assert failure.reason == "KEY_VALUE_STORE_NOT_READY"
            assert failure.retry_after is not None


def test_nothing_is_applied_of_what_was_answered_as_not_applied() -> None:
    held, go_on = threading.Event(), threading.Event()

    class Holding(EmbeddedBackend):
        """The embedded backend, which reads a store's version when it is told to."""

        def describe_key_value_store_data(self, **arguments: Any) -> Any:
            held.set()
            assert go_on.wait(10)
            return super().describe_key_value_store_data(**arguments)

    backend = Holding(path=":memory:", s3_dir=None)
    with running_facade(backend, default_deadline=0.8) as facade:
        arn = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects")).key_value_store.arn
        put = facade.key_values.PutKey.future(PutKeyRequest(kvs_arn=arn, key="k", value="v"))
        assert held.wait(5)
        failure = failing(put.result)
        go_on.set()
        time.sleep(0.3)
        assert (failure.code, failure.outcome) == (grpc.StatusCode.DEADLINE_EXCEEDED, "not_applied")
        assert item_count(facade, arn) == 0
