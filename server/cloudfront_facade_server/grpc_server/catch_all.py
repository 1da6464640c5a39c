"""Handles what never reaches a servicer: unknown methods, undecodable requests and exceptions outside servicers."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

import grpc

from ..call_context import CallContext
from ..concurrency.fair_semaphore import FairSemaphore, Holder
from ..errors.facade_errors import (
    internal,
    method_unknown,
    no_message,
    overloaded,
    requests_overloaded,
    response_not_read,
)
from ..errors.status_error import StatusError
from .access_log import log_rpc
from .decoder import Decoder, LargeMessages, MessageLimits
from .fair_memory import FairMemory, TakenMemory, size_of
from .messages import Messages
from .receiver import Context, Kind, Receiver
from .request_stream import CANCELLATION_DELAY_SECONDS
from .status import drop_frames
from .written import written_responses

_CONCURRENT_FAILURES: Final = 16
_FAILURE_SECONDS: Final = 0.02
"""How long each failure keeps its turn.

A caller that sends only garbage, on hundreds of streams, would otherwise keep the event loop busy.
"""

_MAX_WAITING_FAILURES: Final = 2_000
_MAX_FAILURE_WAIT_SECONDS: Final = 5.0

_CALL_BYTES: Final = 16 * 1024
"""What a call takes besides its response, about."""

_RESPONSE_COPIES: Final = 3
"""What a response of a stream takes until it is sent, in multiples of its size: the message, and its bytes twice."""

_RESPONSE_STREAMS: Final = 4
"""Health watches and reflection streams of a connection: a client has one watch, and tools a stream."""

_SHARED_RESPONSE_STREAMS: Final = 1000
"""The same for all connections of a Unix socket, which gRPC does not distinguish."""

_UNREAD: Final = (
    "open calls and responses that were not read take all memory reserved for them, a quarter of --max-request-memory"
)

_HEALTH_CHECK: Final = "/grpc.health.v1.Health/Check"

_MAX_OPERATION_CHARACTERS: Final = 64
"""Maximum length of a method's name in the log and in errors, because callers can send names of any length."""


class CatchAllInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server, so that no caller receives the text of an exception.

    Args:
        backend: The trailer that names the backend.
        receiver: Receives the messages.
        message_limits: Returns the limits of the messages of a method, by its path.
        open_calls: The memory of calls with their responses, until the callers have read them.

    Attributes:
        last_arrival: The monotonic time at which the last call arrived, including health and reflection calls.
    """

    def __init__(
        self,
        backend: tuple[str, str],
        receiver: Receiver,
        message_limits: Callable[[str], MessageLimits],
        open_calls: FairMemory,
    ) -> None:
        self._backend = backend
        self._receiver = receiver
        self._message_limits = message_limits
        self._large_messages = LargeMessages()
        self._open_calls = open_calls
        self._response_streams: Counter[Holder] = Counter()
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
        messages = partial(Messages, self._receiver, kind, self._decoder(handler, method), handler.request_streaming)
        serialize = handler.response_serializer
        if handler.unary_unary:
            wrapped = self._unary(_first(handler.unary_unary), messages, method)
            return grpc.stream_unary_rpc_method_handler(wrapped, None, serialize)
        if handler.unary_stream:
            wrapped = self._stream(_yielded(handler.unary_stream), messages, method)
            return grpc.stream_stream_rpc_method_handler(wrapped, None, serialize)
        if handler.stream_unary:
            wrapped = self._unary(handler.stream_unary, messages, method)
            return grpc.stream_unary_rpc_method_handler(wrapped, None, serialize)
        wrapped = self._stream(handler.stream_stream, messages, method)
        return grpc.stream_stream_rpc_method_handler(wrapped, None, serialize)

    def _decoder(self, handler: grpc.RpcMethodHandler[Any, Any], method: str) -> Decoder:
        return Decoder(handler.request_deserializer, self._message_limits(method), self._large_messages)

    def _unary(self, behaviour: Any, messages: Any, method: str) -> Any:
        async def handle(_requests: Any, context: Context) -> Any:
            arrived = time.monotonic()
            requests = messages(partial(self._end, context, method, arrived), context)
            try:
                memory = self._open(requests.holder, context)
                response = await behaviour(requests, context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (becomes INTERNAL)
                caught = error
            else:
                memory.add(size_of(response))
                return response
            finally:
                requests.close()
            return await self._fail(context, method, caught, arrived)

        return handle

    def _stream(self, behaviour: Any, messages: Any, method: str) -> Any:
        async def handle(_requests: Any, context: Context) -> None:
            arrived = time.monotonic()
            requests = messages(partial(self._end, context, method, arrived), context)
            try:
                memory = self._open(requests.holder, context)
                with self._response_stream(requests.holder):
                    async for response in behaviour(requests, context):
                        with self._sending(response, requests.holder, memory):
                            await _write(context, response)
                        del response  # or it would be kept until the next one
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (becomes INTERNAL)
                await self._fail(context, method, error, arrived)
            finally:
                requests.close()

        return handle

    def _open(self, holder: Holder, context: Context) -> TakenMemory:
        """Takes the memory of a call until it ends, which is when its caller has read the response.

        Raises:
            StatusError: The caller has other calls open and no room for one more (OVERLOADED).
        """
        if self._open_calls.taken_by(holder) and not self._open_calls.has_room(holder, _CALL_BYTES):
            raise requests_overloaded(_UNREAD)
        taken = TakenMemory(self._open_calls, holder)
        taken.add(_CALL_BYTES)
        context.add_done_callback(taken.release)  # type: ignore[arg-type]
        return taken

    @contextmanager
    def _sending(self, response: Any, holder: Holder, memory: TakenMemory) -> Iterator[None]:
        """Takes the memory of a response until it is sent, which is when its caller has read it.

        Raises:
            StatusError: The response is large and there is no room for it (OVERLOADED), or its caller read it too late
                (STREAM_STALLED).
        """
        size = _RESPONSE_COPIES * size_of(response)
        # As many small responses as streams are allowed take little.
        if size > _CALL_BYTES and not self._open_calls.has_room(holder, size):
            raise requests_overloaded(_UNREAD)
        memory.add(size)
        started = self._receiver.clock()
        try:
            yield
        finally:
            memory.give_back(size)
        # Not earlier, because gRPC cannot send the status before the response, and cannot discard the response.
        seconds = self._receiver.clock() - started
        if seconds > self._receiver.max_silence:
            raise response_not_read(seconds)

    @contextmanager
    def _response_stream(self, holder: Holder) -> Iterator[None]:
        """Counts a stream of responses, which has no other limit; raises StatusError (OVERLOADED) at the limit."""
        limit = _SHARED_RESPONSE_STREAMS if holder.is_shared else _RESPONSE_STREAMS
        if self._response_streams[holder] >= limit:
            raise overloaded(limit, "health watches and reflection streams of the connection")
        self._response_streams[holder] += 1
        try:
            yield
        finally:
            self._response_streams[holder] -= 1
            if not self._response_streams[holder]:
                del self._response_streams[holder]

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


def _first(behaviour: Any) -> Any:
    """Returns a handler of a stream that passes the first message to a handler of one message."""

    async def handle(messages: Messages, context: Context) -> Any:
        return await behaviour(await _first_message(messages), context)

    return handle


def _yielded(behaviour: Any) -> Any:
    """Returns a handler of a stream that passes the first message to a handler that writes its responses."""

    async def handle(messages: Messages, _context: Context) -> AsyncIterator[Any]:
        request = await _first_message(messages)
        async for response in written_responses(partial(behaviour, request)):
            yield response

    return handle


async def _write(context: Context, response: Any) -> None:
    try:
        await context.write(response)
    except grpc.aio.InternalError:
        # gRPC could not send the response, because the caller had gone.
        raise asyncio.CancelledError from None


async def _first_message(messages: Messages) -> Any:
    try:
        return await anext(messages)
    except StopAsyncIteration:
        # When a caller cancels, gRPC ends the stream before it cancels the call.
        await asyncio.sleep(CANCELLATION_DELAY_SECONDS)
        raise no_message() from None
