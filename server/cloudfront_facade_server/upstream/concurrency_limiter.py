"""Limits the concurrent calls upstream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from ..call_context import CallContext, upstream_deadline
from ..concurrency.fair_semaphore import FairSemaphore
from ..concurrency.greenlets import await_
from ..errors.facade_errors import deadline_too_short, overloaded
from ..errors.status_error import StatusError

_WAITING_PER_SLOT = 4
"""Maximum calls that wait for each slot. The last of more calls would not get one in time."""


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
    def admit(self, call: CallContext) -> Iterator[None]:
        """Holds a slot; raises StatusError (DEADLINE_TOO_SHORT, OVERLOADED) if there is no time or no slot."""
        if not self.has_time_to_send(call):
            raise deadline_too_short(self.min_upstream_time, call.remaining())
        holder = call.holder
        if not self._slots.try_acquire(holder):
            self._wait(call)
        try:
            with upstream_deadline(call.deadline):
                yield
        finally:
            self._slots.release(holder)

    def has_time_to_send(self, call: CallContext) -> bool:
        """Returns whether the deadline leaves time to send a request."""
        return call.remaining() >= self.min_upstream_time

    def _wait(self, call: CallContext) -> None:
        max_wait = min(self._max_queue_time, call.remaining() - self.min_upstream_time)
        if max_wait <= 0 or not await_(self._slots.acquire(call.holder, max_wait)):
            raise overloaded(self._slots.slots, self._what)
        if call.abandoned and call.outcome == "not_applied":
            # While it waited, its caller went away or received an error with outcome not_applied.
            self._slots.release(call.holder)
            raise StatusError(grpc.StatusCode.CANCELLED, "", "the caller is gone")
