"""Writes a stream of requests, for the asyncio client."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade._aio_calls import FacadeStreamCall
from cloudfront_facade._sending import Sending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self


class AioRequestWriter:
    """An asyncio call whose requests are produced in the caller's task. It ends with the `async with`."""

    def __init__(self, method: Any, timeout: float | None) -> None:
        self._call = FacadeStreamCall(method(timeout=timeout), Sending())

    @asynccontextmanager
    async def until_done(self) -> AsyncIterator[None]:
        """Interrupts the body of the `async with` when the call ends."""
        try:
            async with asyncio.timeout(None) as limit:
                self._call.add_done_callback(lambda _: _expire(limit))
                yield
        except TimeoutError:
            if not limit.expired():
                raise

    async def write(self, request: Any) -> bool:
        """Sends a request. Returns False, and sends nothing, if the call ended."""
        try:
            await self._call.write(request)
        except (asyncio.InvalidStateError, grpc.RpcError):
            return False
        return True

    async def response(self) -> Any:
        """Ends the stream of requests and returns the response."""
        await self._call.done_writing()
        return await self._call

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._call.cancel()  # does nothing if the call has ended


def _expire(limit: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # the body has ended too
        limit.reschedule(asyncio.get_running_loop().time())
