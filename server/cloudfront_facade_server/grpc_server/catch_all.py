"""Answers what never reaches a servicer: unknown methods, bytes that are no message, and faults outside servicers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import grpc
import structlog

from ..errors.facade_errors import internal, message_too_large, method_unknown, unreadable
from ..errors.status_error import StatusError
from ..logs import exception_location

_log = structlog.get_logger()


class CatchAllInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server, so that no exception's text reaches a caller.

    Args:
        backend: the metadata that names the backend, for the trailers.
        message_limit: gives the most bytes of a request of a method, by its path.

    Attributes:
        last_arrival: the monotonic time at which the last call came, one of health or reflection included.
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
        """Gives the wrapped handler of a method."""
        self.last_arrival = time.monotonic()
        method = handler_call_details.method
        if (known := self._wrapped.get(method)) is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None:
            return self._unknown(method)  # never kept: callers can invent any number of them
        self._wrapped[method] = wrapped = self._wrap(handler, method)
        return wrapped

    def _unknown(self, method: str) -> grpc.RpcMethodHandler[Any, Any]:
        async def refuse(_requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> None:
            await self._abort(context, method, method_unknown(method))

        return grpc.stream_stream_rpc_method_handler(refuse)

    def _wrap(self, handler: grpc.RpcMethodHandler[Any, Any], method: str) -> grpc.RpcMethodHandler[Any, Any]:
        read = _readable(handler.request_deserializer, self._message_limit(method))
        write = handler.response_serializer
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._unary(handler.unary_unary, method), read, write)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(self._unary(handler.unary_stream, method), read, write)
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(self._gathering(handler.stream_unary, method), read, write)
        return grpc.stream_stream_rpc_method_handler(self._stream(handler.stream_stream, method), read, write)

    def _unary(self, behaviour: Any, method: str) -> Any:
        async def handle(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            if isinstance(request, _UndecodableRequest):
                return await self._abort(context, method, request.why())
            try:
                return await behaviour(request, context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (the last resort)
                failure = error
            return await self._fault(context, method, failure)

        return handle

    def _gathering(self, behaviour: Any, method: str) -> Any:
        unary = self._unary(behaviour, method)

        async def handle(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            return await unary(_CheckedStream(requests), context)

        return handle

    def _stream(self, behaviour: Any, method: str) -> Any:
        async def handle(
            requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            try:
                async for response in behaviour(_CheckedStream(requests), context):
                    yield response
            except grpc.aio.AbortError:
                raise
            except StatusError as error:
                await self._abort(context, method, error)
            except Exception as error:  # noqa: BLE001 (the last resort)
                await self._fault(context, method, error)

        return handle

    async def _fault(self, context: grpc.aio.ServicerContext[Any, Any], method: str, error: Exception) -> None:
        if isinstance(error, grpc.aio.InternalError) and context.done():
            # gRPC itself failed, for the caller went away while it was answered: nobody is there to be told.
            raise asyncio.CancelledError
        _log.error("fault", method=method, **exception_location(error))
        await self._abort(context, method, internal("unknown"))

    async def _abort(self, context: grpc.aio.ServicerContext[Any, Any], method: str, failure: StatusError) -> None:
        operation = method.rpartition("/")[2][:64]
        _log.info(
            "rpc",
            method=operation,
            caller=context.peer(),
            status=failure.code.name,
            reason=failure.reason,
            outcome=failure.outcome,
        )
        trailers = (self._backend, *failure.trailing_metadata(operation))
        await context.abort(failure.code, failure.message, trailers)


class _UndecodableRequest:
    """What stands for a request that could not be read."""

    def __init__(self, why: Callable[[], StatusError]) -> None:
        self.why = why


def _readable(deserialize: Callable[[bytes], Any] | None, limit: int) -> Callable[[bytes], Any] | None:
    if deserialize is None:
        return None

    def read(content: bytes) -> Any:
        if len(content) > limit:
            return _UndecodableRequest(partial(message_too_large, len(content), limit))
        try:
            return deserialize(content)
        except Exception:  # noqa: BLE001 (protobuf's runtimes raise different ones)
            return _UndecodableRequest(unreadable)

    return read


class _CheckedStream:
    """A stream of requests that ends with StatusError where one cannot be read."""

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._requests = requests

    def __aiter__(self) -> _CheckedStream:
        return self

    async def __anext__(self) -> Any:
        request = await anext(self._requests)
        if isinstance(request, _UndecodableRequest):
            raise request.why()
        return request
