"""Limits the concurrent calls upstream."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..call_context import CallContext
from ..concurrency.fair_semaphore import FairSemaphore
from ..concurrency.greenlets import sleep
from ..errors.facade_errors import deadline_too_short, overloaded
from .waiting import take

_WAITING_PER_SLOT = 4
"""Maximum calls that wait for each slot. The last of more calls would not get one in time."""

_FULL_QUEUE_DELAY = 0.1
"""Seconds before a call tries again to wait in a full queue."""


class UpstreamSlot:
    """The right of an rpc to send one request at a time.

    Args:
        release: Returns the slot.
        take: Takes a slot again, and waits for it; returns whether it did.
    """

    def __init__(self, release: Callable[[], None], take: Callable[[], bool]) -> None:
        self._release = release
        self._take = take
        self._is_held = True

    def pause(self, wait: Callable[[], None]) -> bool:
        """Waits without the slot, so that others can send meanwhile; returns whether there is a slot afterwards.

        A read that settles a change must not fail because no slot is free. So it waits for one until
        `min_upstream_time` before the deadline.
        """
        self.release()
        wait()
        self._is_held = self._take()
        return self._is_held

    def release(self) -> None:
        """Returns the slot, unless it is returned already."""
        if self._is_held:
            self._is_held = False
            self._release()


class ConcurrencyLimiter:
    """Admits calls upstream. If all slots are taken, a call waits for a short time, in fair order over callers.

    Args:
        limit: Maximum number of concurrent calls upstream.
        min_upstream_time: Minimum seconds before the deadline, because a response after the deadline is useless.
        max_queue_time: How long a call waits for a slot, in seconds; at most until its deadline.
        max_waiting: Maximum number of calls that wait; None for a few for each slot.
        what: What it limits, as a plural for messages.

    Attributes:
        min_upstream_time: Minimum seconds before the deadline.
    """

    def __init__(
        self,
        limit: int,
        min_upstream_time: float,
        max_queue_time: float = 0.0,
        *,
        max_waiting: int | None = None,
        what: str = "calls to CloudFront",
    ) -> None:
        self._slots = FairSemaphore(limit, _WAITING_PER_SLOT * limit if max_waiting is None else max_waiting)
        self._what = what
        self.min_upstream_time = min_upstream_time
        self._max_queue_time = max_queue_time

    @contextmanager
    def admit(self, call: CallContext, *, until_deadline: bool = False) -> Iterator[UpstreamSlot]:
        """Holds a slot inside the block, in which requests are sent one after another.

        Args:
            call: The rpc.
            until_deadline: Whether to wait for a slot until the deadline, and not only for the limiter's time.

        Raises:
            StatusError: There is no time (DEADLINE_TOO_SHORT) or no slot (OVERLOADED), or the caller is gone.
        """
        if not self.has_time_to_send(call):
            raise deadline_too_short(self.min_upstream_time, call.remaining())
        is_held = self._take_until_deadline(call) if until_deadline else self._take(call, self._max_queue_time)
        if not is_held:
            raise overloaded(self._slots.slots, self._what)
        slot = UpstreamSlot(lambda: self._slots.release(call.holder), lambda: self._take_until_deadline(call))
        try:
            with call.sending():
                yield slot
        finally:
            slot.release()

    def has_time_to_send(self, call: CallContext) -> bool:
        """Returns whether the deadline leaves time to send a request."""
        return call.remaining() >= self.min_upstream_time

    def _take(self, call: CallContext, max_wait: float) -> bool:
        return take(self._slots, call, min(max_wait, call.remaining() - self.min_upstream_time))

    def _take_until_deadline(self, call: CallContext) -> bool:
        """Takes a slot; returns False if none becomes free in time. If the queue is full, tries again.

        In time is `min_upstream_time` before the deadline.
        """
        while not self._take(call, math.inf):
            if call.remaining() <= self.min_upstream_time:
                return False
            sleep(_FULL_QUEUE_DELAY)
        return True
