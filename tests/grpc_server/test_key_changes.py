"""Key writes on a real server: etags, batches and request sizes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    DeleteKeyRequest,
    GetKeyRequest,
    ImportKeysRequest,
    KeyChange,
    PutKeyRequest,
    UpdateKeysRequest,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.facade import Facade, check_health, failing, function, running_facade
from support.key_writes import SlowKeyWrites, item_count, puts
from support.waiting import wait_until


def test_concurrent_writers_without_an_etag_never_conflict(backend: SlowKeyWrites, facade: Facade, arn: str) -> None:
    def put(number: int) -> None:
        facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key=f"k{number}", value="v"), timeout=20)

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(put, range(48)))
    assert item_count(facade, arn) == 48
    assert backend.puts == 48, "writers of one server must not conflict"


def test_concurrent_writers_on_two_replicas_lose_no_writes(backend: SlowKeyWrites, facade: Facade, arn: str) -> None:
    with running_facade(backend) as other:

        def put(number: int) -> None:
            replica = (facade, other)[number % 2]
            replica.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key=f"k{number}", value="v"), timeout=20)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, range(40)))
        assert item_count(facade, arn) == 40


def test_a_write_with_a_stale_etag_is_an_etag_mismatch(facade: Facade, arn: str) -> None:
    first = facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="k", value="1"))
    facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="k", value="2", etag=first.etag))
    for failure in (
        failing(facade.key_values.PutKey, PutKeyRequest(kvs_arn=arn, key="k", value="3", etag=first.etag)),
        failing(facade.key_values.DeleteKey, DeleteKeyRequest(kvs_arn=arn, key="k", etag=first.etag)),
        failing(facade.key_values.UpdateKeys, UpdateKeysRequest(kvs_arn=arn, changes=puts(1), etag=first.etag)),
    ):
        assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
        assert failure.outcome == "not_applied"
        assert failure.retry_after is None
    assert facade.key_values.GetKey(GetKeyRequest(kvs_arn=arn, key="k")).value == "2"


def test_changes_are_split_into_batches(backend: SlowKeyWrites, facade: Facade, arn: str) -> None:
    response = facade.key_values.UpdateKeys(UpdateKeysRequest(kvs_arn=arn, changes=puts(501)))
    assert (response.item_count, backend.batches) == (501, 11)
    assert backend.described == 1  # each batch continues from the etag of the one before


def test_the_etag_of_the_request_applies_to_the_first_batch_and_later_batches_chain_from_it(
    backend: SlowKeyWrites, facade: Facade, arn: str
) -> None:
    etag = facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="other", value="1")).etag

    def put_by_another_writer(batches: int) -> None:
        if batches == 2:
            current = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
            backend.put_key(KvsARN=arn, Key="other", Value="2", IfMatch=current)

    backend.after_batch = put_by_another_writer
    failure = failing(facade.key_values.UpdateKeys, UpdateKeysRequest(kvs_arn=arn, changes=puts(200), etag=etag))

    assert (failure.code, failure.reason, failure.outcome) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", "partial")
    assert failure.metadata["applied_changes"] == "100"
    assert item_count(facade, arn) == 101


def test_a_deadline_between_batches_is_reported_with_the_applied_changes(
    backend: SlowKeyWrites, facade: Facade, arn: str
) -> None:
    backend.seconds = 0.3
    request = UpdateKeysRequest(kvs_arn=arn, changes=puts(1000))

    failure = failing(facade.key_values.UpdateKeys, request, timeout=1.5)

    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert failure.outcome == "partial"
    applied = int(failure.metadata["applied_changes"])
    time.sleep(0.5)
    assert 50 <= applied <= item_count(facade, arn) <= applied + int(failure.metadata["unknown_changes"]) < 1000


def test_the_access_log_has_the_counts_of_partly_applied_changes(
    backend: SlowKeyWrites, facade: Facade, arn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(batches: int) -> None:
        if batches == 2:
            raise RuntimeError

    backend.before_batch = fail
    failure = failing(facade.key_values.UpdateKeys, UpdateKeysRequest(kvs_arn=arn, changes=puts(180)))
    assert (failure.reason, failure.outcome) == ("INTERNAL", "partial")
    assert (failure.metadata["applied_changes"], failure.metadata["unknown_changes"]) == ("100", "50")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "method=UpdateKeys" in line]
    for field in ("outcome=partial", "applied_changes=100", "unknown_changes=50"):
        assert field in line


def test_a_cancelled_call_sends_no_more_batches(backend: SlowKeyWrites, facade: Facade, arn: str) -> None:
    backend.seconds = 0.1
    update = facade.key_values.UpdateKeys.future(UpdateKeysRequest(kvs_arn=arn, changes=puts(2000)))
    wait_until(lambda: backend.batches >= 2)
    update.cancel()
    check_health(facade)
    time.sleep(0.4)  # a batch in flight ends
    batches = backend.batches
    time.sleep(0.4)
    assert backend.batches == batches < 40


def test_only_the_data_service_accepts_large_requests(facade: Facade, arn: str) -> None:
    changes = puts(900, value="v" * 1000)
    assert 256 * 1024 < UpdateKeysRequest(changes=changes).ByteSize() < 4 * 1024 * 1024
    assert facade.key_values.UpdateKeys(UpdateKeysRequest(kvs_arn=arn, changes=changes)).item_count == 900

    failure = failing(facade.functions.CreateFunction, function(function_code=b"x" * 300_000))

    assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")
    assert failure.metadata["limit"] == "262144"
    assert failure.outcome == "not_applied"
    assert failure.pushback == "-1"


@pytest.mark.parametrize("limit", [1, 3])
def test_message_with_more_changes_than_the_limit_is_rejected_and_names_import_keys(limit: int) -> None:
    with running_facade(EmbeddedBackend(path=":memory:", s3_dir=None), max_changes=limit) as facade:
        created = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        arn = created.key_value_store.arn
        update, imports = facade.key_values.UpdateKeys, facade.key_values.ImportKeys
        assert item_count(facade, arn) == 0
        update(UpdateKeysRequest(kvs_arn=arn, changes=puts(limit)))
        for failure in (
            failing(update, UpdateKeysRequest(kvs_arn=arn, changes=puts(limit + 1))),
            failing(imports, iter([ImportKeysRequest(kvs_arn=arn, changes=puts(limit + 1))])),
        ):
            assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")
            assert (failure.outcome, failure.pushback, failure.metadata["limit"]) == ("not_applied", "-1", str(limit))
            assert f"at most {limit} in one message" in failure.message
            assert "ImportKeys" in failure.message
        assert item_count(facade, arn) == limit


def test_validating_very_many_changes_does_not_block_other_calls() -> None:
    changes = [KeyChange(delete="k")] * 400_000 + [KeyChange()]
    with running_facade(EmbeddedBackend(path=":memory:", s3_dir=None), max_changes=1_000_000) as facade:
        created = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        request = UpdateKeysRequest(kvs_arn=created.key_value_store.arn, changes=changes)
        assert request.ByteSize() < 4 * 1024 * 1024

        def slowest_call() -> float:
            update, slowest = facade.key_values.UpdateKeys.future(request, timeout=30), 0.0
            while not update.done():
                started = time.monotonic()
                failing(facade.key_values.GetKey, GetKeyRequest(kvs_arn=request.kvs_arn, key=""))
                slowest = max(slowest, time.monotonic() - started)
            failure = failing(update.result)
            assert [violation.field for violation in failure.violations] == ["changes[400000]"]
            return slowest

        # The best of three, because the machine may be busy. A blocked event loop delays a call each time.
        assert min(slowest_call() for _ in range(3)) < 1.0


def test_a_store_that_is_not_ready_is_not_reported_as_an_etag_mismatch() -> None:
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


def test_nothing_is_applied_after_the_caller_received_not_applied() -> None:
    blocked, resume = threading.Event(), threading.Event()

    class BlockingBackend(EmbeddedBackend):
        """The embedded backend, whose reads of a store's etag wait for the test."""

        def describe_key_value_store_data(self, **arguments: Any) -> Any:
            blocked.set()
            assert resume.wait(10)
            return super().describe_key_value_store_data(**arguments)

    backend = BlockingBackend(path=":memory:", s3_dir=None)
    with running_facade(backend, default_deadline=0.8) as facade:
        arn = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects")).key_value_store.arn
        put = facade.key_values.PutKey.future(PutKeyRequest(kvs_arn=arn, key="k", value="v"))
        assert blocked.wait(5)
        failure = failing(put.result)
        resume.set()
        time.sleep(0.3)
        assert (failure.code, failure.outcome) == (grpc.StatusCode.DEADLINE_EXCEEDED, "not_applied")
        assert item_count(facade, arn) == 0
