"""The dispatcher: deadlines, cancellation, limits, and one line in the access log for each call."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc
import pytest
from structlog.testing import capture_logs

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, WaitForKeyValueStoreRequest
from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.backends.protocol import Backend
from cloudfront_facade_server.call_context import CallContext, ShutdownDeadline
from cloudfront_facade_server.concurrency.greenlets import sleep
from cloudfront_facade_server.grpc_server.admission import Admission
from cloudfront_facade_server.grpc_server.call_limits import CallLimits
from cloudfront_facade_server.grpc_server.dispatcher import Dispatcher
from cloudfront_facade_server.grpc_server.fair_memory import FairMemory
from cloudfront_facade_server.grpc_server.method_options import MethodOptions
from cloudfront_facade_server.grpc_server.open_calls import OpenCalls
from cloudfront_facade_server.grpc_server.receiver import Receiver
from support.cloudfront.faults import hold
from support.cloudfront.http import CloudFrontDouble
from support.facade import check_health, failing, function, running_facade
from support.waiting import wait_until

LONG_POLL = MethodOptions(long_running=True, long_poll=True)


class AbortedError(Exception):
    """Raised by gRPC when a call was aborted."""


class Context:
    """The part of a gRPC servicer context that the dispatcher uses."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.code: grpc.StatusCode | None = None
        self.message = ""

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def time_remaining(self) -> float:
        return self._seconds

    def set_trailing_metadata(self, _: object) -> None: ...

    async def abort(self, code: grpc.StatusCode, message: str, _: object) -> None:
        self.code, self.message = code, message
        raise AbortedError


class Service:
    """A service with one method."""

    def __init__(self, method: Callable[[Any, CallContext], Any]) -> None:
        self.Do = method


@contextmanager
def lines() -> Iterator[list[dict[str, Any]]]:
    with capture_logs() as captured:
        yield cast(list[dict[str, Any]], captured)


def make_dispatcher(limits: CallLimits, **arguments: Any) -> Dispatcher:
    memory = FairMemory(64 * 1024 * 1024)
    receiver = Receiver(places=10, max_queue_time=1.0, max_silence=60.0, memory=memory)
    open_calls = OpenCalls()
    admission = Admission(limits, receiver, memory, open_calls)
    return Dispatcher(limits, admission, open_calls, "aws", ShutdownDeadline(), **arguments)


def dispatcher(**limits: Any) -> Dispatcher:
    return make_dispatcher(CallLimits(**limits))


