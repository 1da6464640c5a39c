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
