"""Limits the memory of requests or responses, and shares it fairly."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

from ..concurrency.fair_semaphore import Holder

SMALL_BYTES: Final = 32 * 1024
"""Requests up to this size do not count: as many as may run together take at most 32 MiB."""

_CALLER_SHARE: Final = 4
"""How much one caller may take, in multiples of what is free. One connection may take as much as is free.

Such dynamic thresholds leave room for others however many compete (Choudhury and Hahne, 1998).
"""

_CHECK_SECONDS: Final = 0.02


class FairMemory:
    """Memory that is shared fairly over callers and their connections.

    Args:
        limit: Bytes that can be taken together.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._bytes_by_caller: Counter[str] = Counter()
        self._bytes_by_connection: Counter[Holder] = Counter()

    def taken_by(self, holder: Holder) -> int:
        """Returns how many bytes a connection has taken."""
        return self._bytes_by_connection[holder]

    def has_room(self, holder: Holder, size: int) -> bool:
        """Returns whether a holder may take so many bytes. If nothing is taken, they may be any number."""
        if not self._bytes:
            return True
        free = self._limit - self._bytes - size
        of_connection, of_caller = self._bytes_by_connection[holder], self._bytes_by_caller[holder.caller]
        return of_connection <= free and of_caller <= _CALLER_SHARE * free

    async def wait_for_room(self, holder: Holder, size: int, max_wait: float) -> bool:
        """Waits until a holder may take so many bytes, for up to `max_wait` seconds; returns whether it may."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + max_wait
        while not self.has_room(holder, size):
            if loop.time() >= ends:
                return False
            await asyncio.sleep(_CHECK_SECONDS)
        return True

    def take(self, holder: Holder, size: int) -> None:
        """Takes memory, whether there is room or not."""
        self._count(holder, size)

    def release(self, holder: Holder, size: int) -> None:
        """Returns memory that was taken."""
        self._count(holder, -size)

    def _count(self, holder: Holder, size: int) -> None:
        if not size:
            return
        self._bytes += size
        self._bytes_by_caller[holder.caller] += size
        self._bytes_by_connection[holder] += size
        if not self._bytes_by_connection[holder]:
            del self._bytes_by_connection[holder]
        if not self._bytes_by_caller[holder.caller]:
            del self._bytes_by_caller[holder.caller]


class TakenMemory:
    """Memory that a holder has taken.

    Args:
        memory: The memory to take from.
        holder: Who takes it.
    """

    def __init__(self, memory: FairMemory, holder: Holder) -> None:
        self._memory = memory
        self._holder = holder
        self._size = 0

    def add(self, size: int) -> None:
        """Takes so many bytes more, whether there is room or not."""
        if size:
            self._memory.take(self._holder, size)
            self._size += size

    def give_back(self, size: int) -> None:
        """Returns so many bytes; fewer if it has fewer."""
        size = min(size, self._size)
        self._memory.release(self._holder, size)
        self._size -= size

    def release(self, _context: object = None) -> None:
        """Returns all of it."""
        if self._size:
            self._memory.release(self._holder, self._size)
            self._size = 0


def counted_size(request: Any) -> int:
    """Returns the size of a request in bytes; 0 if it is small, or a stream, whose messages count one by one."""
    size = size_of(request)
    return size if size > SMALL_BYTES else 0


def size_of(message: Any) -> int:
    """Returns the encoded size of a message in bytes; 0 for anything else."""
    if isinstance(message, bytes):
        return len(message)
    return int(message.ByteSize()) if hasattr(message, "ByteSize") else 0
