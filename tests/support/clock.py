"""A clock that a test sets."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """Returns the time in `now`, which only a test changes.

    Args:
        microsecond: The fraction of the second at the start.
    """

    def __init__(self, microsecond: int = 123_456) -> None:
        self.now = datetime(2026, 5, 5, 12, 0, 0, microsecond, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now
