"""How many calls may be upstream at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .call import Call, sending_until
from .errors.refusals import deadline_too_short, overloaded


class Admission:
    """Lets a call go upstream, or refuses it at once: no call waits for its turn.

    Args:
        limit: calls upstream at once.
        least_time: seconds that a call must have left, for an answer that nobody waits for is worth nothing.
    """

    def __init__(self, limit: int, least_time: float) -> None:
        self._limit = limit
        self._least_time = least_time
        self._upstream = 0

    @contextmanager
    def admit(self, call: Call) -> Iterator[None]:
        """Holds a slot; raises StatusError (DEADLINE_TOO_SHORT, OVERLOADED) where there is no time or no slot."""
        self.require_time(call)
        if self._upstream >= self._limit:
            raise overloaded(self._limit, "calls to CloudFront")
        self._upstream += 1
        try:
            with sending_until(call.deadline):
                yield
        finally:
            self._upstream -= 1

    def require_time(self, call: Call) -> None:
        """Raises StatusError (DEADLINE_TOO_SHORT) where too little time is left to send anything."""
        if not self.has_time(call):
            raise deadline_too_short(self._least_time, call.remaining())

    def has_time(self, call: Call) -> bool:
        """Tells whether there is time to send anything."""
        return call.remaining() >= self._least_time
