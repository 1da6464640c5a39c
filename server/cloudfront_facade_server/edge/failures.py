"""From any exception to the status that the caller gets."""

from __future__ import annotations

from ..call import Call
from ..errors.refusals import internal, validation_failed
from ..errors.status_error import StatusError
from ..validation.violations import ValidationError


def status_error(error: BaseException, call: Call) -> StatusError:
    """Makes the status of an exception; one that nobody foresaw becomes INTERNAL and says nothing of itself."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, ValidationError):
        return validation_failed(error.violations)
    return call.marked(internal(call.effect))
