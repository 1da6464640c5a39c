"""Logs on standard error: coloured text on a terminal, else a JSON object a line."""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
import structlog


def configure(level: Literal["debug", "info", "warning", "error"], form: Literal["auto", "json", "text"]) -> None:
    """Sets up structlog and the standard library's logging to write alike."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_of_exception,
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if text else structlog.processors.JSONRenderer(_json)
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    out = _StandardError(lambda count: renderer(None, "", _lost(count)))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: out,
        cache_logger_on_first_use=True,
    )
    handler = _Handler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    # Libraries say little that helps and may say too much: only this package may log below a warning.
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
    logging.getLogger(__package__).setLevel(threshold)


def _lost(count: int) -> structlog.types.EventDict:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"event": "log lines lost", "count": count, "level": "warning", "timestamp": now}


class _StandardError:
    """Writes lines to standard error, and never waits for who reads them: no answer may depend on the log.

    A line that cannot be written at once is lost; the next one that can be tells how many were.

    Args:
        tell: makes the line that tells how many were lost.
    """

    def __init__(self, tell: Callable[[int], Any]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._lost = 0
        self._torn = False

    def msg(self, line: str) -> None:
        """Writes a line."""
        with self._lock:
            if self._lost and self._write(str(self._tell(self._lost))):
                self._lost = 0
            if not self._write(line):
                self._lost += 1

    debug = info = warning = error = msg

    def _write(self, line: str) -> bool:
        """Writes a line; False where it would block, or where there is nothing to write to."""
        begun = False
        start = "\n" if self._torn else ""
        try:
            sys.stderr.flush()
            descriptor = sys.stderr.fileno()
            for content in _pieces(f"{start}{line}\n".encode(errors="replace")):
                # A pipe that poll calls writable takes PIPE_BUF bytes without waiting (POSIX).
                if not select.select([], [descriptor], [], 0)[1]:
                    self._torn = self._torn or begun
                    return False
                os.write(descriptor, content)
                begun = True
        except (OSError, ValueError):
            return False
        self._torn = False
        return True


class _Handler(logging.Handler):
    """Writes what libraries log, in the same way."""

    def __init__(self, out: _StandardError) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        self._out.msg(self.format(record))


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), select.PIPE_BUF):
        yield content[start : start + select.PIPE_BUF]


def _json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=repr).decode()


def _place_of_exception(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Replaces an exception by its class and place: its text may hold what must not be logged."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event.update(exception_location(error))
    return event


def exception_location(error: BaseException) -> dict[str, str]:
    """Tells an unforeseen exception's class and place for the log; its text may hold secrets, and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))
    return {"exception": type(error).__name__, "where": where}
