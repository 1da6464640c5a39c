"""Selects the timeouts of requests to CloudFront. Only `aws` has any, because the other backends use no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_short: ContextVar[bool] = ContextVar("short_timeouts", default=False)


@contextmanager
def short_timeouts() -> Iterator[None]:
    """Shortens the timeouts of calls inside the block: reads that settle a change or explain an error."""
    token = _short.set(True)
    try:
        yield
    finally:
        _short.reset(token)


def timeouts_are_short() -> bool:
    """Returns whether the caller is inside `short_timeouts`."""
    return _short.get()