@pytest.mark.parametrize(
    ("left", "status", "reason"), [(0.015, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"), (5.0, "CANCELLED", None)]
)
def test_a_call_that_grpc_cancels_just_before_its_deadline_is_logged_with_the_status_that_the_caller_received(
    left: float, status: str, reason: str | None
) -> None:
    now = 0.0

    async def main() -> None:
        nonlocal now
        serving = make_dispatcher(CallLimits(), clock=lambda: now)
        method = serving.bind(Service(lambda _request, _call: sleep(0.05)), {}).Do
        handling = asyncio.create_task(method(b"", Context(30.0)))
        await asyncio.sleep(0)
        now = 30.0 - left
        handling.cancel()  # the caller's own clock was ahead
        with pytest.raises(asyncio.CancelledError):
            await handling
        await asyncio.wait_for(serving.idle.wait(), 5)

    with lines() as written:
        asyncio.run(main())
    assert [(line["status"], line.get("reason")) for line in written] == [(status, reason)]


def test_a_cancelled_method_fails_immediately_and_frees_its_slot() -> None:
    def method(_request: object, call: CallContext) -> None:
        call.outcome = "unknown"
        sleep(0.01)
        raise asyncio.CancelledError

    async def main() -> tuple[Context, Dispatcher]:
        serving, context = dispatcher(), Context(30.0)
        with pytest.raises(AbortedError):
            await asyncio.wait_for(serving.bind(Service(method), {}).Do(b"", context), 5)
        return context, serving

    with lines() as written:
        context, serving = asyncio.run(main())
    assert (context.code, context.message) == (grpc.StatusCode.INTERNAL, "internal error")
    assert [(line["status"], line["reason"], line["outcome"]) for line in written] == [("INTERNAL",) * 2 + ("unknown",)]
    assert serving.in_flight == 0
    assert serving.idle.is_set()


class Cancelled:
    """A backend whose calls are cancelled."""

    name = "cancelled"

    def create_function(self, **_: Any) -> Any:
        raise asyncio.CancelledError

    def close(self) -> None: ...


def test_a_cancelled_backend_call_fails_immediately() -> None:
    with running_facade(cast(Backend, Cancelled())) as facade:
        started = time.monotonic()
        failure = failing(facade.functions.CreateFunction, function(), timeout=20)
        assert time.monotonic() - started < 5
    assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert failure.outcome == "unknown"


def test_long_polls_have_a_separate_concurrency_limit() -> None:
    backend = EmbeddedBackend(path=":memory:", s3_dir=None, provisioning_seconds=60)
    with running_facade(backend, max_concurrent_calls=3, shutdown_grace_period=1) as facade:
        facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        request = WaitForKeyValueStoreRequest(name="redirects")
        waits = [facade.stores.WaitForKeyValueStore.future(request, timeout=20) for _ in range(3)]
        check_health(facade)
        shed = failing(facade.stores.WaitForKeyValueStore, request, timeout=20)
        assert (shed.reason, shed.metadata["limit"], shed.outcome) == ("OVERLOADED", "3", "not_applied")
        assert shed.message.startswith("3 WaitForKeyValueStore calls are in flight, which is the limit; ")
        assert not any(wait.done() for wait in waits)
        assert facade.functions.CreateFunction(function()).etag
        waits[0].cancel()

        def is_accepted() -> bool:
            waits.append(facade.stores.WaitForKeyValueStore.future(request, timeout=20))
            time.sleep(0.3)
            return not waits[-1].done()

        wait_until(is_accepted)  # a cancelled long poll does not count
        for wait in waits:
            wait.cancel()


def test_long_polls_above_the_limit_are_rejected_and_the_others_end_at_shutdown() -> None:
    async def main() -> list[Context]:
        serving = dispatcher(max_concurrent_calls=2, max_queue_time=0.02)
        method = serving.bind(Service(lambda _request, _call: sleep(30)), {"Do": LONG_POLL}).Do
        contexts = [Context(60.0) for _ in range(3)]
        calls = [asyncio.create_task(method(b"", context)) for context in contexts]
        await asyncio.sleep(0.05)
        assert serving.in_flight == 2
        serving.end_long_polls()
        await asyncio.wait_for(serving.idle.wait(), 5)
        assert all(isinstance(error, AbortedError) for error in await asyncio.gather(*calls, return_exceptions=True))
        return contexts

    with lines() as written:
        contexts = asyncio.run(main())
    assert [context.code for context in contexts] == [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    ]
    assert sorted(line["reason"] for line in written) == ["OVERLOADED", "SHUTTING_DOWN", "SHUTTING_DOWN"]
    assert contexts[0].message.endswith("; nothing was changed; retry the same request")


def test_cancelled_calls_have_one_line_each(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    cloudfront.always("CreateFunction", hold())
    count = 30
    with lines() as written:
        with running_facade(aws_backend(cloudfront)) as facade:
            calls = [
                facade.functions.CreateFunction.future(function(f"f{number}"), timeout=20) for number in range(count)
            ]
            cloudfront.wait_for("CreateFunction", count)
            for call in calls[:20]:
                call.cancel()
            check_health(facade)
            cloudfront.release()
            assert {call.code() for call in calls[20:]} == {grpc.StatusCode.OK}
        # The server has stopped, so every method has ended.
        rpcs = [line for line in written if line["event"] == "rpc"]
    assert [line["status"] for line in rpcs].count("OK") == 10
    assert [line["status"] for line in rpcs].count("CANCELLED") == 20
    assert len(rpcs) == count, json.dumps(rpcs, indent=1)
    assert {line["outcome"] for line in rpcs} == {"applied"}
    assert {line["log_level"] for line in rpcs} == {"info"}
