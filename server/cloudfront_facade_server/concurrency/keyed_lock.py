"""One after the other, for writers of one store.

The version is the whole store's, so that of writers who write at once all but one fail. Those of one replica take turns
and so only ever conflict with others'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from .greenlets import await_


class KeyedLock:
    """Turns by name; a name is forgotten when nobody waits for it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._interested: dict[str, int] = {}

    @contextmanager
    def take(self, name: str) -> Iterator[None]:
        """Waits for the turn, and keeps it inside the block."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        self._interested[name] = self._interested.get(name, 0) + 1
        try:
            await_(lock.acquire())
            try:
                yield
            finally:
                lock.release()
        finally:
            self._interested[name] -= 1
            if not self._interested[name]:
                del self._interested[name], self._locks[name]
