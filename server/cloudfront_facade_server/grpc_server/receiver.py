"""Receives the messages of calls within limits of time and memory.

While a call waits for a message, gRPC's core buffers what has arrived of it, up to the largest size allowed, before
Python sees any of it. So only a limited number of calls wait for a message at the same time. The others wait for their
turn, in fair order. A call that waits in vain is ended: after the longest silence allowed, or as soon as another
connection, which has fewer calls waiting, needs its place.
"""

from __future__ import annotations

import asyncio
import time
from enum import Enum
from typing import Any, Final, TypeAlias

import grpc

from ..call_context import Clock
from ..concurrency.fair_semaphore import Holder
from ..errors.facade_errors import LARGE_REQUESTS, requests_overloaded, shutting_down, stream_stalled
from ..errors.status_error import StatusError
from .decoder import Decoder
from .fair_memory import SMALL_BYTES, FairMemory
from .receive_places import Fail, MakeError, ReceivePlaces, Waiting

_PATIENCE_SECONDS: Final = 0.025
"""Patience for a first message, which callers send together with the call."""

_STREAM_PATIENCE_SECONDS: Final = 2.0
"""Patience for the next message of a stream, which its caller may have to produce first."""

_SILENCE_SECONDS: Final = 1.0
"""How long a stream must be silent before it can be ended to make room for another one."""

_STALL_CHECK_SECONDS: Final = 0.5

DRAIN_SILENCE_SECONDS: Final = 2.0
"""How long a call may wait for its next message while the server is draining."""

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Kind(Enum):
    """Which places a call takes for its first message."""

    CALL = 0
    HEALTH_CHECK = 1


class Receiver:
    """Receives messages, and ends calls whose messages do not arrive.

    Args:
        places: How many calls may wait for a message at the same time, at least three. Health checks have a part of
            them to themselves, and so have streams that wait for another message.
        max_queue_time: How long a call waits for its turn, in seconds.
        max_silence: How long a call may wait for its next message, in seconds.
        memory: The memory of large requests.
        clock: A monotonic clock.

    Attributes:
        max_silence: How long a call may wait for its next message, in seconds.
        memory: The memory of large requests.
        clock: A monotonic clock.
    """

    def __init__(
        self,
        places: int,
        max_queue_time: float,
        max_silence: float,
        memory: FairMemory,
        clock: Clock = time.monotonic,
    ) -> None:
        health, streams = max(1, places // 6), max(1, 5 * places // 12)
        calls = max(1, places - health - streams)
        self._first = {
            Kind.CALL: ReceivePlaces(calls, _PATIENCE_SECONDS, clock),
            Kind.HEALTH_CHECK: ReceivePlaces(health, _PATIENCE_SECONDS, clock),
        }
        self._streams = ReceivePlaces(streams, _STREAM_PATIENCE_SECONDS, clock)
        self._max_queue_time = max_queue_time
        self.max_silence = max_silence
        self.memory = memory
        self.clock = clock
        self._stall_check: asyncio.TimerHandle | None = None
        self._drain_silence: float | None = None

    @property
    def without_message(self) -> int:
        """Number of calls that wait for their first message."""
        return sum(places.waiting for places in self._first.values())

    def drain(self, max_silence: float) -> None:
        """Ends calls that wait longer for their next message with SHUTTING_DOWN, from now on.

        Args:
            max_silence: How long a call may wait for its next message, in seconds.
        """
        self._drain_silence = max_silence
        if self._stall_check:
            self._stall_check.cancel()
        self._end_silent()

    async def receive_first(
        self, context: Context, holder: Holder, decoder: Decoder, fail: Fail, kind: Kind = Kind.CALL
    ) -> Any:
        """Waits for the first message of a call, and decodes it.

        Args:
            context: The call.
            holder: Who made it.
            decoder: Decodes the message.
            fail: Fails the call if the message does not arrive in time (STREAM_STALLED) or another call needs the place
                (OVERLOADED).
            kind: Which places it takes.

        Raises:
            StopAsyncIteration: The caller has ended its stream.
            StatusError: Too many messages are being received (OVERLOADED), or the message was rejected.
        """
        places = self._first[kind]
        await places.acquire(holder, self._max_queue_time)
        try:
            # It is not cancelled: gRPC would never free a message that arrives for a read that was cancelled.
            waiting = self._start(places, holder, fail)
            try:
                message = await context.read()
            finally:
                places.stop(waiting)
                if waiting.ending:
                    await asyncio.wait({waiting.ending})
            if waiting.ending:
                raise asyncio.CancelledError  # the message came too late
            return await self._decode(message, holder, decoder, self._max_queue_time)
        finally:
            places.release(holder)

    async def receive_next(self, context: Context, holder: Holder, decoder: Decoder) -> Any:
        """Waits for another message of a stream, and decodes it.

        Raises:
            StopAsyncIteration: The caller has ended its stream.
            StatusError: The message did not arrive in time (STREAM_STALLED), another call needs the place (OVERLOADED),
                or the message was rejected.
        """
        # What a stream has begun should not fail because others are slow.
        await self._streams.acquire(holder, self.max_silence)
        try:
            return await self._decode(await self._read(context, holder), holder, decoder, self.max_silence)
        finally:
            self._streams.release(holder)

    def end_silent_stream(self, holder: Holder) -> bool:
        """Ends a silent stream of the connection that has the most, to make room for a stream of another connection.

        Returns:
            Whether a stream was ended.
        """
        return self._streams.end_for(holder, _SILENCE_SECONDS, stream_stalled) or self._streams.end_for(
            holder, 0.0, stream_stalled, min_excess=2
        )

    async def _read(self, context: Context, holder: Holder) -> Any:
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(error: Exception) -> asyncio.Future[None]:
            ended.set_exception(error)
            return ended

        waiting = self._start(self._streams, holder, end)
        # It continues until the call ends, whatever happens to this method.
        reading = asyncio.ensure_future(context.read())
        reading.add_done_callback(lambda read: read.cancelled() or read.exception())
        try:
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            return ended.result() if ended.done() else reading.result()
        finally:
            ended.cancel()
            self._streams.stop(waiting)

    def _start(self, places: ReceivePlaces, holder: Holder, end: Fail) -> Waiting:
        if self._stall_check is None:
            self._stall_check = asyncio.get_running_loop().call_later(_STALL_CHECK_SECONDS, self._end_silent)
        return places.start(holder, end)

    def _end_silent(self) -> None:
        self._stall_check = None
        seconds: float = self.max_silence
        error: MakeError = stream_stalled
        if self._drain_silence is not None and self._drain_silence < seconds:
            seconds, error = self._drain_silence, _draining
        waiting = [places.end_older_than(seconds, error) for places in (*self._first.values(), self._streams)]
        if any(waiting):
            self._stall_check = asyncio.get_running_loop().call_later(_STALL_CHECK_SECONDS, self._end_silent)

    async def _decode(self, message: Any, holder: Holder, decoder: Decoder, max_wait: float) -> Any:
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        if len(message) <= SMALL_BYTES:
            return decoder.decode(message)
        if not await self.memory.wait_for_room(holder, len(message), max_wait):
            raise requests_overloaded(LARGE_REQUESTS)
        return await decoder.decode_large(message, holder)


def _draining(_seconds: float) -> StatusError:
    return shutting_down("not_applied", repeatable=True)
