"""The audit log, as the server uses it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import structlog

from ..errors.facade_errors import audit_unavailable
from ..errors.status_error import StatusError
from ..logs import exception_location
from .denials import FIRST_WINDOW_SECONDS, Denials
from .files import AuditFile, Output, StandardOutput
from .lines import LineOutput
from .peers import network_of
from .queue import Entry, RecordQueue
from .records import AuditedCall, Clock, Result, intent_line, result_line
from .writer import Writer

STDOUT: Final = "stdout"

_AUDIT_UNAVAILABLE: Final = Result(status="UNAVAILABLE", outcome="not_applied", reason="AUDIT_UNAVAILABLE")

_log = structlog.get_logger()


class AuditSettings(Protocol):
    """The settings of the audit log. See `docs/reference/settings.md`."""

    audit: str | None
    audit_max_bytes: int
    audit_keep: int
    audit_timeout: float
    audit_reads: bool


class AuditLog:
    """Records who did what. It is used in one event loop, which it never blocks.

    Args:
        output: Where records are written.
        timeout: Seconds after which an intent that is not on disk is rejected.
        records_reads: Whether reads are recorded.
        now: Returns the seconds since the epoch.
        clock: A monotonic clock.

    Attributes:
        records_reads: Whether reads are recorded.
    """

    def __init__(
        self,
        output: Output,
        timeout: float,
        *,
        records_reads: bool = False,
        now: Clock = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.records_reads = records_reads
        self._timeout = timeout
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._queue = RecordQueue()
        self._writer = Writer(LineOutput(output), self._queue, self._loop, clock)
        # Unknown callers must not take the rows of known ones.
        self._known = Denials(self._put_minor, now, clock)
        self._unknown = Denials(self._put_minor, now, clock)
        self._sums_timer: asyncio.TimerHandle | None = None
        self._dropped = 0
        self._is_reported = False

    async def intent(self, call: AuditedCall) -> None:
        """Records that a change is about to be sent. When it returns, the record is on disk.

        Raises:
            StatusError: The record is not on disk (AUDIT_UNAVAILABLE), so the change must not be sent. If the record
                reaches the file anyway, a record of the outcome `not_applied` follows it. Nothing else must be recorded
                for the call.
        """
        waiter: asyncio.Future[bool] = self._loop.create_future()
        contradict = partial(self._contradict, call)
        entry = Entry(intent_line(call, self._now()), contradict, waiter)
        if self._writer.busy_seconds() >= self._timeout or not self._queue.put(entry):
            raise self._unavailable()
        try:
            await asyncio.wait((waiter,), timeout=self._timeout)
        except asyncio.CancelledError:
            if not self._queue.withdraw(entry):
                self._put(Entry(contradict()))
            raise
        is_written = waiter.done() and waiter.result()
        if not is_written and self._queue.withdraw(entry):
            raise self._unavailable()
        self._is_reported = False

    async def outcome(self, call: AuditedCall, result: Result, *, at_most: float = float("inf")) -> None:
        """Records how a change ended, before its caller is answered. It waits for the disk, and never fails.

        Args:
            call: The rpc, whose intent was recorded.
            result: How it ended.
            at_most: Seconds to wait if that is less than the timeout. The record is written in any case, later if
                necessary.
        """
        with _logged_failure():
            waiter = self._loop.create_future()
            if not self._put(Entry(result_line(call, result, "outcome", self._now()), waiter=waiter)):
                return
            if self._writer.busy_seconds() < self._timeout:
                await asyncio.wait((waiter,), timeout=min(self._timeout, at_most))

    def early_outcome(self, call: AuditedCall, result: Result) -> None:
        """Records how a change ended for a caller that is answered before the change ends. It does not wait."""
        with _logged_failure():
            self._put(Entry(result_line(call, result, "outcome", self._now())))

    def late_outcome(self, call: AuditedCall, result: Result) -> None:
        """Records how a change ended whose caller was answered earlier. It does not wait."""
        with _logged_failure():
            self._put(Entry(result_line(call, result, "late_outcome", self._now())))

    def rejected(self, call: AuditedCall, result: Result) -> None:
        """Records a call whose caller is unknown or not allowed. It does not wait.

        Beyond one record a second for each identity (of the unknown: address), method and reason, calls are summed up.
        """
        with _logged_failure():
            if call.caller is None or call.caller.by == "anonymous":
                self._unknown.add(network_of(call.peer), call, result)
            else:
                self._known.add(call.caller.id, call, result)
        if self._sums_timer is None:
            self._sums_timer = self._loop.call_later(FIRST_WINDOW_SECONDS, self._write_sums)

    def read(self, call: AuditedCall, result: Result) -> None:
        """Records a read if reads are recorded. It does not wait, and drops the record if there is no room."""
        with _logged_failure():
            if self.records_reads and not self._put_minor(result_line(call, result, "read", self._now())):
                self._count_dropped()

    def reopen(self) -> None:
        """Opens the file again, because it was renamed (SIGHUP)."""
        self._writer.reopen()

    async def close(self) -> None:
        """Writes what is queued, for at most the timeout, and closes the log. Nothing can be recorded afterwards."""
        if self._sums_timer:
            self._sums_timer.cancel()
        self._known.write_all()
        self._unknown.write_all()
        if not await self._writer.close(self._timeout):
            _log.error("audit log not written to its end", waiting=len(self._queue))

    def _contradict(self, call: AuditedCall) -> bytes:
        return result_line(call, _AUDIT_UNAVAILABLE, "outcome", self._now())

    def _put(self, entry: Entry) -> bool:
        is_queued = self._queue.put(entry)
        if not is_queued:
            self._count_dropped()
        return is_queued

    def _put_minor(self, line: bytes) -> bool:
        return self._queue.put(Entry(line), minor=True)

    def _write_sums(self) -> None:
        self._known.write_due()
        self._unknown.write_due()
        has_rows = len(self._known) or len(self._unknown)
        self._sums_timer = self._loop.call_later(FIRST_WINDOW_SECONDS, self._write_sums) if has_rows else None

    def _count_dropped(self) -> None:
        self._dropped += 1
        if self._dropped.bit_count() == 1:  # 1, 2, 4, 8 and so on
            _log.error("audit records dropped, because the queue is full", count=self._dropped)

    def _unavailable(self) -> StatusError:
        if not self._is_reported and not self._writer.problem:  # the writer has reported its problem
            self._is_reported = True
            _log.error("audit log does not take records in time; changes are rejected")
        return audit_unavailable()


@contextmanager
def _logged_failure() -> Iterator[None]:
    """Logs an unexpected exception, because a record changes no answer."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        _log.error("exception in the audit log", **exception_location(error))


def open_audit(settings: AuditSettings) -> AuditLog:
    """Opens the audit log of the settings, of which `audit` must be set. It must be called in the event loop.

    Raises:
        UnusableFilesError: The file cannot be created or written, or is not a regular file.
        ValueError: `audit` is not set.
    """
    name = settings.audit
    if not name:
        raise ValueError("the setting audit is missing")
    output: Output = (
        StandardOutput() if name == STDOUT else AuditFile(Path(name), settings.audit_max_bytes, settings.audit_keep)
    )
    return AuditLog(output, settings.audit_timeout, records_reads=settings.audit_reads)
