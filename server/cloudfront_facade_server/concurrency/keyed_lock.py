"""A keyed lock, which serialises the writers of a key value store.

CloudFront has one etag for a whole store, so only one of several concurrent writers succeeds. With the lock, a writer
conflicts only with writers of other replicas.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .fair_semaphore import FairSemaphore, Holder


class KeyedLock:
    """One fair lock per key. A lock that is neither held nor awaited is removed."""

    def __init__(self) -> None:
        self._locks: dict[str, FairSemaphore] = {}
        self._users: dict[str, int] = {}

    @contextmanager
    def hold(self, key: str, holder: Holder, take: Callable[[FairSemaphore], None]) -> Iterator[None]:
        """Waits for the lock of a key, and holds it inside the block.

        Args:
            key: The key.
            holder: Who asks.
            take: Takes the only slot of a semaphore for the holder, or raises.
        """
        lock = self._locks.setdefault(key, FairSemaphore(1, max_waiting=sys.maxsize))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            take(lock)
            try:
                yield
            finally:
                lock.release(holder)
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
