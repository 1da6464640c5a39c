"""Decides which calls may run: short calls, long-running calls and long polls each have their own slots."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from ..call_context import CallContext
from ..concurrency.fair_semaphore import FairSemaphore
from ..errors.facade_errors import LARGE_REQUESTS, overloaded, requests_overloaded
from .call_limits import CallLimits
from .fair_memory import FairMemory, counted_size
from .method_options import MethodOptions
from .open_calls import OpenCalls, Slot
from .receiver import Receiver

_MAKE_ROOM_SECONDS: Final = 0.005
"""How often a call that only waits is ended while others wait for slots."""


class Admission:
    """Admits calls up to the limits, and shares what is scarce fairly over callers and their connections.

    Args:
        limits: The limits.
        receiver: Ends silent streams to make room for others.
        memory: The memory of large requests.
        open_calls: Ends calls that only wait, to make room for others.
    """

    def __init__(self, limits: CallLimits, receiver: Receiver, memory: FairMemory, open_calls: OpenCalls) -> None:
        self._limits = limits
        self._receiver = receiver
        self._short = self._semaphore(limits.max_concurrent_calls)
        self._long_running = self._semaphore(limits.max_long_running_calls)
        self._long_polls = self._semaphore(limits.max_concurrent_calls)
        self._memory = memory
        self._open_calls = open_calls
        self._making_room: set[FairSemaphore] = set()

    def _semaphore(self, slots: int) -> FairSemaphore:
        return FairSemaphore(slots, max_waiting=slots)

    async def admit(self, call: CallContext, options: MethodOptions, request: Any) -> Slot:
        """Takes a slot for a call; waits for it if none is free.

        Raises:
            StatusError: No slot became free in time, or the request takes too much memory (both OVERLOADED).
        """
        semaphore = self._semaphore_for(options)
        holder = call.holder
        if not semaphore.try_acquire(holder):
            await self._wait(semaphore, call, options)
        if size := counted_size(request):
            if not self._memory.has_room(holder, size):
                semaphore.release(holder)
                raise requests_overloaded(LARGE_REQUESTS)
            self._memory.take(holder, size)
        return Slot(semaphore, holder, size, _kind(options))

    def release(self, slot: Slot) -> None:
        """Returns the slot of a call whose method has ended."""
        slot.semaphore.release(slot.holder)
        if slot.bytes:
            self._memory.release(slot.holder, slot.bytes)

    async def _wait(self, semaphore: FairSemaphore, call: CallContext, options: MethodOptions) -> None:
        if semaphore is self._long_running:
            self._receiver.end_silent_stream(call.holder)
        if semaphore not in self._making_room:
            self._making_room.add(semaphore)
            asyncio.get_running_loop().call_soon(self._make_room, semaphore)  # when the call is in the queue
        if not await semaphore.acquire(call.holder, min(self._limits.max_queue_time, call.remaining())):
            raise overloaded(semaphore.slots, _kind(options))

    def _make_room(self, semaphore: FairSemaphore) -> None:
        """Ends calls that only wait, one after another, while a caller or connection that has fewer needs a slot."""
        if (holder := semaphore.next_holder()) is None:
            self._making_room.discard(semaphore)
            return
        self._open_calls.make_room(semaphore, holder)
        asyncio.get_running_loop().call_later(_MAKE_ROOM_SECONDS, self._make_room, semaphore)

    def _semaphore_for(self, options: MethodOptions) -> FairSemaphore:
        if not options.long_running:
            return self._short
        return self._long_polls if options.long_poll else self._long_running


def _kind(options: MethodOptions) -> str:
    """Returns what a limit counts, in the words of the limits' documentation."""
    if options.long_poll:
        return "WaitForKeyValueStore calls"
    return "UpdateKeys and ImportKeys calls" if options.long_running else "calls"
