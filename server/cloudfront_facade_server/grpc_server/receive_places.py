"""Limits how many calls wait for a message at the same time, and ends those that keep others waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from ..call_context import Clock
from ..concurrency.fair_semaphore import FairSemaphore, Holder
from ..errors.facade_errors import requests_overloaded
from ..errors.status_error import StatusError

_MAX_QUEUED: Final = 1000
"""Calls that wait for their turn. Each can have 16 KiB buffered."""

_CHECK_SECONDS: Final = 0.005

_MAX_DELAY_SECONDS: Final = 0.02
"""How late a check may be. If it is later, the event loop was busy, and may not have seen messages that arrived."""

Fail = Callable[[StatusError], "asyncio.Future[None]"]
"""Ends a call with an error. Returns what is done when the caller has received it."""

MakeError = Callable[[float], StatusError]
"""Returns the error of a call that has waited for this many seconds."""


@dataclass(eq=False, slots=True)
class Waiting:
    """A call that waits for its next message.

    Attributes:
        holder: Who made the call.
        since: The time on the clock since when it waits.
        end: Ends the call with an error.
        ending: Done when the call has ended; None if it was not ended.
    """

    holder: Holder
    since: float
    end: Fail
    ending: asyncio.Future[None] | None = None


class ReceivePlaces:
    """Places for calls that wait for a message.

    If no place is free, calls wait for their turn, in fair order. Meanwhile, calls whose message has not arrived lose
    their place, if their caller or connection has more places than the next one in the queue.

    Args:
        count: How many calls may wait for a message at the same time.
        patience: How long a call may wait for its message, in seconds, before it can lose its place.
        clock: A monotonic clock.
    """

    def __init__(self, count: int, patience: float, clock: Clock) -> None:
        self._semaphore = FairSemaphore(count, _MAX_QUEUED)
        self._all_taken = f"all {count} places for messages are taken; --max-request-memory sets their number"
        self._patience = patience
        self._clock = clock
        # Ordered by the time since when they wait.
        self._waiting: dict[Waiting, None] = {}
        self._check: asyncio.TimerHandle | None = None
        self._check_due = 0.0
        self._skipped = False

    async def acquire(self, holder: Holder, max_wait: float) -> None:
        """Takes a place, and waits for it if none is free; raises StatusError (OVERLOADED) after `max_wait` seconds."""
        if self._semaphore.try_acquire(holder):
            return
        if self._check is None:
            self._schedule_check()
        if not await self._semaphore.acquire(holder, max_wait):
            raise requests_overloaded(self._all_taken)

    def release(self, holder: Holder) -> None:
        """Frees a place."""
        self._semaphore.release(holder)

    def start(self, holder: Holder, end: Fail) -> Waiting:
        """Registers a call that has a place and waits for its message."""
        waiting = Waiting(holder, self._clock(), end)
        self._waiting[waiting] = None
        return waiting

    def stop(self, waiting: Waiting) -> None:
        """Removes a call whose message has arrived, or which has ended."""
        del self._waiting[waiting]

    @property
    def waiting(self) -> int:
        """Number of calls that wait for their message."""
        return len(self._waiting)

    def end_older_than(self, seconds: float, error: MakeError) -> bool:
        """Ends the calls that have waited for so long; returns whether any others wait."""
        for waiting in self._older_than(seconds):
            self._end(waiting, error)
        return bool(self._waiting)

    def end_for(self, holder: Holder, min_age: float, error: MakeError, min_excess: int = 1) -> bool:
        """Ends the oldest call of the caller, and then of its connection, that has the most, in favour of a holder.

        Args:
            holder: Who needs what the call has.
            min_age: How long the call must have waited for its message, in seconds.
            error: Returns its error.
            min_excess: How many more the caller or the connection must have than the holder.

        Returns:
            Whether a call was ended.
        """
        candidates = self._older_than(min_age)
        callers = Counter(waiting.holder.caller for waiting in self._waiting if waiting.ending is None)
        connections = Counter(waiting.holder for waiting in self._waiting if waiting.ending is None)

        def weight(holder: Holder) -> tuple[int, int]:
            return callers[holder.caller], connections[holder]

        heaviest = max(candidates, key=lambda waiting: weight(waiting.holder), default=None)
        if heaviest is None:
            return False
        excess = (
            callers[heaviest.holder.caller] - callers[holder.caller]
            if heaviest.holder.caller != holder.caller
            else connections[heaviest.holder] - connections[holder]
        )
        # Connections that cannot be distinguished may be anybody's.
        if excess < min_excess and not (heaviest.holder == holder and holder.is_shared):
            return False
        self._end(heaviest, error)
        return True

    def _schedule_check(self) -> None:
        self._check_due = self._clock() + _CHECK_SECONDS
        self._check = asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._make_room)

    def _make_room(self) -> None:
        """Ends as many calls as wait for their turn, while any has more places than the next in turn."""
        self._check = None
        is_late = self._clock() - self._check_due > _MAX_DELAY_SECONDS
        self._skipped = is_late and not self._skipped
        if not self._skipped:
            for _ in range(self._semaphore.waiting):
                holder = self._semaphore.next_holder()
                if holder is None or not self.end_for(holder, self._patience, self._lost):
                    break
        if self._semaphore.waiting:
            self._schedule_check()

    def _lost(self, seconds: float) -> StatusError:
        return requests_overloaded(
            f"no complete message arrived for {seconds * 1000:.0f} ms, and another call needed the place; "
            f"{self._all_taken}"
        )

    def _end(self, waiting: Waiting, error: MakeError) -> None:
        waiting.ending = waiting.end(error(self._clock() - waiting.since))

    def _older_than(self, seconds: float) -> list[Waiting]:
        latest = self._clock() - seconds
        oldest = takewhile(lambda waiting: waiting.since <= latest, self._waiting)
        return [waiting for waiting in oldest if waiting.ending is None]
