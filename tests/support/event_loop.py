"""An event loop in a thread, for tests that call code that awaits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Final, TypeVar, cast

from cloudfront_facade_server.concurrency.greenlets import greenlet_spawn

T = TypeVar("T")


THREAD_NAME: Final = "event-loop"


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """Returns the loop; its thread ends with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=THREAD_NAME, daemon=True).start()
    return loop


def in_loop(function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
    """Runs a plain function that waits in the loop, and returns its result."""
    return asyncio.run_coroutine_threadsafe(greenlet_spawn(function, *arguments, **keywords), event_loop()).result()


class _Waiting:
    def __init__(self, backend: object) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.backend, name)
        if not callable(value):
            return value

        @wraps(value)
        def call(*arguments: Any, **keywords: Any) -> Any:
            return in_loop(value, *arguments, **keywords)

        return call


def waiting(backend: T) -> T:
    """Returns a backend whose methods can be called from any thread; they run in the loop."""
    return cast(T, _Waiting(backend))


def unwrapped(backend: T) -> T:
    """Returns the backend itself, for a server with its own loop."""
    return cast(T, backend.backend) if isinstance(backend, _Waiting) else backend
