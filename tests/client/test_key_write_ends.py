"""How a write of keys that is sent again ends: futures, callbacks, and what its caller does meanwhile."""

from __future__ import annotations

import asyncio
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from client.canned import PATIENCE, Canned, ErrorStatus, running_server
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade._repeats import Attempts, Repeats
from cloudfront_facade.v1.key_value_store_data_service_pb2 import GetKeyRequest, PutKeyRequest, PutKeyResponse

REQUEST = PutKeyRequest(kvs_arn="arn", key="a", etag="E1")
RESPONSE = PutKeyResponse(etag="E2")
PAUSE = 0.6
"""Seconds between two attempts."""


def cancelled(seconds: float = PAUSE) -> ErrorStatus:
    trailers = (("grpc-retry-pushback-ms", str(int(seconds * 1000))),)
    return ErrorStatus(grpc.StatusCode.CANCELLED, "stopping", trailers)


def methods_after(servicer: Canned, read: Callable[[GetKeyRequest], Any]) -> list[str]:
    """Returns the methods received when a repeat would also have arrived."""
    servicer.released.set()
    time.sleep(PAUSE + 0.2)
    read(GetKeyRequest())
    return [call.method for call in servicer.received]


def test_a_future_of_a_repeated_write_ends_with_its_last_attempt() -> None:
    servicer = Canned(cancelled(), RESPONSE)
    finished: queue.Queue[Any] = queue.Queue()
    with running_server(servicer) as target, connect(target) as facade:
        request = PutKeyRequest(kvs_arn="arn", key="a", etag="E1")
        future = facade.key_values.PutKey.future(request)
        request.etag = "of another call"
        future.add_done_callback(finished.put)
        assert future.add_callback(lambda: finished.put("ended"))
        assert servicer.started.wait(PATIENCE)
        with pytest.raises(grpc.FutureTimeoutError):
            future.result(timeout=PAUSE / 3)
        assert (future.done(), future.running(), future.is_active(), future.cancelled()) == (False, True, True, False)
        assert 20 < future.time_remaining() < 31
        assert future.result(PATIENCE) == RESPONSE
        assert (future.exception(), future.traceback()) == (None, None)
        assert (future.code(), future.details()) == (grpc.StatusCode.OK, "")
        assert (future.done(), future.running(), future.is_active(), future.cancelled()) == (True, False, False, False)
        assert (future.cancel(), future.add_callback(print)) == (False, False)
        assert {finished.get(timeout=PATIENCE), finished.get(timeout=PATIENCE)} == {future, "ended"}
    assert [call.request for call in servicer.received] == [REQUEST, REQUEST]


def test_a_call_of_a_repeated_write_is_that_of_its_last_attempt() -> None:
    with running_server(Canned(cancelled(0.001), RESPONSE)) as target, connect(target) as facade:
        response, call = facade.key_values.PutKey.with_call(REQUEST)
    assert response == RESPONSE
    assert isinstance(call, grpc.Call)
    assert (call.code(), tuple(call.trailing_metadata())) == (grpc.StatusCode.OK, ())


def test_a_future_that_fails_has_the_typed_error() -> None:
    with running_server(Canned(*[cancelled(0.001)] * 4)) as target, connect(target) as facade:
        future = facade.key_values.PutKey.future(REQUEST)
        error = future.exception(PATIENCE)
        assert isinstance(error, FacadeError)
        assert (error.code(), future.code(), future.details()) == (error.code(), grpc.StatusCode.CANCELLED, "stopping")
        assert not future.cancelled()


@pytest.mark.parametrize("during_pause", [False, True])
def test_a_future_that_its_caller_cancels_is_not_repeated(during_pause: bool) -> None:
    servicer = Canned(cancelled())
    if not during_pause:
        servicer.released.clear()
    finished: queue.Queue[Any] = queue.Queue()
    with running_server(servicer) as target, connect(target) as facade:
        future = facade.key_values.PutKey.future(REQUEST)
        future.add_done_callback(finished.put)
        assert servicer.started.wait(PATIENCE)
        if during_pause:
            time.sleep(PAUSE / 3)
        assert future.cancel()
        assert (future.cancelled(), future.done(), future.code()) == (True, True, grpc.StatusCode.CANCELLED)
        for read in (future.result, future.exception, future.traceback):
            with pytest.raises(grpc.FutureCancelledError):
                read(PATIENCE)
        assert finished.get(timeout=PATIENCE) is future
        assert methods_after(servicer, facade.key_values.GetKey) == ["PutKey", "GetKey"]


def test_a_future_that_its_caller_cancels_during_the_second_attempt_ends() -> None:
    servicer = Canned(cancelled(0.1))
    with running_server(servicer) as target, connect(target) as facade:
        future = facade.key_values.PutKey.future(REQUEST)
        assert servicer.started.wait(PATIENCE)
        servicer.released.clear()
        servicer.started.clear()
        assert servicer.started.wait(PATIENCE)
        assert future.cancel()
        with pytest.raises(grpc.FutureCancelledError):
            future.result(PATIENCE)
        assert methods_after(servicer, facade.key_values.GetKey) == ["PutKey", "PutKey", "GetKey"]


