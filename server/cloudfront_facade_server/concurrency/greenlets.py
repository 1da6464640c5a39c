"""Greenlets: plain functions that wait in the event loop.

A servicer method is a plain function, and so is everything it calls, boto3 included. It runs in the thread of the event
loop, as a greenlet: to wait for CloudFront's response or for a timer, it passes an awaitable to the event loop with
`await_` and is suspended. It is resumed with the result; in the meantime, the event loop does other work. So a waiting
call needs no thread, a rejected request needs no thread switch, and two calls never run in parallel.

`greenlet_spawn` and `await_` have the names of SQLAlchemy's functions, whose asyncio API works in the same way.
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
"""Maximum number of idle greenlets kept for reuse."""


class PooledGreenlet(greenlet):
    """A greenlet of a `GreenletPool`, which runs one function after another.

    Attributes:
        awaits: The awaitable that the function is suspended on; None when the function has ended.
        result: What the function returned.
        failure: What the function raised, or None.
    """

    def __init__(self) -> None:
        super().__init__(_run_functions)
        self.awaits: Awaitable[Any] | None = None
        self.result: Any = None
        self.failure: BaseException | None = None
        self.switch()


class GreenletPool:
    """Runs plain functions in an event loop, each in a reused greenlet.

    The stack of each new greenlet is memory that is mapped, and unmapped at its end. Without reuse, this would take a
    tenth of the time that the rejection of a request takes.
    """

    def __init__(self) -> None:
        self._idle: list[PooledGreenlet] = []

    def start(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T | PooledGreenlet:
        """Runs a function until it ends or is suspended for the first time.

        Returns:
            The function's result; or its suspended greenlet, which `join` runs until it ends.
        """
        running = self._idle.pop() if self._idle else PooledGreenlet()
        running.gr_context = copy_context()
        running.switch(partial(function, *arguments, **keywords))
        return cast(T, self._end(running)) if running.awaits is None else running

    async def join(self, suspended: PooledGreenlet) -> Any:
        """Resumes a suspended function with each result that it awaits, until it ends; returns its result."""
        while suspended.awaits is not None:
            try:
                value = await suspended.awaits
            except BaseException as error:  # noqa: BLE001 (raised again inside the function, by await_)
                suspended.throw(type(error), error, error.__traceback__)
            else:
                suspended.switch(value)
        return self._end(suspended)

    def _end(self, ended: PooledGreenlet) -> Any:
        """Keeps the greenlet for reuse, and returns its function's result or raises its exception."""
        result, failure = ended.result, ended.failure
        ended.result = ended.failure = None
        if len(self._idle) < _MAX_IDLE_GREENLETS:
            self._idle.append(ended)
        if failure is None:
            return result
        try:
            raise failure
        finally:
            del failure  # its traceback refers to this frame


# The local variables of an idle greenlet keep objects alive. So these functions hold nothing in variables while the
# greenlet is idle, not even the greenlet itself.


def _run_functions() -> None:
    while True:
        _run(_next())


def _next() -> Callable[[], Any]:
    return cast(Callable[[], Any], cast(greenlet, getcurrent().parent).switch())


def _run(function: Callable[[], Any]) -> None:
    result, failure = None, None
    try:
        result = function()
    except GreenletExit:
        raise  # the greenlet is being freed with its pool
    except BaseException as error:  # noqa: BLE001 (raised again by GreenletPool)
        failure = error
    current = cast(PooledGreenlet, getcurrent())
    current.awaits, current.result, current.failure = None, result, failure


async def greenlet_spawn(function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
    """Runs a plain function, which may call `await_`, in a new greenlet and returns its result."""
    pool = GreenletPool()
    started = pool.start(function, *arguments, **keywords)
    return cast(T, await pool.join(started)) if isinstance(started, PooledGreenlet) else started


def await_(awaitable: Awaitable[T]) -> T:
    """Suspends the running function until an awaitable completes, and returns its result.

    Raises:
        RuntimeError: The function was started neither by `GreenletPool` nor by `greenlet_spawn`.
    """
    current = getcurrent()
    if isinstance(current, PooledGreenlet) and current.parent:
        current.awaits = awaitable
        return cast(T, current.parent.switch())
    if asyncio.iscoroutine(awaitable):
        awaitable.close()  # otherwise Python warns that it was never awaited
    raise RuntimeError("await_ was called outside a greenlet; start the function with greenlet_spawn")


def sleep(seconds: float) -> None:
    """Suspends the running function for this number of seconds."""
    await_(asyncio.sleep(seconds))


def checkpoint() -> None:
    """Lets the event loop do other work. A long computation calls this repeatedly."""
    sleep(0)


def run_in_daemon_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Runs a function that may block forever in a daemon thread, which does not keep the process from exiting."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(cast(T, result))

    def work() -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 (raised where the future is awaited)
            failure = error
        with suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name=function.__name__, daemon=True).start()
    return future
