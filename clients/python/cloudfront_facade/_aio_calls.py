"""Calls of asyncio whose failure is a `FacadeError`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio

from cloudfront_facade.errors import FacadeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Generator
    from typing import Self

_NO_ANSWER = "Internal error from Core"
"""What grpc.aio says where the sending of a request failed."""


@aio.UnaryUnaryCall.register
@aio.UnaryStreamCall.register
@aio.StreamUnaryCall.register
@aio.StreamStreamCall.register
class FacadeCall:
    """A call under way whose failure is a `FacadeError`; in all else it is gRPC's own."""

    def __init__(self, call: Any, request_id: str) -> None:
        self._call = call
        self._request_id = request_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._call.__await__())
        except grpc.RpcError as error:
            raise self._typed(error) from error

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            async for response in self._call:
                yield response
        except grpc.RpcError as error:
            raise self._typed(error) from error

    def _typed(self, error: grpc.RpcError) -> FacadeError:
        return FacadeError.of(error, self._request_id)


class FacadeStreamCall(FacadeCall):
    """A call with a stream of requests, whose failure is what the server answered.

    Where the answer comes while a request is being sent, grpc.aio puts an error of its own in its place (7 times of
    100, grpcio 1.85.1), and how many changes were applied would never be known.
    """

    def __init__(self, call: Any, request_id: str) -> None:
        super().__init__(call, request_id)
        self._answer: FacadeError | None = None
        call.add_done_callback(self._note)

    def _note(self, call: Any) -> None:
        """Keeps the answer. This is called at once for each of the two, and tasks only after both."""
        code, details, trailers = (_now(each) for each in (call.code(), call.details(), call.trailing_metadata()))
        if code and code is not grpc.StatusCode.OK and details != _NO_ANSWER:
            self._answer = FacadeError(code, details or "", trailers or (), self._request_id)

    def _typed(self, error: grpc.RpcError) -> FacadeError:
        typed = super()._typed(error)
        return self._answer if self._answer and typed.details() == _NO_ANSWER else typed


def _now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for; None where it has."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    except ValueError:  # of a client that is closed: the call did not begin
        return None
    coroutine.close()
    return None


def _expire(limit: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # what it limits is over too
        limit.reschedule(asyncio.get_running_loop().time())


class AioRequestWriter:
    """A call of asyncio, whose requests are made in the task of the caller. It ends with the `async with`."""

    def __init__(self, method: Any, timeout: float | None) -> None:
        self._call = FacadeStreamCall(method(timeout=timeout), "")

    @asynccontextmanager
    async def until_over(self) -> AsyncIterator[None]:
        """Ends what is in it when the call is over, whatever it waits for."""
        try:
            async with asyncio.timeout(None) as limit:
                self._call.add_done_callback(lambda _: _expire(limit))
                yield
        except TimeoutError:
            if not limit.expired():
                raise

    async def send(self, request: Any) -> bool:
        """Sends a request; False where the call is over, so that none is sent."""
        try:
            await self._call.write(request)
        except (asyncio.InvalidStateError, grpc.RpcError):
            return False
        return True

    async def response(self) -> Any:
        """Says that there are no more requests, and gives the response."""
        await self._call.done_writing()
        return await self._call

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._call.cancel()  # which does nothing to a call that is over
