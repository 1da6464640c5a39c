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
from typing import Any, ParamSpec, TypeVar, cast

from greenlet import getcurrent, greenlet

P = ParamSpec("P")
T = TypeVar("T")


class Waiting(greenlet):
    """A plain function that waits.

    Attributes:
        awaits: what for.
    """

    awaits: Awaitable[Any]


def begin(function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T | Waiting:
    """Runs a plain function until it ends, and gives its result; or until it waits, for `finish` to run it on."""
    running = Waiting(function)
    value = running.switch(*arguments, **keywords)
    if running.dead:
        return cast(T, value)
    running.awaits = value
    return running


async def finish(waiting: Waiting) -> Any:
    """Runs a function that waits to its end, and gives its result."""
    while not waiting.dead:
        try:
            value = await waiting.awaits
        except BaseException as error:  # noqa: BLE001 (it is raised where the function waits)
            value = waiting.throw(type(error), error, error.__traceback__)
        else:
            value = waiting.switch(value)
        waiting.awaits = value
    return value


async def run(function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
    """Runs a plain function, waits of it included, and gives its result."""
    begun = begin(function, *arguments, **keywords)
    return cast(T, await finish(begun)) if isinstance(begun, Waiting) else begun


def wait(awaitable: Awaitable[T]) -> T:
    """Waits for an awaitable, in a function that was begun here; raises RuntimeError in any other."""
    current = getcurrent()
    if isinstance(current, Waiting) and current.parent:
        return cast(T, current.parent.switch(awaitable))
    raise RuntimeError("there is no event loop to wait in")


def sleep(seconds: float) -> None:
    """Waits so many seconds."""
    wait(asyncio.sleep(seconds))


def in_daemon_thread(function: Callable[[], T]) -> asyncio.Future[T]:
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
