"""The catch-all interceptor on a real server: exceptions outside servicers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from cloudfront_facade_server.grpc_server.catch_all import CatchAllInterceptor
from cloudfront_facade_server.grpc_server.decoder import MessageLimits
from cloudfront_facade_server.grpc_server.fair_memory import FairMemory
from cloudfront_facade_server.grpc_server.receiver import Receiver
from support.facade import Failure, failure_of, open_channel

SECRET = "the key is 12345"


class Faulty(grpc.GenericRpcHandler):
    """A service whose methods all raise an exception."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        async def unary(_request: bytes, _context: Any) -> bytes:
            raise LookupError(SECRET)

        async def stream(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
            async for request in requests:
                yield request
            raise LookupError(SECRET)

        match handler_call_details.method:
            case "/faulty/Unary":
                return grpc.unary_unary_rpc_method_handler(unary)
            case "/faulty/UnaryStream":
                return grpc.unary_stream_rpc_method_handler(unary)
            case "/faulty/StreamUnary":
                return grpc.stream_unary_rpc_method_handler(unary)
            case "/faulty/StreamStream":
                return grpc.stream_stream_rpc_method_handler(stream)
        return None


def call(address: str, method: str, kind: str) -> Failure:
    with open_channel(address) as channel:
        request = b"" if kind.startswith("unary") else iter([b"once"])
        try:
            responses = getattr(channel, kind)(method)(request)
            list(responses if kind.endswith("stream") else ())
        except grpc.RpcError as error:
            return failure_of(error)
    raise AssertionError("the call succeeded")


async def failure_on_server(method: str, kind: str) -> Failure:
    receiver = Receiver(places=10, max_queue_time=1.0, max_silence=60.0, memory=FairMemory(1_000_000))
    catch_all = CatchAllInterceptor(("backend", "none"), receiver, lambda _: MessageLimits(1000), FairMemory(1_000_000))
    server = grpc.aio.server(interceptors=[catch_all], handlers=[Faulty()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        return await asyncio.to_thread(call, f"127.0.0.1:{port}", method, kind)
    finally:
        await server.stop(None)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("/faulty/Unary", "unary_unary"),
        ("/faulty/UnaryStream", "unary_stream"),
        ("/faulty/StreamUnary", "stream_unary"),
        ("/faulty/StreamStream", "stream_stream"),
    ],
)
def test_an_exception_outside_a_servicer_is_internal_and_logged_without_its_text(
    method: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with capture_logs() as lines:
        failure = asyncio.run(failure_on_server(method, kind))

    assert failure.code is grpc.StatusCode.INTERNAL
    assert (failure.reason, failure.outcome, failure.message) == ("INTERNAL", "unknown", "internal error")
    assert failure.trailers["backend"] == "none"
    (line,) = lines
    assert set(line) == {
        "event", "log_level", "method", "caller", "status", "reason", "outcome", "duration_ms", "exception", "where"
    }  # fmt: skip
    assert (line["event"], line["log_level"], line["method"]) == ("rpc", "error", method.rpartition("/")[2])
    assert (line["status"], line["reason"], line["outcome"]) == ("INTERNAL", "INTERNAL", "unknown")
    assert line["exception"] == "LookupError"
    assert SECRET not in "".join(capsys.readouterr()) + repr(line) + repr(failure)
