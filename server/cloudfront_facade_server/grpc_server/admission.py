"""Decides which calls may run: short calls, long-running calls and long polls each have their own slots."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

from ..call_context import CallContext
from ..concurrency.fair_semaphore import FairSemaphore, Holder
from ..errors.facade_errors import overloaded, requests_overloaded
from .call_limits import CallLimits
from .method_options import MethodOptions
from .receiver import Receiver

_SMALL_BYTES: Final = 32 * 1024
"""Smaller requests do not count against the memory: as many as may run together take at most 32 MiB."""

_MAX_SHARE: Final = 0.5
"""The part of the memory that the requests of one connection may take."""


class Slot(NamedTuple):
    """The right to run a call; `Admission.release` returns it.

    Attributes:
        semaphore: The semaphore of the slot.
        holder: Who has it.
        bytes: Memory that the call's requests take.
    """

    semaphore: FairSemaphore
    holder: Holder
    bytes: int


class Admission:
    """Admits calls up to the limits, and shares what is scarce fairly over callers and their connections.

    Args:
        limits: The limits.
        receiver: Ends silent streams to make room for others.
    """

    def __init__(self, limits: CallLimits, receiver: Receiver) -> None:
        self._limits = limits
        self._receiver = receiver
        self._short = self._semaphore(limits.max_concurrent_calls)
        self._long_running = self._semaphore(limits.max_long_running_calls)
        self._long_polls = self._semaphore(limits.max_concurrent_calls)
        self._bytes = 0
        self._bytes_by_connection: Counter[Holder] = Counter()

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
        size = _size(request)
        if size and not self._reserve(holder, size):
            semaphore.release(holder)
            raise requests_overloaded()
        return Slot(semaphore, holder, size)

    def release(self, slot: Slot) -> None:
        """Returns the slot of a call whose method has ended."""
        slot.semaphore.release(slot.holder)
        if slot.bytes:
            self._bytes -= slot.bytes
            self._bytes_by_connection[slot.holder] -= slot.bytes
            if not self._bytes_by_connection[slot.holder]:
                del self._bytes_by_connection[slot.holder]

    async def _wait(self, semaphore: FairSemaphore, call: CallContext, options: MethodOptions) -> None:
        if semaphore is self._long_running:
            self._receiver.end_silent_stream(call.holder)
        if not await semaphore.acquire(call.holder, min(self._limits.max_queue_time, call.remaining())):
            kind = "long polls" if options.long_poll else "long-running calls" if options.long_running else "calls"
            raise overloaded(semaphore.slots, kind)

    def _semaphore_for(self, options: MethodOptions) -> FairSemaphore:
        if not options.long_running:
            return self._short
        return self._long_polls if options.long_poll else self._long_running

    def _reserve(self, holder: Holder, size: int) -> bool:
        limit = self._limits.max_request_memory
        share = max(limit * _MAX_SHARE, size)
        if self._bytes + size > limit or self._bytes_by_connection[holder] + size > share:
            return False
        self._bytes += size
        self._bytes_by_connection[holder] += size
        return True


def _size(request: Any) -> int:
    """Returns the size of a request in bytes; 0 if it is small or a stream."""
    size = request.ByteSize() if hasattr(request, "ByteSize") else 0
    return size if size > _SMALL_BYTES else 0
