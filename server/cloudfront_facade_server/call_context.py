"""One rpc under way: how long it may take, and what is known of it so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from .errors.status_error import NEVER_RETRY, Outcome, StatusError

Clock = Callable[[], float]
"""Seconds of a monotonic clock, so that a step of the wall clock moves no deadline."""


_latest_send: ContextVar[float] = ContextVar("latest_send", default=float("inf"))


@contextmanager
def upstream_deadline(latest: float) -> Iterator[None]:
    """Has what runs inside send nothing upstream after this time of the monotonic clock."""
    before = _latest_send.set(latest)
    try:
        yield
    finally:
        _latest_send.reset(before)


def remaining_upstream_time() -> float:
    """Gives the seconds in which something may still be sent upstream; negative where none are left."""
    return _latest_send.get() - time.monotonic()


@dataclass
class ShutdownDeadline:
    """How long calls may still run: for ever, until the server begins to stop.

    Attributes:
        ends: the clock's time at which calls under way are cut off; None while the server serves.
    """

    clock: Clock = time.monotonic
    ends: float | None = None

    def begin(self, seconds: float) -> None:
        """Cuts calls off in so many seconds."""
        self.ends = self.clock() + seconds

    def remaining(self) -> float:
        """Gives the seconds left."""
        return float("inf") if self.ends is None else self.ends - self.clock()


@dataclass
class Progress:
    """How far an rpc of many changes is.

    Attributes:
        applied: how many were applied, the first ones of the request.
        in_flight: how many after those are being applied.
    """

    applied: int = 0
    in_flight: int = 0


@dataclass
class CallContext:
    """One rpc under way.

    Attributes:
        operation: the rpc's name, for example `CreateFunction`.
        caller: who calls, as gRPC names the peer.
        deadline: the clock's time at which the caller stops waiting.
        grace: the server's own end.
        outcome: whether the effect happened, as far as is known now.
        repeatable: whether repeating the request is safe.
        aws_request_id: the id of the last request that AWS answered, for the log.
        progress: how far it is, where it is one of many changes; `outcome` is then that of those under way.
        abandoned: whether nobody waits for it any more: its caller went away, or was answered.
    """

    operation: str
    caller: str
    deadline: float
    grace: ShutdownDeadline = field(default_factory=ShutdownDeadline)
    clock: Clock = time.monotonic
    outcome: Outcome = "not_applied"
    repeatable: bool = False
    aws_request_id: str = ""
    progress: Progress | None = None
    abandoned: bool = False

    def remaining(self) -> float:
        """Gives the seconds until the caller stops waiting; negative afterwards."""
        return self.deadline - self.clock()

    @property
    def overall_outcome(self) -> Outcome:
        """Whether the effect of all of it happened, where it did not end well."""
        return "partial" if self.progress and self.progress.applied else self.outcome

    def annotate(self, error: StatusError) -> StatusError:
        """Gives an error what is known of the effect: the outcome, and of many changes how many were applied."""
        error.outcome = self.overall_outcome
        error.metadata = {**error.metadata, **{name: str(count) for name, count in self.change_counts().items()}}
        if error.outcome == "partial":
            # What is left of the request is another request.
            error.retry_after, error.pushback = None, NEVER_RETRY
        return error

    def change_counts(self) -> dict[str, int]:
        """Tells of many changes how many were applied, and of how many that is not known; nothing of a single one."""
        if not self.progress:
            return {}
        unknown = self.progress.in_flight if self.outcome == "unknown" else 0
        return {"applied_changes": self.progress.applied, "unknown_changes": unknown}
