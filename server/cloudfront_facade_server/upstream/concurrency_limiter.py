"""How many calls may be upstream at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..call_context import CallContext, upstream_deadline
from ..errors.facade_errors import deadline_too_short, overloaded


class ConcurrencyLimiter:
    """Lets a call go upstream, or refuses it at once: no call waits for its turn.

    Args:
        limit: calls upstream at once.
        min_upstream_time: seconds that a call must have left, for an answer that nobody waits for is worth nothing.
    """

    def __init__(self, limit: int, min_upstream_time: float) -> None:
        self._limit = limit
        self._least_time = min_upstream_time
        self._upstream = 0

    @contextmanager
    def admit(self, call: CallContext) -> Iterator[None]:
        """Holds a slot; raises StatusError (DEADLINE_TOO_SHORT, OVERLOADED) where there is no time or no slot."""
        self.require_time(call)
        if self._upstream >= self._limit:
            raise overloaded(self._limit, "calls to CloudFront")
        self._upstream += 1
        try:
            with upstream_deadline(call.deadline):
                yield
        finally:
            self._upstream -= 1

    def require_time(self, call: CallContext) -> None:
        """Raises StatusError (DEADLINE_TOO_SHORT) where too little time is left to send anything."""
        if not self.has_time(call):
            raise deadline_too_short(self._least_time, call.remaining())

    def has_time(self, call: CallContext) -> bool:
        """Tells whether there is time to send anything."""
        return call.remaining() >= self._least_time
