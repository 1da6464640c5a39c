"""The thread that writes the audit log: many records with one write and one fdatasync."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from ..logs import exception_location
from .lines import LineOutput, LinesNotWrittenError
from .queue import Entry, RecordQueue, State

RETRY_SECONDS: Final = 0.5
"""Seconds after which a failed write is tried again if no intent is waiting."""

_FAILURE_PAUSE_SECONDS: Final = 0.01
"""Minimum time between two writes that fail, because each intent tries one."""

_log = structlog.get_logger()


class Writer:
    """Writes the lines of a queue to an output, in a separate thread.

    An intent whose write fails is rejected immediately. All other lines are kept, and written as soon as that is
    possible. If an intent may have reached the output although it was rejected, the line that contradicts it follows.

    Args:
        output: Where lines are written.
        queue: The lines.
        loop: The event loop in which others wait for lines.
        clock: A monotonic clock.
    """

    def __init__(
        self,
        output: LineOutput,
        queue: RecordQueue,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._output = output
        self._queue = queue
        self._loop = loop
        self._clock = clock
        self._contradictions: list[bytes] = []
        self._busy_since: float | None = None
        self._problem = ""
        self._ended: asyncio.Future[None] = loop.create_future()
        threading.Thread(target=self._run, name="audit", daemon=True).start()

    @property
    def problem(self) -> str:
        """Why the last write failed; empty if it succeeded."""
        return self._problem

    def busy_seconds(self) -> float:
        """Returns for how long the current write has been taking; 0 if nothing is being written."""
        since = self._busy_since
        return 0.0 if since is None else self._clock() - since

    def reopen(self) -> None:
        """Opens the output again before the next line, because the file was renamed."""
        self._output.reopen()
        self._queue.wake()

    async def close(self, seconds: float) -> bool:
        """Writes what is queued, and ends the thread; returns whether all was written in time."""
        self._queue.close()
        await asyncio.wait((self._ended,), timeout=seconds)
        return self._ended.done() and not self._problem

    def _run(self) -> None:
        pause: float | None = None
        while (batch := self._queue.take(pause)) is not None:
            self._busy_since = self._clock()
            is_written = self._write(batch)
            self._busy_since = None
            pause = None if is_written else RETRY_SECONDS
            if not is_written:
                time.sleep(_FAILURE_PAUSE_SECONDS)
        if self._contradictions or self._output.has_rest:
            self._write(())
        self._output.close()
        self._call(self._ended.set_result, None)

    def _write(self, batch: Sequence[Entry]) -> bool:
        """Writes what is left of earlier batches, and a batch; returns whether nothing is left."""
        earlier = self._contradictions
        try:
            self._output.write([*earlier, *(entry.line for entry in batch)])
            self._contradictions = []
            self._settle(batch, State.WRITTEN)
            if self._contradictions:
                return self._write(())
        except LinesNotWrittenError as error:
            self._report(str(error))
            self._contradictions = earlier[error.touched :]
            count = max(0, error.touched - len(earlier))
            self._settle(batch[:count], State.FAILED)
            self._postpone(batch[count:])
            return False
        except Exception as error:  # noqa: BLE001 (the thread must not end)
            _log.error("exception in the audit log", **exception_location(error))
            self._settle(batch, State.FAILED)
            return False
        if self._problem:
            self._problem = ""
            _log.info("audit log is written again")
        return True

    def _settle(self, batch: Sequence[Entry], state: State) -> None:
        """Ends the wait for lines that have reached the output. Intents that were rejected are contradicted."""
        withdrawn = self._queue.settle(batch, state)
        rejected = withdrawn if state is State.WRITTEN else batch
        self._contradictions += [entry.contradict() for entry in rejected if entry.contradict]
        self._resolve(batch, is_written=state is State.WRITTEN)

    def _postpone(self, batch: Sequence[Entry]) -> None:
        """Rejects the intents that have not reached the output, and keeps the other lines for later."""
        self._queue.settle(batch, State.FAILED)
        self._resolve(batch, is_written=False)
        if not self._queue.is_closed:
            self._queue.put_back(entry for entry in batch if not entry.contradict)

    def _resolve(self, batch: Sequence[Entry], *, is_written: bool) -> None:
        waiters = [entry.waiter for entry in batch if entry.waiter]
        if waiters:
            self._call(_resolve, waiters, is_written)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            _log.error("audit log cannot be written; changes are rejected", problem=problem)


def _resolve(waiters: Sequence[asyncio.Future[bool]], is_written: bool) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(is_written)
