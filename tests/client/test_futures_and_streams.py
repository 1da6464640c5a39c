"""Futures, and calls with streams of messages."""

from __future__ import annotations

import queue
from typing import Any

import grpc
import pytest

from client.canned import FUNCTION_CREATED, PATIENCE, Canned, running_server
from client.streaming import NOT_FOUND, Streaming
from cloudfront_facade import Client, FacadeError, connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

REQUEST = CreateFunctionRequest(name="rewrite")


def test_a_future_does_not_block_and_returns_the_response() -> None:
    servicer = Canned()
    servicer.released.clear()
    finished: queue.Queue[Any] = queue.Queue()
    with running_server(servicer) as target, connect(target) as facade:
        future = facade.functions.CreateFunction.future(REQUEST)
        assert isinstance(future, grpc.Future)
        future.add_done_callback(finished.put)
        with pytest.raises(grpc.FutureTimeoutError):
            future.result(timeout=0.05)
        assert not future.done()
        servicer.released.set()
        assert future.result(PATIENCE) == FUNCTION_CREATED
        assert future.exception(PATIENCE) is None
        assert finished.get(timeout=PATIENCE) is future
    [received] = servicer.received
    assert received.time_left is not None
    assert received.request.request_id


def test_a_future_raises_the_typed_error() -> None:
    servicer = Canned(NOT_FOUND, NOT_FOUND)
    with running_server(servicer) as target, connect(target) as facade:
        future = facade.functions.CreateFunction.future(REQUEST)
        with pytest.raises(FacadeError) as caught:
            future.result(PATIENCE)
        error = future.exception(PATIENCE)
    assert isinstance(error, FacadeError)
    assert caught.value.reason == error.reason == "RESOURCE_NOT_FOUND"
    assert caught.value.request_id == error.request_id == servicer.received[0].request.request_id


def test_a_future_can_be_cancelled() -> None:
    servicer = Canned()
    servicer.released.clear()
    with running_server(servicer) as target, connect(target) as facade:
        future = facade.functions.CreateFunction.future(REQUEST)
        assert servicer.started.wait(PATIENCE)
        assert future.cancel()
        assert future.cancelled()
        with pytest.raises(grpc.FutureCancelledError):
            future.result(PATIENCE)


def test_the_channel_accepts_further_interceptors() -> None:
    class Passing(grpc.UnaryUnaryClientInterceptor):
        def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            return continuation(client_call_details, request)

    with running_server(Canned(NOT_FOUND)) as target, connect(target) as facade:
        outer = Client(grpc.intercept_channel(facade.channel, Passing()))
        with pytest.raises(FacadeError) as caught:
            outer.functions.CreateFunction(REQUEST)
        assert outer.functions.CreateFunction(REQUEST) == FUNCTION_CREATED
    assert caught.value.reason == "RESOURCE_NOT_FOUND"


def test_an_outer_interceptor_can_inspect_a_failed_call() -> None:
    observed: dict[str, Any] = {}

    class Observing(grpc.UnaryUnaryClientInterceptor):
        def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            call = continuation(client_call_details, request)
            assert (isinstance(call, grpc.Call), isinstance(call, grpc.Future)) == (True, True)
            call.add_done_callback(lambda done: observed.update(reason=done.exception().reason))
            observed.update(code=call.code(), done=call.done(), initial=call.initial_metadata(), error=call.exception())
            assert (call.running(), call.cancelled(), call.cancel(), call.is_active()) == (False,) * 4
            assert (call.time_remaining(), call.add_callback(print)) == (None, False)
            assert call.traceback() is call.exception().__traceback__
            return call

    with running_server(Canned(NOT_FOUND)) as target, connect(target) as facade:
        outer = Client(grpc.intercept_channel(facade.channel, Observing()))
        with pytest.raises(FacadeError) as caught:
            outer.functions.CreateFunction(REQUEST)
    assert observed == {
        "reason": "RESOURCE_NOT_FOUND", "code": NOT_FOUND.code, "done": True, "initial": (), "error": caught.value
    }  # fmt: skip


def test_streams_have_the_default_deadline() -> None:
    streaming = Streaming()
    with running_server(Canned(), handlers=[streaming.handlers()]) as target, connect(target) as facade:
        channel: Any = facade.channel
        assert list(channel.unary_stream("/Streaming/Watch")(b"a")) == [b"a", b"a"]
        assert channel.stream_unary("/Streaming/Gather")(iter([b"a", b"b"])) == b"a b"
        assert list(channel.stream_stream("/Streaming/Echo")(iter([b"a", b"b"]))) == [b"a", b"b"]
    assert all(left is not None and 20 < left < 31 for left in streaming.deadlines)
    assert len(streaming.deadlines) == 3


def test_streams_raise_the_typed_error() -> None:
    with running_server(Canned(), handlers=[Streaming().handlers()]) as target, connect(target) as facade:
        channel: Any = facade.channel
        echoed = channel.stream_stream("/Streaming/Echo")(iter([b"a", b"fail"]))
        assert next(echoed) == b"a"
        for failing in (
            lambda: next(echoed),
            lambda: list(channel.unary_stream("/Streaming/Watch")(b"fail")),
            lambda: channel.stream_unary("/Streaming/Gather")(iter([b"fail"])),
        ):
            with pytest.raises(FacadeError) as caught:
                failing()
            assert caught.value.reason == "RESOURCE_NOT_FOUND"
