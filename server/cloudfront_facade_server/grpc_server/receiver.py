"""Receives the messages of calls within limits of time and memory.

While a call waits for a message, gRPC's core buffers what has arrived of it, up to the largest size allowed, before
Python sees any of it. So only a limited number of calls wait for a message at the same time. The others wait for their
turn, in fair order. A call that waits in vain is ended: after the longest silence allowed, or as soon as another
connection, which has fewer calls waiting, needs its place.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, TypeAlias

import grpc

from ..call_context import Clock
from ..concurrency.fair_semaphore import FairSemaphore, Holder, Waiter
from ..errors.facade_errors import requests_overloaded, stream_stalled
from ..errors.status_error import StatusError
from .decoder import LARGE_BYTES, Decoder

_PATIENCE_SECONDS: Final = 0.25
"""How long a call waits for its message before it is ended as soon as another connection needs its place."""

_GRACE_SECONDS: Final = 0.02
"""The same if nobody has waited that long: a message that was sent has arrived by then."""

_ROOM_CHECK_SECONDS: Final = 0.05

_SILENCE_SECONDS: Final = 1.0
"""How long a stream must be silent before it can be ended to make room for another one."""

_MAX_QUEUED: Final = 1000
"""Calls that wait for their turn. Each can have 16 KiB buffered."""

_STALL_CHECK_SECONDS: Final = 0.5

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

Fail = Callable[[StatusError], "asyncio.Future[None]"]
"""Ends a call with an error. Returns what is done when the caller has received it."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A call that waits for its next message.

    Attributes:
        holder: Who made the call.
        is_stream: Whether the call has already sent a message.
        since: The time on the clock since when it waits.
        end: Ends the call with an error.
        ending: Done when the call has ended; None if it was not ended.
    """

    holder: Holder
    is_stream: bool
    since: float
    end: Fail
    ending: asyncio.Future[None] | None = None


class Receiver:
    """Receives messages, and ends calls whose messages do not arrive.

    Args:
        places: How many calls may wait for a message at the same time.
        max_queue_time: How long a call waits for its turn, in seconds.
        max_silence: How long a call may wait for its next message, in seconds.
        clock: A monotonic clock.
    """

    def __init__(self, places: int, max_queue_time: float, max_silence: float, clock: Clock = time.monotonic) -> None:
        self._places = FairSemaphore(places, _MAX_QUEUED)
        self._max_queue_time = max_queue_time
        self._max_silence = max_silence
        self._clock = clock
        # Ordered by the time since when they wait.
        self._waiting: dict[_Waiting, None] = {}
        self._stall_check: asyncio.TimerHandle | None = None
        self._room_check: asyncio.TimerHandle | None = None
        self._first_in_line: Waiter | None = None

    async def receive_first(self, context: Context, holder: Holder, decoder: Decoder, fail: Fail) -> Any:
        """Waits for the first message of a call, and decodes it.

        Args:
            context: The call.
            holder: Who made it.
            decoder: Decodes the message.
            fail: Fails the call if the message does not arrive in time (STREAM_STALLED) or another call needs the place
                (OVERLOADED).

        Raises:
            StopAsyncIteration: The caller has ended its stream.
            StatusError: Too many messages are being received (OVERLOADED), or the message was rejected.
        """
        if not self._places.try_acquire(holder):
            await self._wait_for_place(holder, self._max_queue_time)
        try:
            # It is not cancelled: gRPC would never free a message that arrives for a read that was cancelled.
            waiting = self._start(holder, fail, is_stream=False)
            try:
                message = await context.read()
            finally:
                del self._waiting[waiting]
                if waiting.ending:
                    await asyncio.wait({waiting.ending})
            if waiting.ending:
                raise asyncio.CancelledError  # the message came too late
            return await _decode(message, holder, decoder)
        finally:
            self._places.release(holder)

    async def receive_next(self, context: Context, holder: Holder, decoder: Decoder) -> Any:
        """Waits for another message of a stream, and decodes it.

        Raises:
            StopAsyncIteration: The caller has ended its stream.
            StatusError: The message did not arrive in time (STREAM_STALLED), another call needs the place (OVERLOADED),
                or the message was rejected.
        """
        if not self._places.try_acquire(holder):
            # What a stream has begun should not fail because others are slow.
            await self._wait_for_place(holder, self._max_silence)
        try:
            return await _decode(await self._read(context, holder), holder, decoder)
        finally:
            self._places.release(holder)

    def end_silent_stream(self, holder: Holder) -> bool:
        """Ends a silent stream of the connection that has the most, to make room for a stream of another connection.

        Returns:
            Whether a stream was ended.
        """
        silent = [waiting for waiting in self._older_than(_SILENCE_SECONDS) if waiting.is_stream]
        return self._end_one(silent, holder, stream_stalled)

    async def _read(self, context: Context, holder: Holder) -> Any:
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(error: StatusError) -> asyncio.Future[None]:
            ended.set_exception(error)
            return ended

        waiting = self._start(holder, end, is_stream=True)
        # It continues until the call ends, whatever happens to this method.
        reading = asyncio.ensure_future(context.read())
        reading.add_done_callback(lambda read: read.cancelled() or read.exception())
        try:
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            return ended.result() if ended.done() else reading.result()
        finally:
            ended.cancel()
            del self._waiting[waiting]

    def _start(self, holder: Holder, end: Fail, *, is_stream: bool) -> _Waiting:
        waiting = _Waiting(holder, is_stream, self._clock(), end)
        self._waiting[waiting] = None
        if self._stall_check is None:
            self._stall_check = asyncio.get_running_loop().call_later(_STALL_CHECK_SECONDS, self._end_stalled)
        return waiting

    async def _wait_for_place(self, holder: Holder, max_wait: float) -> None:
        if not self._places.held_by(holder):
            self._make_room(holder, _PATIENCE_SECONDS)
        if self._room_check is None:
            self._room_check = asyncio.get_running_loop().call_later(_ROOM_CHECK_SECONDS, self._make_room_again)
        if not await self._places.acquire(holder, max_wait):
            raise requests_overloaded()

    def _make_room_again(self) -> None:
        self._room_check = None
        first, self._first_in_line = self._first_in_line, self._places.next_waiter()
        if self._first_in_line:
            if self._first_in_line is first:
                self._make_room(first.holder, _GRACE_SECONDS)
            self._room_check = asyncio.get_running_loop().call_later(_ROOM_CHECK_SECONDS, self._make_room_again)

    def _make_room(self, holder: Holder, min_age: float) -> None:
        self._end_one(self._older_than(min_age), holder, lambda _: requests_overloaded())

    def _end_one(self, candidates: list[_Waiting], holder: Holder, error: Callable[[float], StatusError]) -> bool:
        """Ends the oldest call of the connection that has the most, unless `holder` has as many."""
        callers = Counter(waiting.holder.caller for waiting in candidates)
        connections = Counter(waiting.holder for waiting in candidates)

        def weight(holder: Holder) -> tuple[int, int]:
            return callers[holder.caller], connections[holder]

        heaviest = max(candidates, key=lambda waiting: weight(waiting.holder), default=None)
        if heaviest is None or weight(heaviest.holder) <= weight(holder):
            return False
        self._end(heaviest, error(self._clock() - heaviest.since))
        return True

    def _end(self, waiting: _Waiting, error: StatusError) -> None:
        waiting.ending = waiting.end(error)

    def _end_stalled(self) -> None:
        self._stall_check = None
        for waiting in self._older_than(self._max_silence):
            self._end(waiting, stream_stalled(self._clock() - waiting.since))
        if self._waiting:
            self._stall_check = asyncio.get_running_loop().call_later(_STALL_CHECK_SECONDS, self._end_stalled)

    def _older_than(self, seconds: float) -> list[_Waiting]:
        latest = self._clock() - seconds
        oldest = takewhile(lambda waiting: waiting.since <= latest, self._waiting)
        return [waiting for waiting in oldest if waiting.ending is None]


async def _decode(message: Any, holder: Holder, decoder: Decoder) -> Any:
    if message is grpc.aio.EOF:
        raise StopAsyncIteration
    if len(message) <= LARGE_BYTES:
        return decoder.decode(message)
    return await decoder.decode_large(message, holder)
