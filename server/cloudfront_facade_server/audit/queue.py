"""What waits for the thread that writes: bounded in number and bytes, with room that only changes may use."""

from __future__ import annotations

import asyncio
import enum
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

MAX_ENTRIES: Final = 20_000
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_BATCH_BYTES: Final = 1024 * 1024
"""Maximum size of a batch, unless one line is longer. It limits how long a write takes."""

_MINOR_SHARE: Final = 4
"""Rejections and reads may use the queue up to one part of so many; the rest is for intents and outcomes."""


class State(enum.Enum):
    """The state of an entry."""

    QUEUED = enum.auto()
    TAKEN = enum.auto()
    WRITTEN = enum.auto()
    FAILED = enum.auto()


@dataclass(eq=False, slots=True)
class Entry:
    """A line that waits to be written.

    Attributes:
        line: The line.
        contradict: Returns the line that says that this one did not come true, in case it reaches the file although
            it was given up; None if it is true anyway. Only intents have it. It is called in any thread.
        waiter: Resolves to whether the line is on disk; None if none does.
        state: Its state. It belongs to the queue.
        is_withdrawn: Whether the one who waited has given up. It belongs to the queue.
    """

    line: bytes
    contradict: Callable[[], bytes] | None = None
    waiter: asyncio.Future[bool] | None = None
    state: State = field(default=State.QUEUED, init=False)
    is_withdrawn: bool = field(default=False, init=False)


class RecordQueue:
    """Lines that wait. The event loop puts them in; the thread takes them out, intents and outcomes first.

    No method except `take` waits for anything.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._major: deque[Entry] = deque()
        self._minor: deque[Entry] = deque()
        self._count = 0
        self._bytes = 0
        self._intents = 0
        self._wakes = False
        self._is_closed = False

    def put(self, entry: Entry, *, minor: bool = False) -> bool:
        """Appends a line.

        Args:
            entry: The line.
            minor: Whether it is a rejection or a read.

        Returns:
            Whether there was room.
        """
        share = _MINOR_SHARE if minor else 1
        with self._changed:
            has_room = self._count < MAX_ENTRIES // share and self._bytes + len(entry.line) <= MAX_BYTES // share
            if not has_room or self._is_closed:
                return False
            (self._minor if minor else self._major).append(entry)
            self._add(entry, 1)
            self._changed.notify()
            return True

    def put_back(self, entries: Iterable[Entry]) -> None:
        """Returns lines that could not be written to the front of the queue. Nothing waits for them any longer."""
        with self._changed:
            for entry in reversed(tuple(entries)):
                entry.state, entry.waiter = State.QUEUED, None
                self._major.appendleft(entry)
                self._add(entry, 1)

    def withdraw(self, entry: Entry) -> bool:
        """Ends the wait for an intent, which is then not written, or is contradicted if it may reach the file.

        Returns:
            False if it was written in the meantime, so that it counts.
        """
        with self._changed:
            if entry.state is State.WRITTEN:
                return False
            if entry.state is State.QUEUED:
                self._add(entry, -1)
            entry.is_withdrawn = True
            return True

    def take(self, pause: float | None) -> list[Entry] | None:
        """Waits for lines, and returns the next batch. The batch is empty if the queue was woken.

        Args:
            pause: None to wait for any line. Otherwise the last write failed: the seconds after which it is tried
                again; sooner if an intent waits.

        Returns:
            The batch; None if the queue is closed and empty.
        """
        with self._changed:
            if pause is None:
                self._changed.wait_for(self._has_work)
            else:
                self._changed.wait_for(self._is_urgent, pause)
            self._wakes = False
            batch = self._next_batch()
            return batch if batch or not self._is_closed else None

    def settle(self, entries: Iterable[Entry], state: State) -> list[Entry]:
        """Sets the state of lines that were taken; returns the ones that were withdrawn meanwhile."""
        with self._changed:
            withdrawn = []
            for entry in entries:
                entry.state = state
                if entry.is_withdrawn:
                    withdrawn.append(entry)
            return withdrawn

    def wake(self) -> None:
        """Wakes the thread, because there is something else to do."""
        with self._changed:
            self._wakes = True
            self._changed.notify()

    def close(self) -> None:
        """Accepts no more lines. The thread ends when it has taken all."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    @property
    def is_closed(self) -> bool:
        """Whether no more lines are accepted."""
        return self._is_closed

    def __len__(self) -> int:
        return self._count

    def _has_work(self) -> bool:
        return bool(self._count) or self._wakes or self._is_closed

    def _is_urgent(self) -> bool:
        return bool(self._intents) or self._wakes or self._is_closed

    def _next_batch(self) -> list[Entry]:
        batch: list[Entry] = []
        size = 0
        for queue in (self._major, self._minor):
            while queue:
                entry = queue[0]
                if batch and size + len(entry.line) > MAX_BATCH_BYTES:
                    return batch
                queue.popleft()
                if entry.is_withdrawn:
                    continue
                self._add(entry, -1)
                entry.state = State.TAKEN
                batch.append(entry)
                size += len(entry.line)
        return batch

    def _add(self, entry: Entry, sign: int) -> None:
        self._count += sign
        self._bytes += sign * len(entry.line)
        if entry.contradict:
            self._intents += sign
