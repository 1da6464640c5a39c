"""One rpc under way: how long it may take, and what is known of it so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors.status_error import Outcome

Clock = Callable[[], float]
"""Seconds of a monotonic clock, so that a step of the wall clock moves no deadline."""


@dataclass
class Grace:
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
class Call:
    """One rpc under way.

    Attributes:
        operation: the rpc's name, for example `CreateFunction`.
        caller: who calls, as gRPC names the peer.
        deadline: the clock's time at which the caller stops waiting.
        grace: the server's own end.
        outcome: whether the effect happened, as far as is known now.
        repeatable: whether repeating the request is safe.
        aws_request_id: the id of the last request that AWS answered, for the log.
    """

    operation: str
    caller: str
    deadline: float
    grace: Grace = field(default_factory=Grace)
    clock: Clock = time.monotonic
    outcome: Outcome = "not_applied"
    repeatable: bool = False
    aws_request_id: str = ""

    def remaining(self) -> float:
        """Gives the seconds until the caller stops waiting; negative afterwards."""
        return self.deadline - self.clock()