@pytest.mark.parametrize("during_pause", [False, True])
def test_a_task_that_its_caller_cancels_is_not_repeated(during_pause: bool) -> None:
    servicer = Canned(cancelled())
    if not during_pause:
        servicer.released.clear()

    async def cancel(target: str) -> None:
        async with aio.connect(target) as facade:
            call = facade.key_values.PutKey(REQUEST)
            task = asyncio.ensure_future(call)
            await asyncio.to_thread(servicer.started.wait, PATIENCE)
            if during_pause:
                await asyncio.sleep(PAUSE / 3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (call.cancelled(), call.done(), await call.code()) == (True, True, grpc.StatusCode.CANCELLED)
            servicer.released.set()
            await asyncio.sleep(PAUSE + 0.2)
            await facade.key_values.GetKey(GetKeyRequest())

    with running_server(servicer) as target:
        asyncio.run(cancel(target))
    assert [call.method for call in servicer.received] == ["PutKey", "GetKey"]


def test_a_task_that_its_caller_cancels_also_ends_on_the_server() -> None:
    ended = threading.Event()

    class Waiting(Canned):
        def PutKey(self, request: Any, context: Any) -> PutKeyResponse:  # noqa: N802
            context.add_callback(ended.set)
            self.started.set()
            ended.wait(PATIENCE)
            return PutKeyResponse()

    servicer = Waiting()

    async def cancel(target: str) -> None:
        async with aio.connect(target) as facade:
            call = facade.key_values.PutKey(REQUEST)
            task = asyncio.ensure_future(call)
            await asyncio.to_thread(servicer.started.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert await asyncio.to_thread(ended.wait, PATIENCE / 2), caught

    with running_server(servicer) as target:
        asyncio.run(cancel(target))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lets SIGINT raise KeyboardInterrupt. A shell disables that for background jobs."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("interruptible")
def test_a_call_that_is_interrupted_during_the_pause_is_not_repeated() -> None:
    servicer = Canned(cancelled())
    with running_server(servicer) as target, connect(target) as facade:

        def interrupt() -> None:
            servicer.started.wait()
            time.sleep(PAUSE / 3)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            facade.key_values.PutKey(REQUEST)
        interrupting.join()
        assert methods_after(servicer, facade.key_values.GetKey) == ["PutKey", "GetKey"]


@pytest.mark.parametrize("during_pause", [False, True])
def test_a_future_of_a_client_that_closes_ends_and_is_not_repeated(during_pause: bool) -> None:
    servicer = Canned(cancelled())
    if not during_pause:
        servicer.released.clear()
    with running_server(servicer) as target:
        facade = connect(target)
        future = facade.key_values.PutKey.future(REQUEST)
        assert servicer.started.wait(PATIENCE)
        if during_pause:
            time.sleep(PAUSE / 3)
        facade.close()
        check_cancelled(future.exception(PATIENCE))
        check_sent_once(servicer, target)


def test_a_future_whose_client_closes_when_it_is_to_be_repeated_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempts, "may_continue", lambda _: True)
    servicer = Canned(cancelled())
    with running_server(servicer) as target:
        with connect(target) as facade:
            future = facade.key_values.PutKey.future(REQUEST)
            assert servicer.started.wait(PATIENCE)
            time.sleep(PAUSE / 3)
        check_cancelled(future.exception(PATIENCE))


def test_a_call_whose_client_closes_during_the_pause_ends_and_is_not_repeated() -> None:
    servicer = Canned(cancelled())
    with running_server(servicer) as target, ThreadPoolExecutor() as pool:
        facade = connect(target)
        call = pool.submit(facade.key_values.PutKey, REQUEST)
        assert servicer.started.wait(PATIENCE)
        time.sleep(PAUSE / 3)
        facade.close()
        check_cancelled(call.exception(PATIENCE))
        check_sent_once(servicer, target)


@pytest.mark.parametrize(("during_pause", "grace"), [(False, None), (True, None), (True, 3 * PAUSE)])
def test_an_asyncio_call_whose_client_closes_ends_and_is_not_repeated(during_pause: bool, grace: float | None) -> None:
    servicer = Canned(cancelled())
    if not during_pause:
        servicer.released.clear()

    async def close(target: str) -> None:
        facade = aio.connect(target)
        channel: Any = facade.channel
        task = asyncio.ensure_future(facade.key_values.PutKey(REQUEST))
        await asyncio.to_thread(servicer.started.wait, PATIENCE)
        if during_pause:
            await asyncio.sleep(PAUSE / 3)
        await channel.close(grace)
        with pytest.raises(FacadeError if grace else asyncio.CancelledError) as caught:
            await asyncio.wait_for(task, PATIENCE)
        if grace:
            check_cancelled(caught.value)

    with running_server(servicer) as target:
        asyncio.run(close(target))
        check_sent_once(servicer, target)


@pytest.mark.parametrize("closed", [False, True])
def test_the_attempt_that_a_closing_client_cancels_is_the_last_one(closed: bool) -> None:
    repeats = Repeats(retry=True, options=[], is_closed=lambda: closed)
    attempts = repeats.attempts("/cloudfront_facade.v1.KeyValueStoreDataService/PutKey", REQUEST, 30.0)
    assert attempts
    assert (attempts.pause(grpc.StatusCode.CANCELLED, "", ()) is None) is closed


def check_cancelled(error: BaseException | None) -> None:
    assert isinstance(error, FacadeError)
    assert (error.code(), error.outcome) == (grpc.StatusCode.CANCELLED, "unknown")


def check_sent_once(servicer: Canned, target: str) -> None:
    with connect(target) as other:
        assert methods_after(servicer, other.key_values.GetKey) == ["PutKey", "GetKey"]
