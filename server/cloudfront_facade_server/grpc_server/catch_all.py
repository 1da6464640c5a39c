"""Handles what never reaches a servicer: unknown methods, undecodable requests and exceptions outside servicers."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import grpc

from ..call_context import CallContext
from ..concurrency.fair_semaphore import FairSemaphore, Holder
from ..errors.facade_errors import internal, method_unknown, no_message, stream_stalled
from ..errors.status_error import StatusError
from .access_log import log_rpc
from .decoder import Decoder, LargeMessages, MessageLimits
from .receive_places import Fail
from .receiver import Context, Kind, Receiver
from .request_memory import size_of
from .request_stream import CANCELLATION_DELAY_SECONDS
from .status import drop_frames

_CONCURRENT_FAILURES: Final = 16
_FAILURE_SECONDS: Final = 0.02
"""How long each failure keeps its turn.

A caller that sends only garbage, on hundreds of streams, would otherwise keep the event loop busy.
"""

_MAX_WAITING_FAILURES: Final = 10_000
_MAX_FAILURE_WAIT_SECONDS: Final = 5.0

_HEALTH_CHECK: Final = "/grpc.health.v1.Health/Check"

_MAX_OPERATION_CHARACTERS: Final = 64
"""Maximum length of a method's name in the log and in errors, because callers can send names of any length."""


class CatchAllInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server, so that no caller receives the text of an exception.

    Args:
        backend: The trailer that names the backend.
        receiver: Receives the messages.
        message_limits: Returns the limits of the messages of a method, by its path.

    Attributes:
        last_arrival: The monotonic time at which the last call arrived, including health and reflection calls.
    """

    def __init__(
        self, backend: tuple[str, str], receiver: Receiver, message_limits: Callable[[str], MessageLimits]
    ) -> None:
        self._backend = backend
        self._receiver = receiver
        self._message_limits = message_limits
        self._large_messages = LargeMessages()
        self._failures = FairSemaphore(_CONCURRENT_FAILURES, _MAX_WAITING_FAILURES)
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
        async def reject(_requests: AsyncIterator[Any], context: Context) -> None:
            await self._fail(context, method, method_unknown(method), time.monotonic())

        return grpc.stream_stream_rpc_method_handler(reject)

    def _wrap(self, handler: grpc.RpcMethodHandler[Any, Any], method: str) -> grpc.RpcMethodHandler[Any, Any]:
        # All methods are streams of bytes for gRPC, which is the same on the wire. So a message is read only when the
        # receiver asks, and a missing one is noticed.
        kind = Kind.HEALTH_CHECK if method == _HEALTH_CHECK else Kind.CALL
        messages = partial(_Messages, self._receiver, kind, self._decoder(handler, method), handler.request_streaming)
        serialize = handler.response_serializer
        if handler.unary_unary:
            wrapped = self._unary(_first(handler.unary_unary), messages, method)
            return grpc.stream_unary_rpc_method_handler(wrapped, None, serialize)
        if handler.unary_stream:
            wrapped = self._unary(_first(handler.unary_stream), messages, method)
            return grpc.stream_stream_rpc_method_handler(wrapped, None, serialize)
        if handler.stream_unary:
            wrapped = self._unary(handler.stream_unary, messages, method)
            return grpc.stream_unary_rpc_method_handler(wrapped, None, serialize)
        wrapped = self._stream_stream(handler.stream_stream, messages, method)
        return grpc.stream_stream_rpc_method_handler(wrapped, None, serialize)

    def _decoder(self, handler: grpc.RpcMethodHandler[Any, Any], method: str) -> Decoder:
        return Decoder(handler.request_deserializer, self._message_limits(method), self._large_messages)

    def _unary(self, behaviour: Any, messages: Any, method: str) -> Any:
        async def handle(_requests: Any, context: Context) -> Any:
            arrived = time.monotonic()
            requests = messages(partial(self._end, context, method, arrived), context)
            try:
                return await behaviour(requests, context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (becomes INTERNAL)
                caught = error
            finally:
                requests.close()
            return await self._fail(context, method, caught, arrived)

        return handle

    def _stream_stream(self, behaviour: Any, messages: Any, method: str) -> Any:
        async def handle(_requests: Any, context: Context) -> AsyncIterator[Any]:
            arrived = time.monotonic()
            requests = messages(partial(self._end, context, method, arrived), context)
            try:
                async for response in behaviour(requests, context):
                    yield response
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (becomes INTERNAL)
                await self._fail(context, method, error, arrived)
            finally:
                requests.close()

        return handle

    def _end(self, context: Context, method: str, arrived: float, error: StatusError) -> asyncio.Future[None]:
        """Fails a call whose handler waits for its first message. Returns what is done when it has failed."""

        async def fail() -> None:
            with suppress(grpc.aio.BaseError):  # AbortError, or the call has ended meanwhile
                # It is not paced, because others wait for its place.
                await self._fail(context, method, error, arrived, paced=False)

        return asyncio.ensure_future(fail())

    async def _fail(
        self, context: Context, method: str, error: Exception, arrived: float, *, paced: bool = True
    ) -> None:
        """Logs the rpc and aborts it with the status of an exception; an unexpected one becomes INTERNAL."""
        if isinstance(error, grpc.aio.InternalError) and context.done():
            # gRPC could not send the response, because the caller had gone.
            raise asyncio.CancelledError
        failure = error if isinstance(error, StatusError) else internal("unknown")
        operation = method.rpartition("/")[2][:_MAX_OPERATION_CHARACTERS]
        call = CallContext(operation, context.peer(), deadline=math.inf, outcome=failure.outcome)
        log_rpc(call, arrived, failure, error)
        drop_frames(error)
        trailers = (self._backend, *failure.trailing_metadata(operation))
        holder = Holder.of_peer(call.caller)
        has_turn = paced and await self._failures.acquire(holder, _MAX_FAILURE_WAIT_SECONDS)
        try:
            await context.abort(failure.code, failure.message, trailers)
        finally:
            if has_turn:
                asyncio.get_running_loop().call_later(_FAILURE_SECONDS, self._failures.release, holder)


class _Messages:
    """The messages of a call, received and decoded when they are asked for.

    A large message of a stream takes memory until the next one is asked for.

    Raises:
        StatusError: A message was rejected, or did not arrive in time.
    """

    def __init__(
        self, receiver: Receiver, kind: Kind, decoder: Decoder, is_stream: bool, fail: Fail, context: Context
    ) -> None:
        self._receiver = receiver
        self._kind = kind
        self._decoder = decoder
        self._is_stream = is_stream
        self._fail = fail
        self._context = context
        self._holder = Holder.of_peer(context.peer())
        self._has_first = False
        self._progress_at = 0.0
        self._reserved = 0

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> Any:
        self.close()
        message = await (self._receive_next() if self._has_first else self._receive_first())
        if self._is_stream:
            self._reserved = self._receiver.memory.reserve(self._holder, size_of(message))
        return message

    def close(self) -> None:
        """Returns the memory of the last message."""
        self._receiver.memory.release(self._holder, self._reserved)
        self._reserved = 0

    async def _receive_first(self) -> Any:
        self._has_first = True
        self._progress_at = self._receiver.clock()
        return await self._receiver.receive_first(self._context, self._holder, self._decoder, self._fail, self._kind)

    async def _receive_next(self) -> Any:
        message = await self._receiver.receive_next(self._context, self._holder, self._decoder)
        now = self._receiver.clock()
        # Messages without content are no progress.
        if size_of(message):
            self._progress_at = now
        elif now - self._progress_at > self._receiver.max_silence:
            raise stream_stalled(now - self._progress_at)
        return message


def _first(behaviour: Any) -> Any:
    """Returns a handler of a stream that passes the first message to a handler of one message."""

    async def handle(messages: _Messages, context: Context) -> Any:
        try:
            request = await anext(messages)
        except StopAsyncIteration:
            # When a caller cancels, gRPC ends the stream before it cancels the call.
            await asyncio.sleep(CANCELLATION_DELAY_SECONDS)
            raise no_message() from None
        return await behaviour(request, context)

    return handle
