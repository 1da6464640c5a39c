"""Patterns of names, in which `*` stands for any characters."""

from __future__ import annotations


class Pattern:
    """A pattern in which `*` stands for any characters, `/` included. Matching takes linear time.

    Args:
        text: The pattern.
    """

    def __init__(self, text: str) -> None:
        head, *middle = text.split("*")
        self._head = head
        self._tail = middle.pop() if middle else None
        self._middle = [part for part in middle if part]

    def matches(self, value: str) -> bool:
        """Returns whether the pattern matches the whole value. Case counts."""
        if self._tail is None:
            return value == self._head
        if not value.startswith(self._head):
            return False
        # Each part as early as possible leaves the most for those that follow.
        at, end = len(self._head), len(value) - len(self._tail)
        for part in self._middle:
            if (found := value.find(part, at, end)) < 0:
                return False
            at = found + len(part)
        return at <= end and value.endswith(self._tail)
