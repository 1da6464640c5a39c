"""Waiting until a key value store is READY."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo

from client.both import Run, both
from client.canned import PATIENCE, Canned, ErrorStatus, error_status, info, reserved_target, running_server
from cloudfront_facade import FacadeError
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores

NOT_FOUND = error_status(grpc.StatusCode.NOT_FOUND, "no", info("KEY_VALUE_STORE_NOT_FOUND"))
GONE = ErrorStatus(grpc.StatusCode.UNAVAILABLE, "gone", (("grpc-retry-pushback-ms", "-1"),))
READY = stores.WaitForKeyValueStoreResponse(key_value_store=stores.KeyValueStore(name="redirects", status="READY"))


@both
def test_a_ready_store_is_returned(run: Run) -> None:
    servicer = Canned(READY)
    with running_server(servicer) as target:
        assert run(target, "key_value_stores", "wait_until_ready", "redirects") == READY.key_value_store
    [received] = servicer.received
    assert received.request == stores.WaitForKeyValueStoreRequest(name="redirects")
    assert received.time_left is not None
    # Long times are rounded up on the wire.
    assert 1790 < received.time_left < 1811


def retry_info(seconds: int) -> RetryInfo:
    return RetryInfo(retry_delay=Duration(seconds=seconds))


@both
@pytest.mark.parametrize(
    "answer",
    [
        GONE,
        error_status(grpc.StatusCode.UNAVAILABLE, "ends", info("SHUTTING_DOWN", outcome="unknown")),
        error_status(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", info("OVERLOADED"), retry_info(0)),
        ErrorStatus(grpc.StatusCode.DEADLINE_EXCEEDED, "a proxy's"),
    ],
    ids=["no response", "shutting down", "overloaded", "a shorter deadline"],
)
def test_transient_errors_do_not_end_the_wait(run: Run, answer: ErrorStatus) -> None:
    servicer = Canned(answer, READY)
    with running_server(servicer) as target:
        store = run(target, "key_value_stores", "wait_until_ready", "redirects", timeout=6, options={"retry": False})
    assert store == READY.key_value_store
    first, second = servicer.received
    assert second.at - first.at > 0.2
    assert first.time_left is not None
    assert second.time_left is not None
    assert second.time_left < first.time_left - 0.2


@both
def test_the_wait_honours_the_servers_retry_delay(run: Run) -> None:
    servicer = Canned(error_status(grpc.StatusCode.UNAVAILABLE, "later", info("SHUTTING_DOWN"), retry_info(1)), READY)
    with running_server(servicer) as target:
        run(target, "key_value_stores", "wait_until_ready", "redirects", options={"retry": False})
    first, second = servicer.received
    assert second.at - first.at > 0.95


@both
@pytest.mark.parametrize(
    "answer",
    [NOT_FOUND, error_status(grpc.StatusCode.FAILED_PRECONDITION, "its import failed", info("KEY_VALUE_STORE_FAILED"))],
    ids=["not found", "failed"],
)
def test_a_final_error_ends_the_wait(run: Run, answer: ErrorStatus) -> None:
    servicer = Canned(answer)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_value_stores", "wait_until_ready", "redirects")
    assert (caught.value.code(), len(servicer.received)) == (answer.code, 1)


@both
def test_the_wait_ends_at_its_timeout(run: Run) -> None:
    servicer = Canned()
    servicer.released.clear()
    started = time.monotonic()
    with running_server(servicer) as target:
        with pytest.raises(FacadeError) as caught:
            run(target, "key_value_stores", "wait_until_ready", "redirects", timeout=0.4)
        servicer.released.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert caught.value.__notes__ == ['The key value store "redirects" did not become READY within 0.4 s.']
    assert 0.3 < time.monotonic() - started < PATIENCE


@both
def test_the_wait_for_an_unreachable_server_ends_at_its_timeout(run: Run) -> None:
    with reserved_target() as target, pytest.raises(FacadeError) as caught:
        run(target, "key_value_stores", "wait_until_ready", "redirects", timeout=1.5)
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@both
def test_the_wait_continues_when_the_server_restarts(run: Run) -> None:
    # The first server drops the call, or still manages to report its shutdown.
    first, second = Canned(GONE), Canned(READY)
    first.released.clear()
    results: list[Any] = []
    with ExitStack() as later:
        target = later.enter_context(reserved_target())
        with running_server(first, target):
            waiter = threading.Thread(
                target=lambda: results.append(run(target, "key_value_stores", "wait_until_ready", "redirects"))
            )
            waiter.start()
            assert first.started.wait(PATIENCE)
        later.enter_context(running_server(second, target))
        waiter.join(PATIENCE)
    assert results == [READY.key_value_store]
