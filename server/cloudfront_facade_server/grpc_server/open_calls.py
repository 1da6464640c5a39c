"""The calls whose methods have been suspended. One that only waits can be ended to make room for another caller."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from ..call_context import CallContext
from ..concurrency.fair_semaphore import FairSemaphore, Holder
from ..errors.facade_errors import overloaded
from ..errors.status_error import StatusError


@dataclass(frozen=True)
class Slot:
    """The right to run a call; `Admission.release` returns it.

    Attributes:
        semaphore: The semaphore of the slot.
        holder: Who has it.
        bytes: Memory that the call's requests take.
        kind: What the semaphore limits, as a plural for messages.
    """

    semaphore: FairSemaphore
    holder: Holder
    bytes: int
    kind: str


@dataclass(eq=False)
class OpenCall:
    """A call whose method has been suspended.

    Attributes:
        call: The rpc.
        arrived: The time on the clock at which it arrived.
        slot: The slot of the call.
        long_poll: Whether the rpc is a long poll, cancelled when its caller goes away.
        response: Resolves to what its caller receives.
        early_error: The error with which the call ended for its caller before the method ended.
        task: Runs the method until it ends.
    """

    call: CallContext
    arrived: float
    slot: Slot
    long_poll: bool
    response: asyncio.Future[Any]
    early_error: StatusError | None = None
    task: asyncio.Task[Any] | None = None

    @property
    def only_waits(self) -> bool:
        """Whether the call waits for its turn or is a long poll, has changed nothing, and has not ended."""
        waits = self.long_poll or (self.call.waits and self.call.overall_outcome == "not_applied")
        return waits and not self.response.done()

    def fail_early(self, error: StatusError) -> None:
        """Ends the call for its caller, unless it has ended."""
        if not self.response.done():
            self.early_error = self.call.annotate(error)
            self.response.set_exception(error)
            self.abandon()

    def abandon(self) -> None:
        """Notes that the caller is gone or has its response, and cancels a long poll."""
        self.call.abandoned = True
        if self.long_poll and self.task:
            self.task.cancel()

    def respond(self, task: asyncio.Task[Any]) -> None:
        """Passes the result of the method to the caller, unless the call has ended."""
        if self.response.done():
            return
        if error := task.exception():
            self.response.set_exception(error)
        else:
            self.response.set_result(task.result())


class OpenCalls:
    """The calls whose methods have been suspended, oldest first."""

    def __init__(self) -> None:
        self._calls: dict[OpenCall, None] = {}

    def add(self, open_call: OpenCall) -> None:
        """Adds a call."""
        self._calls[open_call] = None

    def discard(self, open_call: OpenCall) -> bool:
        """Removes a call; returns whether it was there."""
        return self._calls.pop(open_call, open_call) is None

    def snapshot(self) -> tuple[OpenCall, ...]:
        """Returns all calls."""
        return tuple(self._calls)

    def make_room(self, semaphore: FairSemaphore, holder: Holder) -> None:
        """Ends the newest call that only waits of a holder with more slots than this one, with OVERLOADED.

        Its caller can retry it, because nothing was changed.

        Args:
            semaphore: The semaphore whose slots are taken.
            holder: Who waits for a slot.
        """
        for open_call in reversed(self._calls):
            slot = open_call.slot
            if slot.semaphore is semaphore and open_call.only_waits and semaphore.exceeds(slot.holder, holder):
                open_call.fail_early(overloaded(semaphore.slots, slot.kind))
                return
