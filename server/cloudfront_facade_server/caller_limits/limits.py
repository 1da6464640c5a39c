"""Admits the calls of each caller within its own limits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from ..errors.facade_errors import caller_limited
from ..identity.caller import Caller
from .entries import Limits
from .forced_tags import ForcedTags
from .gcra import Gcra
from .in_flight import InFlight

_RETRY_AFTER_SECONDS: Final = (0.5, 1.5)
"""Range of the delay before a caller with too many calls in flight retries. Nobody knows when one of them ends."""

_MILLISECOND: Final = 1_000_000


class AdmittedCall:
    """A call that was admitted. As a context manager, it releases itself at the end of the block.

    Attributes:
        tags: The tags that are forced on what the call creates.
    """

    __slots__ = ("_identity", "_in_flight", "tags")

    def __init__(self, in_flight: InFlight, identity: str, tags: ForcedTags) -> None:
        self.tags = tags
        self._identity = identity
        self._in_flight: InFlight | None = in_flight

    def release(self) -> None:
        """Counts the call as ended. Further calls of this method do nothing."""
        if self._in_flight:
            self._in_flight.remove(self._identity)
            self._in_flight = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.release()


class CallerLimits:
    """Limits the calls of each identity on this replica. Used by one thread only.

    New limits hold from the next call on. An identity whose rate does not change keeps what it has used.

    Args:
        current: Returns the limits in force.
        clock: A monotonic clock, in nanoseconds.
        gcra: Counts the rates.
    """

    def __init__(
        self, current: Callable[[], Limits], clock: Callable[[], int] = time.monotonic_ns, gcra: Gcra | None = None
    ) -> None:
        self._current = current
        self._clock = clock
        self._gcra = Gcra() if gcra is None else gcra
        self._in_flight = InFlight()

    def admit(self, caller: Caller) -> AdmittedCall:
        """Admits a call.

        Raises:
            StatusError: The caller has as many calls in flight as it may, or calls too often (CALLER_LIMITED). The
                call does not count.
        """
        entry = self._current().entry_of(caller)
        limit, rate = entry.calls_in_flight, entry.rate
        if limit is not None and self._in_flight.count(caller.id) >= limit:
            seconds = random.uniform(*_RETRY_AFTER_SECONDS)  # noqa: S311 (jitter, not secrecy)
            raise caller_limited("calls_in_flight", limit, seconds)
        if rate is not None and (wait := self._gcra.take(caller.id, rate, self._clock())):
            # RetryInfo has milliseconds. Rounded down, the next call would still be too early.
            raise caller_limited("calls_per_second", rate.calls_per_second, -(-wait // _MILLISECOND) / 1000)
        self._in_flight.add(caller.id)
        return AdmittedCall(self._in_flight, caller.id, entry.tags)
