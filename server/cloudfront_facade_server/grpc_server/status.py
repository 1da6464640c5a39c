"""Converts exceptions to the status that the caller receives."""

from __future__ import annotations

from ..call_context import CallContext
from ..errors.facade_errors import internal, validation_failed
from ..errors.status_error import StatusError
from ..errors.violations import ValidationError


def to_status_error(error: BaseException, call: CallContext) -> StatusError:
    """Returns the status for an exception. An unexpected one becomes INTERNAL, without its text."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, ValidationError):
        return validation_failed(error.violations)
    return call.annotate(internal(call.overall_outcome))


def drop_frames(error: BaseException) -> None:
    """Drops the tracebacks of an exception that has been handled, and of those that led to it.

    Their frames hold the request. They also hold the exception, so that only the garbage collector would free both.
    """
    following: BaseException | None = error
    while following is not None:
        following.__traceback__ = None
        following.__cause__, following.__context__, following = None, None, following.__cause__ or following.__context__
