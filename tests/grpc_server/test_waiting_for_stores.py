"""WaitForKeyValueStore on a real server: when it returns, and how often it polls."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    ImportSource,
    ImportSourceType,
    WaitForKeyValueStoreRequest,
)
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.facade import Facade, check_health, failing, running_facade
from support.process import EMBEDDED_WITH_DRAIN, FacadeProcess

WAIT = WaitForKeyValueStoreRequest(name="redirects")


class CountingBackend(EmbeddedBackend):
    """The embedded backend, which records when a store is described."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(path=":memory:", **{"s3_dir": None, **arguments})
        self.described: list[float] = []

    def describe_key_value_store(self, **arguments: Any) -> Any:
        self.described.append(time.monotonic())
        return super().describe_key_value_store(**arguments)


@contextmanager
def store(provisioning_seconds: float, **settings: Any) -> Iterator[tuple[Facade, CountingBackend]]:
    backend = CountingBackend(provisioning_seconds=provisioning_seconds)
    with running_facade(backend, **settings) as facade:
        facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        yield facade, backend


def test_a_wait_ends_when_the_store_is_ready() -> None:
    with store(0.4) as (facade, _):
        started = time.monotonic()
        response = facade.stores.WaitForKeyValueStore(WAIT, timeout=10)
        duration = time.monotonic() - started
    assert response.key_value_store.status == "READY"
    assert response.etag
    assert 0.3 < duration < 5


def test_concurrent_waits_for_a_store_share_one_poll() -> None:
    with store(1.0) as (facade, backend):
        waits = [facade.stores.WaitForKeyValueStore.future(WAIT, timeout=20) for _ in range(90)]
        statuses = {wait.result().key_value_store.status for wait in waits}
    assert statuses == {"READY"}
    assert len(backend.described) < 10


def test_a_missing_store_is_reported_immediately() -> None:
    with store(0) as (facade, _):
        failure = failing(facade.stores.WaitForKeyValueStore, WaitForKeyValueStoreRequest(name="none"), timeout=10)
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "KEY_VALUE_STORE_NOT_FOUND")


def test_a_failed_import_ends_the_wait_with_its_reason(tmp_path: Path) -> None:
    backend = CountingBackend(s3_dir=tmp_path)
    source = ImportSource(source_type=ImportSourceType.IMPORT_SOURCE_TYPE_S3, source_arn="arn:aws:s3:::bucket/missing")
    with running_facade(backend) as facade:
        facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects", import_source=source))
        failure = failing(facade.stores.WaitForKeyValueStore, WAIT, timeout=10)
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "KEY_VALUE_STORE_FAILED")
    assert "import file" in failure.metadata["failure_reason"]
    assert failure.metadata["failure_reason"] in failure.message
    assert failure.details["PreconditionFailure"].violations[0].subject == "redirects"
    assert failure.retry_after is None


def test_the_deadline_ends_the_wait_and_polling_stops_with_the_last_wait() -> None:
    with store(60) as (facade, backend):
        started = time.monotonic()
        failure = failing(facade.stores.WaitForKeyValueStore, WAIT, timeout=0.6)
        assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - started < 10
        check_health(facade)
        polled = len(backend.described)
        time.sleep(1.5)
        assert len(backend.described) == polled


def test_a_cancelled_wait_does_not_end_other_waits() -> None:
    with store(1.2) as (facade, _):
        first = facade.stores.WaitForKeyValueStore.future(WAIT, timeout=20)
        second = facade.stores.WaitForKeyValueStore.future(WAIT, timeout=20)
        check_health(facade)
        first.cancel()
        assert second.result().key_value_store.status == "READY"
        first = facade.stores.WaitForKeyValueStore.future(WaitForKeyValueStoreRequest(name="redirects"))
        assert first.result().key_value_store.status == "READY"


def test_a_wait_may_exceed_the_maximum_deadline_of_other_calls() -> None:
    with store(1.2, default_deadline=0.6, max_deadline=0.7) as (facade, _):
        assert facade.stores.WaitForKeyValueStore(WAIT).key_value_store.status == "READY"
        assert facade.stores.WaitForKeyValueStore(WAIT, timeout=30).key_value_store.status == "READY"


def test_the_maximum_wait_is_a_setting() -> None:
    with store(60, max_long_running_deadline=0.7) as (facade, _):
        failure = failing(facade.stores.WaitForKeyValueStore, WAIT)
    assert (failure.code, failure.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert failure.outcome == "not_applied"


def test_waits_do_not_count_against_the_upstream_concurrency_limit() -> None:
    with store(60, max_concurrent_upstream_calls=1) as (facade, _):
        waits = [facade.stores.WaitForKeyValueStore.future(WAIT, timeout=20) for _ in range(50)]
        check_health(facade)
        assert facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="another")).etag
        for wait in waits:
            wait.cancel()


@pytest.mark.parametrize("delay", ["0", "20"])
def test_shutdown_ends_waits_immediately(delay: str) -> None:
    with FacadeProcess(
        "--backend",
        "embedded",
        "--embedded-db",
        ":memory:",
        "--embedded-provisioning-seconds",
        "60",
        "--drain-delay",
        delay,
    ) as process:
        with grpc.insecure_channel(process.address) as channel:
            facade = Facade.over(process.address, channel)
            facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
            wait = facade.stores.WaitForKeyValueStore.future(WAIT, timeout=30)
            check_health(facade)
            started = time.monotonic()
            process.signal()
            failure = failing(wait.result)
            assert time.monotonic() - started < 10
            process.signal(signal.SIGINT)  # skips the drain
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        assert failure.outcome == "not_applied"
        assert failure.retry_after is not None


def test_a_draining_server_rejects_new_waits() -> None:
    arguments = [*EMBEDDED_WITH_DRAIN, "--embedded-provisioning-seconds", "60"]
    with FacadeProcess(*arguments, "--drain-delay", "20") as process, grpc.insecure_channel(process.address) as channel:
        facade = Facade.over(process.address, channel)
        facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        process.signal()
        process.wait_for("draining")
        started = time.monotonic()
        failure = failing(facade.stores.WaitForKeyValueStore, WAIT, timeout=30)
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        assert time.monotonic() - started < 10, "the wait began, and ended with the drain"
        process.signal(signal.SIGINT)  # skips the drain
        assert process.wait(10) == 0


def test_a_wait_that_arrives_as_the_last_one_ends_starts_a_new_poll() -> None:
    with store(0.8) as (facade, _):
        for _ in range(20):
            first = facade.stores.WaitForKeyValueStore.future(WAIT, timeout=20)
            time.sleep(0.01)
            first.cancel()
            second = facade.stores.WaitForKeyValueStore.future(WAIT, timeout=20)
            time.sleep(0.01)
            assert not second.done() or second.result().key_value_store.status == "READY"
            second.cancel()
        assert facade.stores.WaitForKeyValueStore(WAIT, timeout=20).key_value_store.status == "READY"
