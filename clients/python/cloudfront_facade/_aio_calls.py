"""Wraps asyncio calls so that they fail with `FacadeError`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio

from cloudfront_facade._sending import Sending
from cloudfront_facade.errors import FacadeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Generator

    from cloudfront_facade._repeats import Attempts
    from cloudfront_facade._request_checks import CheckedRequests

_WRITE_FAILED = "Internal error from Core"
"""The details that grpc.aio reports if sending a request failed."""


@aio.UnaryUnaryCall.register
@aio.UnaryStreamCall.register
@aio.StreamUnaryCall.register
@aio.StreamStreamCall.register
class FacadeCall:
    """A call in flight that fails with `FacadeError`. Everything else is gRPC's."""

    def __init__(self, call: Any, sending: Sending, request_id: str = "") -> None:
        self._call = call
        self._sending = sending
        self._request_id = request_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._call.__await__())
        except grpc.RpcError as error:
            raise self._translate(error) from error

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            async for response in self._call:
                yield response
        except grpc.RpcError as error:
            raise self._translate(error) from error

    def _translate(self, error: grpc.RpcError) -> FacadeError:
        return FacadeError.of(error, self._request_id, sending=self._sending)


class RepeatedCall(FacadeCall):
    """The last attempt of a call that may be sent again."""

    def __init__(self, call: Any, attempts: Attempts) -> None:
        super().__init__(call, attempts.sending)
        self._attempts = attempts

    def _translate(self, error: grpc.RpcError) -> FacadeError:
        return self._attempts.error(error)


class FacadeStreamCall(FacadeCall):
    """A call with a stream of requests, which fails with the server's status.

    If the server responds while a request is being sent, grpc.aio may replace the status with its own error (7 of 100
    calls, grpcio 1.85.1). The number of applied changes would be lost.
    """

    def __init__(
        self, call: Any, sending: Sending, request_id: str = "", requests: CheckedRequests | None = None
    ) -> None:
        super().__init__(call, sending, request_id)
        self._requests = requests
        self._status: FacadeError | None = None
        call.add_done_callback(self._keep_status)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from super().__await__())
        except asyncio.CancelledError:
            self._raise_request_error()
            raise

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            async for response in super().__aiter__():
                yield response
        except asyncio.CancelledError:
            self._raise_request_error()
            raise

    def _raise_request_error(self) -> None:
        """Raises the error of an invalid request, because grpc.aio only cancels the call."""
        if self._requests and self._requests.error:
            raise self._requests.error from None

    def _keep_status(self, call: Any) -> None:
        """Keeps the server's status. gRPC runs this callback for it and for its own error, before it resumes a task."""
        code, details, trailers = (_result(value) for value in (call.code(), call.details(), call.trailing_metadata()))
        if code and code is not grpc.StatusCode.OK and details != _WRITE_FAILED:
            sent = self._sending.may_be_processed(code, details, trailers)
            self._status = FacadeError(code, details or "", trailers or (), self._request_id, sent)

    def _translate(self, error: grpc.RpcError) -> FacadeError:
        translated = super()._translate(error)
        return self._status if self._status and translated.details() == _WRITE_FAILED else translated


def _result(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Returns the result of a coroutine that does not have to wait; None if it has to."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    except (TypeError, ValueError):  # the request was invalid or the client closed, so the call did not start
        return None
    coroutine.close()
    return None
