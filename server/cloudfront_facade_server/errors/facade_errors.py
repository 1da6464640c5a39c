"""The service's own refusals."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final

import grpc
from google.rpc import error_details_pb2

from .status_error import NEVER_RETRY, Outcome, StatusError
from .violations import Violation

MAX_VIOLATIONS: Final = 20
"""Violations that an error names; more would not fit into its trailers."""

_COME_BACK_SECONDS: Final = (0.5, 1.5)
"""When a shed caller comes back: spread, so that they do not all come back at once."""

UNREADABLE_MESSAGE: Final = "the request could not be read: the bytes are no message of this method"


def validation_failed(violations: Sequence[Violation]) -> StatusError:
    """Refuses a request that breaks rules: up to 20 of them, distinct fields first, and how many there are."""
    shown = _distinct_fields_first(violations)[:MAX_VIOLATIONS]
    more = f" (and {len(violations) - 1} more, see the details)" if len(violations) > 1 else ""
    return StatusError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "VALIDATION_FAILED",
        f"{shown[0].field}: {shown[0].description}{more}",
        metadata={"violation_count": str(len(violations))},
        details=[
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=violation.field, description=violation.description, reason=violation.rule
                    )
                    for violation in shown
                ]
            )
        ],
    )


def unreadable() -> StatusError:
    """Refuses bytes that are no message of the method."""
    violation = error_details_pb2.BadRequest.FieldViolation(description=UNREADABLE_MESSAGE, reason="UNREADABLE")
    return StatusError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "VALIDATION_FAILED",
        UNREADABLE_MESSAGE,
        metadata={"violation_count": "1"},
        details=[error_details_pb2.BadRequest(field_violations=[violation])],
    )


def message_too_large(size: int, limit: int) -> StatusError:
    """Refuses a request that is larger than its method takes."""
    return StatusError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "MESSAGE_TOO_LARGE",
        f"the request has {size} bytes; allowed: at most {limit}",
        metadata={"size": str(size), "limit": str(limit)},
        pushback=NEVER_RETRY,
    )


def method_unknown(method: str) -> StatusError:
    """Refuses a method that the server does not have."""
    return StatusError(
        grpc.StatusCode.UNIMPLEMENTED,
        "METHOD_UNKNOWN",
        f"no such method: {method[:120]!a}",
        metadata={"method": method[:120].encode("ascii", "replace").decode()},
    )


def request_id_reused(kind: str, name: str, request_id: str) -> StatusError:
    """Refuses a create whose request_id made the resource of this name with another content."""
    return StatusError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
        f"request_id {request_id} created the {kind} {name!a} with another content; "
        "repeat the same request, or use a new request_id and another name",
        metadata={"name": name, "request_id": request_id},
        details=[
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field="request_id",
                        description="used before for the same name with another content",
                        reason="REQUEST_ID_REUSED",
                    )
                ]
            )
        ],
    )


def overloaded(limit: int, what: str) -> StatusError:
    """Sheds a call, for `limit` of them are under way."""
    seconds = random.uniform(*_COME_BACK_SECONDS)  # noqa: S311 (spread, not secrecy)
    return StatusError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "OVERLOADED",
        f"{limit} {what} are under way, which is the limit; try again in about a second",
        metadata={"limit": str(limit)},
        retry_after=seconds,
        pushback=round(seconds * 1000),
    )


def deadline_too_short(required: float, remaining: float) -> StatusError:
    """Refuses a call that has too little time left to send anything."""
    required_ms, remaining_ms = round(required * 1000), max(0, round(remaining * 1000))
    return StatusError(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "DEADLINE_TOO_SHORT",
        f"the deadline leaves {remaining_ms} ms; at least {required_ms} ms are needed. Nothing was sent",
        metadata={"required_ms": str(required_ms), "remaining_ms": str(remaining_ms)},
    )


def deadline_exceeded(outcome: Outcome) -> StatusError:
    """Answers a call whose time ran out while it was under way."""
    return StatusError(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "DEADLINE_EXCEEDED",
        f"the time ran out while the call was under way; {_explain(outcome)}",
        outcome=outcome,
    )


def shutting_down(outcome: Outcome, *, repeatable: bool) -> StatusError:
    """Answers a call that the server's end cuts off; `repeatable` where a repeat cannot do harm."""
    again = repeatable or outcome == "not_applied"
    advice = "; repeat the same request" if again else ""
    return StatusError(
        grpc.StatusCode.UNAVAILABLE,
        "SHUTTING_DOWN",
        f"the server stopped while the call was under way; {_explain(outcome)}{advice}",
        outcome=outcome,
        retry_after=1.0 if again else None,
        pushback=None if again else NEVER_RETRY,
    )


def internal(outcome: Outcome) -> StatusError:
    """Answers a fault of the service, of which the caller learns nothing."""
    return StatusError(grpc.StatusCode.INTERNAL, "INTERNAL", "internal error", outcome=outcome)


def _explain(outcome: Outcome) -> str:
    match outcome:
        case "not_applied":
            return "nothing was changed"
        case "applied":
            return "the change happened"
        case "partial":
            return "a part of the changes happened"
    return "it cannot be told whether the change happened"


def _distinct_fields_first(violations: Iterable[Violation]) -> list[Violation]:
    firsts: dict[str, Violation] = {}
    rest = [violation for violation in violations if firsts.setdefault(violation.field, violation) is not violation]
    return [*firsts.values(), *rest]
