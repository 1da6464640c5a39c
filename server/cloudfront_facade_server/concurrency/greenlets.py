"""Plain functions that wait in the event loop.

A servicer is a plain function, and so is all that it calls, boto3 included. It runs in the event loop's own thread, as
a greenlet: where it has to wait, for CloudFront's answer or for time to pass, it hands an awaitable to the loop and
stands still until there is a result, while the loop does other work. So a call that waits costs no thread, a refusal
no change of threads, and no two calls ever run at the same instant.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar, cast

from greenlet import GreenletExit, getcurrent, greenlet

P = ParamSpec("P")
T = TypeVar("T")


_MAX_IDLE_GREENLETS: Final = 64
"""Stacks that wait for their next function: as many as are seldom needed at once."""


class PooledGreenlet(greenlet):
    """A stack for plain functions, while one of them waits on it.

    Attributes:
        awaits: what the function waits for; None once it has ended.
        result: what it gave.
        failure: what it raised, else None.
    """

    def __init__(self) -> None:
        super().__init__(_run_one_after_another)
        self.awaits: Awaitable[Any] | None = None
        self.result: Any = None
        self.failure: BaseException | None = None
        self.switch()


class GreenletPool:
    """Runs the plain functions of an event loop, each on a stack that others have used before.

    Python maps memory for a new stack and unmaps it at the end, which takes a tenth of the time of a refusal.
    """

    def __init__(self) -> None:
        self._idle: list[PooledGreenlet] = []

    def start(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T | PooledGreenlet:
        """Runs a function until it ends, and gives its result; or until it waits, for `finish` to run it on."""
        stack = self._idle.pop() if self._idle else PooledGreenlet()
        stack.gr_context = copy_context()
        stack.switch(partial(function, *arguments, **keywords))
        return cast(T, self._end(stack)) if stack.awaits is None else stack

    async def join(self, waiting: PooledGreenlet) -> Any:
        """Runs a function that waits to its end, and gives its result."""
        while waiting.awaits is not None:
            try:
                value = await waiting.awaits
            except BaseException as error:  # noqa: BLE001 (it is raised where the function waits)
                waiting.throw(type(error), error, error.__traceback__)
            else:
                waiting.switch(value)
        return self._end(waiting)

    def _end(self, stack: PooledGreenlet) -> Any:
        """Gives what the function gave, or raises what it raised, and keeps the stack for the next one."""
        result, failure = stack.result, stack.failure
        stack.result = stack.failure = None
        if len(self._idle) < _MAX_IDLE_GREENLETS:
            self._idle.append(stack)
        if failure is None:
            return result
        try:
            raise failure
        finally:
            del failure  # its trace has this frame in it


# What a stack has in its variables while it is kept is kept too, so these have none: not even the stack itself.


def _run_one_after_another() -> None:
    while True:
        _run(_next())


def _next() -> Callable[[], Any]:
    return cast(Callable[[], Any], cast(greenlet, getcurrent().parent).switch())


def _run(function: Callable[[], Any]) -> None:
    result, failure = None, None
    try:
        result = function()
    except GreenletExit:
        raise  # nobody waits for it any more
    except BaseException as error:  # noqa: BLE001 (it is raised by `Stacks`)
        failure = error
    stack = cast(PooledGreenlet, getcurrent())
    stack.awaits, stack.result, stack.failure = None, result, failure


async def greenlet_spawn(function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
    """Runs a plain function, waits of it included, and gives its result."""
    pool = GreenletPool()
    begun = pool.start(function, *arguments, **keywords)
    return cast(T, await pool.join(begun)) if isinstance(begun, PooledGreenlet) else begun


def await_(awaitable: Awaitable[T]) -> T:
    """Waits for an awaitable, in a function that `Stacks` or `run` runs; raises RuntimeError in any other."""
    current = getcurrent()
    if isinstance(current, PooledGreenlet) and current.parent:
        current.awaits = awaitable
        return cast(T, current.parent.switch())
    raise RuntimeError("there is no event loop to wait in")


def sleep(seconds: float) -> None:
    """Waits so many seconds."""
    await_(asyncio.sleep(seconds))


def checkpoint() -> None:
    """Lets the loop do other work, in a function that computes for long."""
    sleep(0)


def run_in_daemon_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Runs what may hang for ever in a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.cancelled():
            return
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(cast(T, result))

    def work() -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 (it is raised where it is waited for)
            failure = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name=function.__name__, daemon=True).start()
    return answer
