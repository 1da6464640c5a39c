"""Selects the timeouts of requests to CloudFront. Only `aws` has any, because the other backends use no network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_short: ContextVar[float | None] = ContextVar("short_timeouts", default=None)


@contextmanager
def short_timeouts(longest: float = math.inf) -> Iterator[None]:
    """Shortens the timeouts of calls inside the block: reads that settle a change or explain an error.

    Args:
        longest: Maximum seconds of each call.
    """
    token = _short.set(longest)
    try:
        yield
    finally:
        _short.reset(token)


def short_timeout() -> float | None:
    """Returns the maximum seconds of a call inside `short_timeouts`; None outside."""
    return _short.get()
