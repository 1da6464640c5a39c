"""Plain functions that wait in the event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import traceback
import weakref
from contextlib import nullcontext, suppress
from contextvars import ContextVar

import pytest
from greenlet import getcurrent

from cloudfront_facade_server.concurrency.greenlets import (
    GreenletPool,
    PooledGreenlet,
    await_,
    greenlet_spawn,
    run_in_daemon_thread,
    sleep,
)


def test_a_function_that_never_waits_ends_where_it_begins() -> None:
    pool = GreenletPool()
    assert pool.start(lambda word: word.upper(), "done") == "DONE"
    with pytest.raises(LookupError):
        pool.start(dict[str, str]().__getitem__, "missing")


def test_one_stack_serves_functions_that_end_before_the_next_one_begins() -> None:
    pool = GreenletPool()
    used: set[object] = set()

    def work(*, fail: bool, pause: bool) -> None:
        used.add(getcurrent())
        if pause:
            sleep(0)
        if fail:
            raise LookupError

    async def attempt(*, fail: bool, pause: bool) -> None:
        begun = pool.start(work, fail=fail, pause=pause)
        if isinstance(begun, PooledGreenlet):
            await pool.join(begun)

    async def main() -> None:
        for pause in (False, True):
            for fail in (True, False):
                with pytest.raises(LookupError) if fail else nullcontext():
                    await attempt(fail=fail, pause=pause)

    asyncio.run(main())
    assert len(used) == 1


def test_a_kept_stack_keeps_nothing_of_what_ran_on_it() -> None:
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


def test_stacks_end_with_their_keeper() -> None:
    pool = GreenletPool()
    used = pool.start(lambda: weakref.ref(getcurrent()))
    assert not isinstance(used, PooledGreenlet)
    assert used() is not None
    del pool
    assert used() is None


def test_functions_that_wait_take_turns_in_one_thread() -> None:
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


def test_what_goes_wrong_is_raised_where_the_function_waits_with_its_trace() -> None:
    async def fail() -> None:
        raise LookupError

    def work() -> str:
        try:
            await_(fail())
        except LookupError as error:
            return traceback.extract_tb(error.__traceback__)[-1].name
        return "nothing"

    assert asyncio.run(greenlet_spawn(work)) == "fail"


def test_a_function_whose_task_is_cancelled_is_left_in_order() -> None:
    left: list[str] = []

    def work() -> None:
        try:
            sleep(60)
        finally:
            left.append("left")

    async def main() -> None:
        pool = GreenletPool()
        begun = pool.start(work)
        assert isinstance(begun, PooledGreenlet)
        task = asyncio.create_task(pool.join(begun))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert left == ["left"]


def test_a_function_sees_what_its_caller_set_and_what_it_sets_stays_its_own() -> None:
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


def test_without_a_loop_nothing_waits() -> None:
    future: asyncio.Future[None] = asyncio.Future(loop=asyncio.new_event_loop())
    with pytest.raises(RuntimeError, match="no event loop"):
        await_(future)
    future.get_loop().close()


def test_what_blocks_does_not_hold_up_the_loop() -> None:
    async def main() -> float:
        blocked = asyncio.create_task(greenlet_spawn(lambda: await_(run_in_daemon_thread(lambda: time.sleep(0.3)))))
        started = time.monotonic()
        await asyncio.sleep(0.01)
        late = time.monotonic() - started
        await blocked
        return late

    assert asyncio.run(main()) < 0.2


def test_what_hangs_does_not_hold_up_the_end() -> None:
    release = threading.Event()

    async def main() -> None:
        await asyncio.wait({run_in_daemon_thread(release.wait)}, timeout=0.01)

    started = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - started < 2
    release.set()
