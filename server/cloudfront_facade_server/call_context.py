"""The context of one rpc: its deadlines, and the outcome so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property

from .concurrency.fair_semaphore import Holder
from .errors.status_error import NEVER_RETRY, Outcome, StatusError

Clock = Callable[[], float]
"""Returns the seconds of a monotonic clock, so that a change of the system time does not move a deadline."""

_latest_send: ContextVar[Callable[[], float]] = ContextVar("latest_send", default=lambda: float("inf"))


@contextmanager
def _send_until(latest: Callable[[], float]) -> Iterator[None]:
    before = _latest_send.set(latest)
    try:
        yield
    finally:
        _latest_send.reset(before)


def upstream_deadline(latest: float) -> AbstractContextManager[None]:
    """Sets the latest time, on the monotonic clock, at which code inside the block may send a request upstream."""
    return _send_until(lambda: latest)


def remaining_upstream_time() -> float:
    """Returns the seconds during which a request may still be sent upstream; negative afterwards."""
    return _latest_send.get()() - time.monotonic()


@dataclass
class ShutdownDeadline:
    """The time at which a server that shuts down ends the calls in flight.

    Attributes:
        clock: A monotonic clock.
        ends: That time, on the clock; None until the shutdown begins.
    """

    clock: Clock = time.monotonic
    ends: float | None = None

    def begin(self, seconds: float) -> None:
        """Begins the shutdown: calls in flight are ended after this number of seconds."""
        self.ends = self.clock() + seconds

    def remaining(self) -> float:
        """Returns the seconds left; infinity until the shutdown begins."""
        return float("inf") if self.ends is None else self.ends - self.clock()


@dataclass
class Progress:
    """The progress of an rpc with many changes.

    Attributes:
        applied: Number of applied changes, which are the first ones of the request.
        in_flight: Number of changes in flight, which follow them.
    """

    applied: int = 0
    in_flight: int = 0


@dataclass
class CallContext:
    """One rpc in flight.

    `outcome`, `repeatable` and `aws_request_id` are written by `upstream.client` only.

    Attributes:
        operation: The rpc's name, for example `CreateFunction`.
        caller: The caller, as gRPC names the peer.
        deadline: The time on the clock at which the caller stops waiting.
        shutdown: The deadline of the shutdown.
        clock: A monotonic clock.
        outcome: Whether the change was applied, as far as is known now.
        repeatable: Whether it is safe to retry the request.
        aws_request_id: The request id in the last response from AWS, for the log.
        progress: The progress of an rpc with many changes; `outcome` is then that of the changes in flight.
    """

    operation: str
    caller: str
    deadline: float
    shutdown: ShutdownDeadline = field(default_factory=ShutdownDeadline)
    clock: Clock = time.monotonic
    outcome: Outcome = "not_applied"
    repeatable: bool = False
    aws_request_id: str = ""
    progress: Progress | None = None
    _is_abandoned: bool = field(default=False, init=False)
    _on_abandoned: Callable[[], object] | None = field(default=None, init=False)

    @property
    def abandoned(self) -> bool:
        """Whether the rpc has ended for its caller, who has disconnected or already has a response."""
        return self._is_abandoned

    @abandoned.setter
    def abandoned(self, value: bool) -> None:
        self._is_abandoned = value
        if value and self._on_abandoned:
            self._on_abandoned()

    @property
    def waits(self) -> bool:
        """Whether the rpc waits for its turn, and leaves the queue if it is abandoned."""
        return self._on_abandoned is not None

    @contextmanager
    def when_abandoned(self, callback: Callable[[], object]) -> Iterator[None]:
        """Calls back if the rpc ends for its caller inside the block."""
        self._on_abandoned = callback
        try:
            yield
        finally:
            self._on_abandoned = None

    def sending(self) -> AbstractContextManager[None]:
        """Lets code inside the block send requests upstream until the deadline, as long as the caller is there."""
        return _send_until(lambda: float("-inf") if self._is_abandoned else self.deadline)

    @cached_property
    def holder(self) -> Holder:
        """Who holds what the call takes: its caller and connection."""
        return Holder.of_peer(self.caller)

    def remaining(self) -> float:
        """Returns the seconds until the caller stops waiting; negative afterwards."""
        return self.deadline - self.clock()

    @property
    def overall_outcome(self) -> Outcome:
        """Whether all changes of a failed rpc were applied."""
        return "partial" if self.progress and self.progress.applied else self.outcome

    def annotate(self, error: StatusError) -> StatusError:
        """Adds to an error the outcome and, for an rpc with many changes, the counts; returns the error."""
        error.outcome = self.overall_outcome
        error.metadata = {**error.metadata, **{name: str(count) for name, count in self.change_counts().items()}}
        if error.outcome == "partial":
            # Only the remaining changes may be sent again, which is another request.
            error.retry_after, error.pushback = None, NEVER_RETRY
        return error

    def change_counts(self) -> dict[str, int]:
        """Returns the numbers of applied and of unknown changes; empty for an rpc with one change."""
        if not self.progress:
            return {}
        unknown = self.progress.in_flight if self.outcome == "unknown" else 0
        return {"applied_changes": self.progress.applied, "unknown_changes": unknown}
