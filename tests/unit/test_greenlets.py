"""Greenlets: plain functions that wait in the event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from contextlib import nullcontext, suppress
from contextvars import ContextVar

import pytest
from greenlet import getcurrent

from cloudfront_facade_server.concurrency.greenlets import (
    GreenletPool,
    PooledGreenlet,
    await_,
    checkpoint,
    greenlet_spawn,
    run_in_daemon_thread,
    sleep,
)


def test_a_function_that_never_waits_returns_from_start() -> None:
    pool = GreenletPool()
    assert pool.start(lambda word: word.upper(), "done") == "DONE"
    with pytest.raises(LookupError):
        pool.start(dict[str, str]().__getitem__, "missing")


def test_sequential_functions_reuse_one_greenlet() -> None:
    pool = GreenletPool()
    used: set[object] = set()

    def work(*, fail: bool, pause: bool) -> None:
        used.add(getcurrent())
        if pause:
            sleep(0)
        if fail:
            raise LookupError

    async def attempt(*, fail: bool, pause: bool) -> None:
        started = pool.start(work, fail=fail, pause=pause)
        if isinstance(started, PooledGreenlet):
            await pool.join(started)

    async def main() -> None:
        for pause in (False, True):
            for fail in (True, False):
                with pytest.raises(LookupError) if fail else nullcontext():
                    await attempt(fail=fail, pause=pause)

    asyncio.run(main())
    assert len(used) == 1


def test_an_idle_greenlet_keeps_no_reference_to_its_last_function() -> None:
    class Request:
        pass

    pool = GreenletPool()

    def fail(_request: Request) -> None:
        raise LookupError

    for function in (id, fail):
        request = Request()
        gone = weakref.ref(request)
        with suppress(LookupError):
            pool.start(function, request)
        del request
        gc.collect()
        assert gone() is None


def test_greenlets_are_freed_with_their_pool() -> None:
    pool = GreenletPool()
    used = pool.start(lambda: weakref.ref(getcurrent()))
    assert not isinstance(used, PooledGreenlet)
    assert used() is not None
    del pool
    assert used() is None


def test_waiting_functions_interleave_in_one_thread() -> None:
    events: list[tuple[str, int]] = []

    def work(name: str) -> str:
        for step in range(3):
            events.append((name, step))
            sleep(0.01)
        return name + threading.current_thread().name

    async def main() -> list[str]:
        return list(await asyncio.gather(greenlet_spawn(work, "a"), greenlet_spawn(work, "b")))

    assert asyncio.run(main()) == ["aMainThread", "bMainThread"]
    assert events == [(name, step) for step in range(3) for name in "ab"]


def test_await_raises_the_exception_of_the_awaitable_with_its_traceback() -> None:
    async def fail() -> None:
        raise LookupError

    def work() -> str:
        try:
            await_(fail())
        except LookupError as error:
            return traceback.extract_tb(error.__traceback__)[-1].name
        return "nothing"

    assert asyncio.run(greenlet_spawn(work)) == "fail"


def test_cancelling_the_task_runs_the_functions_finally_blocks() -> None:
    closed: list[str] = []

    def work() -> None:
        try:
            sleep(60)
        finally:
            closed.append("closed")

    async def main() -> None:
        pool = GreenletPool()
        started = pool.start(work)
        assert isinstance(started, PooledGreenlet)
        task = asyncio.create_task(pool.join(started))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert closed == ["closed"]


def test_a_function_runs_in_a_copy_of_its_callers_context() -> None:
    caller: ContextVar[str] = ContextVar("caller", default="nobody")

    def work(name: str) -> list[str]:
        seen = [caller.get()]
        caller.set(f"{name} within")
        sleep(0.01)
        return [*seen, caller.get()]

    async def call(name: str) -> tuple[list[str], str]:
        caller.set(name)
        return await greenlet_spawn(work, name), caller.get()

    async def main() -> list[tuple[list[str], str]]:
        return list(await asyncio.gather(call("a"), call("b")))

    assert asyncio.run(main()) == [(["a", "a within"], "a"), (["b", "b within"], "b")]


def test_await_outside_a_greenlet_raises() -> None:
    future: asyncio.Future[None] = asyncio.Future(loop=asyncio.new_event_loop())
    with pytest.raises(RuntimeError, match="outside a greenlet; start the function with greenlet_spawn"):
        await_(future)
    future.get_loop().close()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("wait", [lambda: await_(asyncio.sleep(1)), lambda: sleep(1), checkpoint])
def test_await_outside_a_greenlet_closes_its_coroutine(wait: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="outside a greenlet"):
        wait()
    gc.collect()  # would report a coroutine that was never awaited


@pytest.mark.filterwarnings("error")
def test_await_in_a_coroutine_of_the_event_loop_raises_and_closes_its_coroutine() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="outside a greenlet"):
            await_(asyncio.sleep(1))

    asyncio.run(main())
    gc.collect()


def test_a_blocking_function_in_a_daemon_thread_does_not_block_the_event_loop() -> None:
    release = threading.Event()

    async def main() -> bool:
        blocked = asyncio.create_task(greenlet_spawn(lambda: await_(run_in_daemon_thread(lambda: release.wait(20)))))
        await asyncio.sleep(0.01)
        release.set()
        return await blocked

    assert asyncio.run(main()) is True


def test_a_hanging_daemon_thread_does_not_delay_the_end_of_the_event_loop() -> None:
    release = threading.Event()

    async def main() -> None:
        await asyncio.wait({run_in_daemon_thread(release.wait)}, timeout=0.01)

    before = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - before < 2
    release.set()
