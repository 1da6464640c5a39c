"""Calls in flight by identity."""

from __future__ import annotations


class InFlight:
    """Counts the calls in flight of each identity. An identity without calls takes no memory."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, identity: str) -> int:
        """Returns the number of an identity's calls in flight."""
        return self._counts.get(identity, 0)

    def add(self, identity: str) -> None:
        """Counts a call that begins."""
        self._counts[identity] = self.count(identity) + 1

    def remove(self, identity: str) -> None:
        """Counts a call that ends."""
        if (count := self._counts[identity] - 1) > 0:
            self._counts[identity] = count
        else:
            del self._counts[identity]
