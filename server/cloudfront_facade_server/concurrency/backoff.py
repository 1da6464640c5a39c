"""Exponential backoff."""

from __future__ import annotations

from collections.abc import Iterator


def exponential_backoff(first: float = 0.1, longest: float = 1.0) -> Iterator[float]:
    """Yields the delays between retries in seconds, without end.

    Args:
        first: The first delay.
        longest: The longest delay. Each delay is twice the previous one, up to this.
    """
    delay = first
    while True:
        yield delay
        delay = min(2 * delay, longest)
