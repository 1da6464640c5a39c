"""Repeats reads until they show what became of a change whose response was lost.

Reads may lag behind writes: they show an older state for a while. So neither an absence nor a state confirms a change
until reads that lag would show what was there before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from ..backends.protocol import Response
from ..concurrency.backoff import exponential_backoff
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, aws_code, classify
from ..errors.translate import is_temporary
from .timeouts import SettleTimeouts

AppliedCheck = Callable[[], Response | None]
"""Reads whether a change was applied: returns the response to the change, or None if it is not visible. Raises one of
UPSTREAM_ERRORS if a read fails."""

_DELAY_AFTER_FAILURE: Final = 2.0
_SHARE_AFTER_FAILURE: Final = 0.4
"""Share of the settle timeout that is the longest first delay after a read that failed, so that a second read fits."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the reads show.

    Attributes:
        failure: The failure of the last read, if it failed.
        is_final: Whether another read cannot change it.
        final_in: Seconds after which the same reading is final; infinity if time does not make it final.
    """

    failure: UpstreamFailure | None = None
    is_final: bool = True
    final_in: float = math.inf


@dataclass(frozen=True)
class Sighting(Reading):
    """What the reads show of a change.

    Attributes:
        response: The response to the change; None if it is not visible, or not certain yet.
    """

    response: Response | None = None


R = TypeVar("R", bound=Reading)
T = TypeVar("T")


def settle(timeouts: SettleTimeouts, read: Callable[[], R], ends: float, pause: Callable[[float], bool]) -> R:
    """Repeats a read until it is final or the time is up; returns the last reading.

    After a read that failed, the delay is long and doubles each time, because more reads burden a service that fails.

    Args:
        timeouts: How long settling may take.
        read: Reads once.
        ends: The time, on the clock of the timeouts, after which no delay starts.
        pause: Waits between two reads for a number of seconds; returns whether there is time for another read.
    """
    delays = exponential_backoff()
    first = min(_DELAY_AFTER_FAILURE, _SHARE_AFTER_FAILURE * timeouts.total)
    delays_after_failures = exponential_backoff(first, math.inf)
    while True:
        reading = read()
        if reading.final_in < math.inf:
            delay = reading.final_in
        else:
            delay = next(delays_after_failures if reading.failure else delays)
        if reading.is_final or timeouts.clock() + delay > ends or not pause(delay):
            return reading


def sight(timeouts: SettleTimeouts, check_applied: AppliedCheck, sent: float) -> Sighting:
    """Reads once whether a change was applied.

    Args:
        timeouts: How long reads may lag.
        check_applied: Reads the change.
        sent: The time at which the change was sent, on the clock of the timeouts.
    """
    final_in = sent + timeouts.lag - timeouts.clock()
    try:
        response = check_applied()
    except UPSTREAM_ERRORS as error:
        failure = classify(error)
        return Sighting(failure=failure if is_temporary(failure) else None, is_final=False)
    if response is None:
        return Sighting(is_final=False)
    if final_in > 0:
        return Sighting(is_final=False, final_in=final_in)
    return Sighting(response)


def check_deleted(describe: Callable[[T], Response], resource: T, not_found_code: str) -> Response | None:
    """Reads whether a resource was deleted, as an AppliedCheck does.

    Args:
        describe: Describes the resource.
        resource: What `describe` takes.
        not_found_code: The AWS code of a resource that does not exist.

    Returns:
        An empty response, like that of a delete, if the resource does not exist; None if it exists.

    Raises:
        UPSTREAM_ERRORS: The read failed.
    """
    try:
        describe(resource)
    except UPSTREAM_ERRORS as error:
        if aws_code(error) == not_found_code:
            return {}
        raise
    return None
