"""Handles what never reaches a servicer: unknown methods, undecodable requests and exceptions outside servicers."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final

import grpc

from ..call_context import CallContext
from ..errors.facade_errors import internal, message_too_large, method_unknown, undecodable
from ..errors.status_error import StatusError
from .access_log import log_rpc

_MAX_OPERATION_CHARACTERS: Final = 64
"""Maximum length of a method's name in the log and in errors, because callers can send names of any length."""


class CatchAllInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server, so that no caller receives the text of an exception.

    Args:
        backend: The trailer that names the backend.
        message_limit: Returns the maximum size of a request in bytes, by the path of its method.

    Attributes:
        last_arrival: The monotonic time at which the last call arrived, including health and reflection calls.
    """

    def __init__(self, backend: tuple[str, str], message_limit: Callable[[str], int]) -> None:
        self._backend = backend
        self._message_limit = message_limit
        self.last_arrival = float("-inf")
        self._wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Returns the wrapped handler of a method."""
        self.last_arrival = time.monotonic()
        method = handler_call_details.method
        if (cached := self._wrapped.get(method)) is not None:
            return cached
        handler = await continuation(handler_call_details)
        if handler is None:
            return self._unknown(method)  # not cached, because callers can send any number of names
        self._wrapped[method] = wrapped = self._wrap(handler, method)
        return wrapped

    def _unknown(self, method: str) -> grpc.RpcMethodHandler[Any, Any]:
        async def reject(_requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> None:
            await self._fail(context, method, method_unknown(method), time.monotonic())

        return grpc.stream_stream_rpc_method_handler(reject)

    def _wrap(self, handler: grpc.RpcMethodHandler[Any, Any], method: str) -> grpc.RpcMethodHandler[Any, Any]:
        deserialize = _checked(handler.request_deserializer, self._message_limit(method))
        serialize = handler.response_serializer
        if handler.unary_unary:
            wrapped = self._unary(handler.unary_unary, method)
            return grpc.unary_unary_rpc_method_handler(wrapped, deserialize, serialize)
        if handler.unary_stream:
            wrapped = self._unary(handler.unary_stream, method)
            return grpc.unary_stream_rpc_method_handler(wrapped, deserialize, serialize)
        if handler.stream_unary:
            wrapped = self._stream_unary(handler.stream_unary, method)
            return grpc.stream_unary_rpc_method_handler(wrapped, deserialize, serialize)
        wrapped = self._stream_stream(handler.stream_stream, method)
        return grpc.stream_stream_rpc_method_handler(wrapped, deserialize, serialize)

    def _unary(self, behaviour: Any, method: str) -> Any:
        async def handle(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            arrived = time.monotonic()
            if isinstance(request, _UndecodableRequest):
                return await self._fail(context, method, request.error(), arrived)
            try:
                return await behaviour(request, context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (becomes INTERNAL)
                caught = error
            return await self._fail(context, method, caught, arrived)

        return handle

    def _stream_unary(self, behaviour: Any, method: str) -> Any:
        unary = self._unary(behaviour, method)

        async def handle(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            return await unary(_CheckedStream(requests), context)

        return handle

    def _stream_stream(self, behaviour: Any, method: str) -> Any:
        async def handle(
            requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            arrived = time.monotonic()
            try:
                async for response in behaviour(_CheckedStream(requests), context):
                    yield response
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (becomes INTERNAL)
                await self._fail(context, method, error, arrived)

        return handle

    async def _fail(
        self, context: grpc.aio.ServicerContext[Any, Any], method: str, error: Exception, arrived: float
    ) -> None:
        """Logs the rpc and aborts it with the status of an exception; an unexpected one becomes INTERNAL."""
        if isinstance(error, grpc.aio.InternalError) and context.done():
            # gRPC could not send the response, because the caller had gone.
            raise asyncio.CancelledError
        failure = error if isinstance(error, StatusError) else internal("unknown")
        operation = method.rpartition("/")[2][:_MAX_OPERATION_CHARACTERS]
        call = CallContext(operation, context.peer(), deadline=math.inf, outcome=failure.outcome)
        log_rpc(call, arrived, failure, error)
        trailers = (self._backend, *failure.trailing_metadata(operation))
        await context.abort(failure.code, failure.message, trailers)


class _UndecodableRequest:
    """Replaces a request that is too large or cannot be decoded."""

    def __init__(self, error: Callable[[], StatusError]) -> None:
        self.error = error


def _checked(deserialize: Callable[[bytes], Any] | None, limit: int) -> Callable[[bytes], Any] | None:
    """Returns a deserializer that never raises, because gRPC would send the exception's text to the caller."""
    if deserialize is None:
        return None

    def checked(content: bytes) -> Any:
        if len(content) > limit:
            return _UndecodableRequest(partial(message_too_large, len(content), limit))
        try:
            return deserialize(content)
        except Exception:  # noqa: BLE001 (the exception depends on the protobuf implementation)
            return _UndecodableRequest(undecodable)

    return checked


class _CheckedStream:
    """A stream of requests that raises StatusError if a request is undecodable."""

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._requests = requests

    def __aiter__(self) -> _CheckedStream:
        return self

    async def __anext__(self) -> Any:
        request = await anext(self._requests)
        if isinstance(request, _UndecodableRequest):
            raise request.error()
        return request
