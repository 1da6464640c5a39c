"""Limits the memory that large requests take from their decoding to the end of their work."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

from ..concurrency.fair_semaphore import Holder

SMALL_BYTES: Final = 32 * 1024
"""Smaller requests do not count: as many as may run together take at most 32 MiB."""

_CALLER_SHARE: Final = 4
"""How much one caller may take, in multiples of what is free. One connection may take as much as is free.

Such dynamic thresholds leave room for others however many compete (Choudhury and Hahne, 1998).
"""

_CHECK_SECONDS: Final = 0.02


class RequestMemory:
    """Memory for large requests, which is shared fairly over callers and their connections.

    Args:
        limit: Bytes that the large requests may take together.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._bytes_by_caller: Counter[str] = Counter()
        self._bytes_by_connection: Counter[Holder] = Counter()

    def has_room(self, holder: Holder, size: int) -> bool:
        """Returns whether a holder may take so many bytes. The first large request may have any size."""
        if not self._bytes or size <= SMALL_BYTES:
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

    def reserve(self, holder: Holder, size: int) -> int:
        """Takes memory for a request; returns the bytes that `release` returns, which are none if it is small."""
        if size <= SMALL_BYTES:
            return 0
        self._count(holder, size)
        return size

    def release(self, holder: Holder, size: int) -> None:
        """Returns memory."""
        if size:
            self._count(holder, -size)

    def _count(self, holder: Holder, size: int) -> None:
        self._bytes += size
        self._bytes_by_caller[holder.caller] += size
        self._bytes_by_connection[holder] += size
        if not self._bytes_by_connection[holder]:
            del self._bytes_by_connection[holder]
        if not self._bytes_by_caller[holder.caller]:
            del self._bytes_by_caller[holder.caller]


def size_of(request: Any) -> int:
    """Returns the size of a request in bytes; 0 if it is a stream."""
    if isinstance(request, bytes):
        return len(request)
    return int(request.ByteSize()) if hasattr(request, "ByteSize") else 0
