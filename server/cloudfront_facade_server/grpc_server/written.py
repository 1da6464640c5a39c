"""Turns a handler that writes its responses into one that yields them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any


async def written_responses(write: Callable[[NewestResponse], Awaitable[None]]) -> AsyncIterator[Any]:
    """Yields what a handler writes; if several responses wait to be sent, only the newest.

    The handler never waits until a response is sent. A handler may hold a lock while it writes, as the health watches
    of a service do, so one caller that does not read would stop all others.

    Args:
        write: Runs the handler until it ends.
    """
    newest = NewestResponse()
    writing = asyncio.ensure_future(write(newest))
    writing.add_done_callback(newest.wake_up)
    try:
        while not writing.done() or newest.is_set:
            if newest.is_set:
                yield newest.take()
            else:
                await newest.changed()
        await writing
    finally:
        writing.cancel()


class NewestResponse:
    """The newest response of a handler, which writes to it as to a ServicerContext."""

    def __init__(self) -> None:
        self._responses: list[Any] = []
        self._changed = asyncio.Event()

    async def write(self, response: Any) -> None:
        """Replaces the response."""
        self._responses = [response]
        self._changed.set()

    @property
    def is_set(self) -> bool:
        """Whether there is a response that was not taken."""
        return bool(self._responses)

    def take(self) -> Any:
        """Removes and returns the response."""
        return self._responses.pop()

    async def changed(self) -> None:
        """Waits for the next response, or the end of the handler."""
        self._changed.clear()
        await self._changed.wait()

    def wake_up(self, _ended: object) -> None:
        """Ends `changed`, because no further response comes."""
        self._changed.set()
