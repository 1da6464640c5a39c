"""From any exception to the status that the caller gets, and what the log may say of it."""

from __future__ import annotations

import traceback
from pathlib import Path

from ..errors.refusals import internal, validation_failed
from ..errors.status_error import Outcome, StatusError
from ..validation.violations import ValidationError


def status_error(error: BaseException, outcome: Outcome) -> StatusError:
    """Makes the status of an exception; one that nobody foresaw becomes INTERNAL and says nothing of itself."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, ValidationError):
        return validation_failed(error.violations)
    return internal(outcome)


def place(error: BaseException) -> dict[str, str]:
    """Tells an unforeseen exception's class and place for the log; its text may hold secrets, and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))
    return {"exception": type(error).__name__, "where": where}
