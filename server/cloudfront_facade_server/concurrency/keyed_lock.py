"""A keyed lock, which serialises the writers of a key value store.

CloudFront has one etag for a whole store, so only one of several concurrent writers succeeds. With the lock, a writer
conflicts only with writers of other replicas.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from .greenlets import await_


class KeyedLock:
    """One lock per key. A lock that is neither held nor awaited is removed."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Waits for the lock of a key, and holds it inside the block."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            await_(lock.acquire())
            try:
                yield
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
