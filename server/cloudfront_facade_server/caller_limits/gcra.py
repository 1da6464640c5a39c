"""Rates by identity: the generic cell rate algorithm (ITU-T I.371), in whole numbers and so without rounding."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

MAX_IDENTITIES: Final = 10_000
"""Maximum number of identities whose rate is counted on its own. Source: this service."""

_SECOND: Final = 1_000_000_000
_CHECKED_FOR_EVICTION: Final = 16
"""Rows that a new identity examines when the table is full, so that no call pays for many."""


@dataclass(frozen=True)
class Rate:
    """A rate.

    Times are counted in nanoseconds multiplied by `scale`, in which the interval between two calls is a whole number.

    Attributes:
        calls_per_second: Calls per second in the long run.
        burst: Calls at the same moment after a pause.
        scale: The factor.
        interval: The time between two calls.
    """

    calls_per_second: float
    burst: int
    scale: int = field(init=False, compare=False)
    interval: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        exact = Fraction(str(self.calls_per_second))
        object.__setattr__(self, "scale", exact.numerator)
        object.__setattr__(self, "interval", _SECOND * exact.denominator)


@dataclass(slots=True)
class _Row:
    """The state of one identity.

    Attributes:
        rate: Its rate.
        free: The time at which its whole burst is available again.
    """

    rate: Rate
    free: int

    def take(self, now: int) -> int:
        """Takes a call, unless it is too early; returns the nanoseconds until it is not."""
        rate = self.rate
        free = max(self.free, now * rate.scale)
        early = free - (rate.burst - 1) * rate.interval - now * rate.scale
        if early > 0:
            return -(-early // rate.scale)
        self.free = free + rate.interval
        return 0

    def idle_at(self) -> int:
        """Returns the time, in nanoseconds, from which the row is the same as none."""
        return -(-self.free // self.rate.scale)


class Gcra:
    """Counts the calls of identities. No limit is lost: only rows that are the same as none are removed.

    While the table is full of others, identities without a row share one, so together they have the rate of one.

    Args:
        max_identities: Maximum number of rows.
    """

    def __init__(self, max_identities: int = MAX_IDENTITIES) -> None:
        self._max_identities = max_identities
        self._rows: dict[str, _Row] = {}
        self._shared: dict[Rate, _Row] = {}
        self._idle_times: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, identity: str, rate: Rate, now: int) -> int:
        """Takes a call of an identity.

        A row is kept as long as the identity's rate stays the same, and replaced when it changes.

        Args:
            identity: The identity.
            rate: Its rate.
            now: The time of a monotonic clock, in nanoseconds.

        Returns:
            0 if the call is within the rate; otherwise nothing is taken, and it is the number of nanoseconds after
            which the next call is.
        """
        row = self._rows.get(identity)
        if row is None:
            row = self._new_row(identity, rate, now)
        elif row.rate != rate:
            row.rate, row.free = rate, 0
        return row.take(now)

    def _new_row(self, identity: str, rate: Rate, now: int) -> _Row:
        shared = self._shared.get(rate)
        if shared and shared.idle_at() <= now:
            del self._shared[rate]
            shared = None
        if len(self._rows) >= self._max_identities and not self._evict(now):
            return shared or self._shared.setdefault(rate, _Row(rate, 0))
        # The identity may have used the shared row before, so its own starts with the state of that one.
        row = self._rows[identity] = _Row(rate, shared.free if shared else 0)
        heapq.heappush(self._idle_times, (0, identity))
        return row

    def _evict(self, now: int) -> bool:
        """Removes a row that is idle; returns False if none was found."""
        for _ in range(_CHECKED_FOR_EVICTION):
            idle_at, identity = self._idle_times[0]
            if idle_at > now:
                return False  # a row becomes idle at the time in the heap or later
            actual = self._rows[identity].idle_at()
            if actual <= now:
                heapq.heappop(self._idle_times)
                del self._rows[identity]
                return True
            heapq.heapreplace(self._idle_times, (actual, identity))
        return False
