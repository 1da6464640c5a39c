"""Logs on standard error: coloured text on a terminal, else a JSON object a line."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Literal

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
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    # Libraries say little that helps and may say too much: only this package may log below a warning.
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
    logging.getLogger(__package__).setLevel(threshold)


class _StandardError:
    """Writes lines to standard error. One that cannot be written is lost, for no answer may depend on the log."""

    def __init__(self, *_: object) -> None:
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        """Writes a line."""
        with suppress(OSError, ValueError), self._lock:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = msg


def _json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=repr).decode()


def _place_of_exception(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Replaces an exception by its class and place: its text may hold what must not be logged."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event.update(place(error))
    return event


def place(error: BaseException) -> dict[str, str]:
    """Tells an unforeseen exception's class and place for the log; its text may hold secrets, and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))
    return {"exception": type(error).__name__, "where": where}
