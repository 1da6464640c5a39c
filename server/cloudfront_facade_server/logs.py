"""Logs on standard error: coloured text on a terminal, otherwise one JSON object per line."""

from __future__ import annotations

import json
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

from .printable import printable


def configure(level: Literal["debug", "info", "warning", "error"], log_format: Literal["auto", "json", "text"]) -> None:
    """Configures structlog and the standard library's logging to write lines of the same format."""
    is_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _replace_exception,
    ]
    renderer = _text_renderer() if is_text else structlog.processors.JSONRenderer(_json)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    out = _StandardError(lambda count: renderer(None, "", _lines_dropped(count)))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: out,
        cache_logger_on_first_use=True,
    )
    handler = _Handler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    # Below WARNING, libraries rarely log anything useful and may log secrets, so only this package logs there.
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
    logging.getLogger(__package__).setLevel(threshold)


def _lines_dropped(count: int) -> structlog.types.EventDict:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"event": "log lines dropped", "count": count, "level": "warning", "timestamp": now}


class _StandardError:
    """Writes lines to standard error and never blocks, so that no response waits for the reader of the log.

    A line that cannot be written immediately is dropped. When a line can be written again, a line with the number of
    dropped lines precedes it.

    Args:
        lines_dropped: Returns the line that reports the number of dropped lines.
    """

    def __init__(self, lines_dropped: Callable[[int], Any]) -> None:
        self._lines_dropped = lines_dropped
        self._lock = threading.Lock()
        self._dropped = 0
        self._is_mid_line = False

    def msg(self, line: str) -> None:
        """Writes a line."""
        with self._lock:
            if self._dropped and self._write(str(self._lines_dropped(self._dropped))):
                self._dropped = 0
            if not self._write(line):
                self._dropped += 1

    debug = info = warning = error = msg

    def _write(self, line: str) -> bool:
        """Writes a line; returns False if that would block, or if standard error is closed."""
        has_started = False
        start = "\n" if self._is_mid_line else ""
        try:
            sys.stderr.flush()
            descriptor = sys.stderr.fileno()
            for content in _pieces(f"{start}{line}\n".encode(errors="replace")):
                # If select reports a pipe as writable, PIPE_BUF bytes can be written without blocking (POSIX).
                if not select.select([], [descriptor], [], 0)[1]:
                    self._is_mid_line = self._is_mid_line or has_started
                    return False
                os.write(descriptor, content)
                has_started = True
        except (OSError, ValueError):
            return False
        self._is_mid_line = False
        return True


class _Handler(logging.Handler):
    """Writes the log records of libraries to the same output."""

    def __init__(self, out: _StandardError) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        self._out.msg(self.format(record))


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), select.PIPE_BUF):
        yield content[start : start + select.PIPE_BUF]


def _json(event: object, **_: object) -> str:
    try:
        line = orjson.dumps(event, default=repr).decode()
    except TypeError:  # an unpaired surrogate, which UTF-8 cannot encode
        return json.dumps(event, default=repr)
    return printable(line, json.dumps)


class _Shown:
    """A text that is shown without quotes if it is plain, otherwise as Python would write it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        is_plain = self._text.isprintable() and not set(self._text) & set(" =\"'\\")
        return self._text if is_plain else repr(self._text)


def _text_renderer() -> structlog.types.Processor:
    """Returns a renderer of lines for people. Whatever a caller sent, an event is one line of printable characters."""
    render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())

    def render_text(logger: Any, method: str, event: structlog.types.EventDict) -> str:
        exception = event.pop("exception", "")  # the renderer would write it on the next line
        shown = {name: _Shown(value) if isinstance(value, str) else value for name, value in event.items()}
        # The renderer colours these, and writes them as they are.
        shown |= {name: printable(str(event[name])) for name in ("event", "level", "timestamp") if name in event}
        line = str(render(logger, method, shown))
        return f"{line} exception={_Shown(exception)!r}" if exception else line

    return render_text


def _replace_exception(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Replaces an exception with its class and location, because its text may contain secrets."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event.update(exception_location(error))
    return event


def exception_location(error: BaseException) -> dict[str, str]:
    """Returns the log fields of an unexpected exception: its class and its location, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    location = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))
    return {"exception": type(error).__name__, "where": location}
