"""Sums up rejections, so that callers who are rejected cannot fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from .records import AuditedCall, Clock, Result, result_line, sum_line

MAX_ROWS: Final = 256
"""Maximum number of rows. Further callers share a row for each reason."""

FIRST_WINDOW_SECONDS: Final = 1.0
MAX_WINDOW_SECONDS: Final = 60.0

OTHERS: Final = "others"
"""The operation in the record of the callers that share a row."""


@dataclass(slots=True)
class _Row:
    """The rejections of one identity, method and reason.

    Attributes:
        call: The first rejected rpc.
        result: Its status and reason.
        window: Seconds between two records.
        ends: The time on the monotonic clock at which the next record is due.
        count: Number of rejections that are not written yet.
        began: The time of the first of them, in seconds since the epoch.
        ended: The time of the last of them.
    """

    call: AuditedCall
    result: Result
    window: float
    ends: float
    count: int = 0
    began: float = 0.0
    ended: float = 0.0


class Denials:
    """Writes at most one record a second for each identity, method and reason.

    The first rejection is written at once. The ones of the next second are summed up in one record, and as long as they
    continue, the time between two records doubles until it is a minute.

    Args:
        put: Writes a line; returns False if there is no room. Then the sum is kept, and written later.
        now: Returns the seconds since the epoch.
        clock: A monotonic clock.
    """

    def __init__(self, put: Callable[[bytes], bool], now: Clock = time.time, clock: Clock = time.monotonic) -> None:
        self._put = put
        self._now = now
        self._clock = clock
        self._rows: dict[Hashable, _Row] = {}

    def add(self, identity: str, call: AuditedCall, result: Result) -> None:
        """Records one rejection.

        Args:
            identity: Whose rejections are summed up.
            call: The rejected rpc.
            result: Its status and reason.
        """
        key = (identity, call.operation, result.reason)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MAX_ROWS:
                self._add_to_others(result)
                return
            self._begin(key, call, result)
            return
        self._count(row)

    def write_due(self) -> None:
        """Writes the sums whose time has come, and forgets the callers that have stopped."""
        now = self._clock()
        for key, row in tuple(self._rows.items()):
            if now < row.ends:
                continue
            if not row.count:
                del self._rows[key]
            elif self._write_sum(row):
                row.window = min(2 * row.window, MAX_WINDOW_SECONDS)
                row.ends = now + row.window

    def write_all(self) -> None:
        """Writes all sums, because the log is about to be closed."""
        for row in self._rows.values():
            if row.count:
                self._write_sum(row)

    def __len__(self) -> int:
        return len(self._rows)

    def _begin(self, key: Hashable, call: AuditedCall, result: Result) -> None:
        row = self._rows[key] = self._row(call, result)
        if not self._put(result_line(call, result, "rejection", self._now())):
            self._count(row)

    def _add_to_others(self, result: Result) -> None:
        key = (OTHERS, result.status, result.reason)
        row = self._rows.get(key)
        if row is None:
            call = AuditedCall(caller=None, peer=OTHERS, service=OTHERS, operation=OTHERS)
            row = self._rows[key] = self._row(call, result)
        self._count(row)

    def _row(self, call: AuditedCall, result: Result) -> _Row:
        return _Row(call, result, FIRST_WINDOW_SECONDS, self._clock() + FIRST_WINDOW_SECONDS)

    def _count(self, row: _Row) -> None:
        row.ended = self._now()
        if not row.count:
            row.began = row.ended
        row.count += 1

    def _write_sum(self, row: _Row) -> bool:
        if not self._put(sum_line(row.call, row.result, row.count, row.began, row.ended)):
            return False
        row.count = 0
        return True
