"""Limits the concurrent calls upstream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..call_context import CallContext, upstream_deadline
from ..errors.facade_errors import deadline_too_short, overloaded


class ConcurrencyLimiter:
    """Admits a call upstream or rejects it immediately: a semaphore that never waits.

    Args:
        limit: Maximum number of concurrent calls upstream.
        min_upstream_time: Minimum seconds before the deadline, because a response after the deadline is useless.
    """

    def __init__(self, limit: int, min_upstream_time: float) -> None:
        self._limit = limit
        self._min_upstream_time = min_upstream_time
        self._upstream = 0

    @contextmanager
    def admit(self, call: CallContext) -> Iterator[None]:
        """Holds a slot; raises StatusError (DEADLINE_TOO_SHORT, OVERLOADED) if there is no time or no slot."""
        if not self.has_time_to_send(call):
            raise deadline_too_short(self._min_upstream_time, call.remaining())
        if self._upstream >= self._limit:
            raise overloaded(self._limit, "calls to CloudFront")
        self._upstream += 1
        try:
            with upstream_deadline(call.deadline):
                yield
        finally:
            self._upstream -= 1

    def has_time_to_send(self, call: CallContext) -> bool:
        """Returns whether the deadline leaves time to send a request."""
        return call.remaining() >= self._min_upstream_time
