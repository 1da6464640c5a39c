"""Decides which calls may run: short calls, long-running calls and long polls each have their own slots."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

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


@dataclass(frozen=True)
class Slot:
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
        semaphore, name = self._slots(options)
        holder = call.holder
        if not semaphore.try_acquire(holder):
            if options.long_running and not options.long_poll:
                self._receiver.end_silent_stream(holder)
            if not await semaphore.acquire(holder, min(self._limits.max_queue_time, call.remaining())):
                raise overloaded(semaphore.slots, name)
        slot = Slot(semaphore, holder, _size(request))
        if not self._has_memory(slot):
            semaphore.release(holder)
            raise requests_overloaded()
        if slot.bytes:
            self._bytes += slot.bytes
            self._bytes_by_connection[holder] += slot.bytes
        return slot

    def release(self, slot: Slot) -> None:
        """Returns the slot of a call whose method has ended."""
        slot.semaphore.release(slot.holder)
        if slot.bytes:
            self._bytes -= slot.bytes
            self._bytes_by_connection[slot.holder] -= slot.bytes
            if not self._bytes_by_connection[slot.holder]:
                del self._bytes_by_connection[slot.holder]

    def _slots(self, options: MethodOptions) -> tuple[FairSemaphore, str]:
        if options.long_poll:
            return self._long_polls, "long polls"
        if options.long_running:
            return self._long_running, "long-running calls"
        return self._short, "calls"

    def _has_memory(self, slot: Slot) -> bool:
        if not slot.bytes:
            return True
        limit = self._limits.max_request_memory
        share = max(limit * _MAX_SHARE, slot.bytes)
        return self._bytes + slot.bytes <= limit and self._bytes_by_connection[slot.holder] + slot.bytes <= share


def _size(request: Any) -> int:
    """Returns the size of a request in bytes; 0 if it is small or a stream."""
    size = request.ByteSize() if hasattr(request, "ByteSize") else 0
    return size if size > _SMALL_BYTES else 0
