"""The facade's own errors."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final

import grpc
from google.rpc import error_details_pb2

from .status_error import MAX_MESSAGE_CHARACTERS, NEVER_RETRY, Outcome, StatusError
from .violations import Violation, quote

MAX_VIOLATIONS: Final = 20
"""Maximum number of violations in an error. More would exceed the size of its trailers."""

_RETRY_AFTER_SECONDS: Final = (0.5, 1.5)
"""Range of the delay before a rejected caller retries: jitter spreads the retries."""

_MAX_METHOD_CHARACTERS: Final = 120

UNDECODABLE_MESSAGE: Final = "the request cannot be decoded: the bytes are not a message of this method"
NO_MESSAGE: Final = "the call ended before its request was complete; send one whole message of the method"


def validation_failed(violations: Sequence[Violation]) -> StatusError:
    """Rejects a request with violations. Lists up to MAX_VIOLATIONS, first one of each field, and their total."""
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


def undecodable() -> StatusError:
    """Rejects bytes that are not a message of the method."""
    return _unreadable(UNDECODABLE_MESSAGE)


def message_too_large(size: int, limit: int) -> StatusError:
    """Rejects a request that exceeds its method's size limit."""
    return StatusError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "MESSAGE_TOO_LARGE",
        f"the request has {size} bytes; allowed: at most {limit}",
        metadata={"size": str(size), "limit": str(limit)},
        pushback=NEVER_RETRY,
    )


def too_many_changes(limit: int) -> StatusError:
    """Rejects a request with more changes than one message may have."""
    return StatusError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "MESSAGE_TOO_LARGE",
        f"the request has more than {limit} changes; allowed: at most {limit} in one message; "
        "ImportKeys takes any number of changes in several messages",
        metadata={"limit": str(limit)},
        pushback=NEVER_RETRY,
    )


def no_message() -> StatusError:
    """Rejects a call that ended before its request was complete."""
    return _unreadable(NO_MESSAGE)


def stream_stalled(seconds: float) -> StatusError:
    """Ends a call whose next message did not arrive for this number of seconds."""
    return StatusError(
        grpc.StatusCode.ABORTED,
        "STREAM_STALLED",
        f"no complete message arrived for {seconds:.0f} s; send the next message sooner, or end the stream",
        metadata={"silent_s": f"{seconds:.0f}"},
        pushback=NEVER_RETRY,
    )


def response_not_read(seconds: float) -> StatusError:
    """Ends a stream whose caller did not read a response for this number of seconds."""
    return StatusError(
        grpc.StatusCode.ABORTED,
        "STREAM_STALLED",
        f"a response was not read for {seconds:.0f} s; read each response sooner, or cancel the call",
        metadata={"silent_s": f"{seconds:.0f}"},
        pushback=NEVER_RETRY,
    )


LARGE_REQUESTS: Final = (
    "the large requests that are being processed take all memory reserved for them, a quarter of --max-request-memory"
)


def requests_overloaded(problem: str) -> StatusError:
    """Sheds a call because messages take too much memory, or too many wait.

    Args:
        problem: What is full, and the setting of its limit if it has one.
    """
    return _shed(problem)


def method_unknown(method: str) -> StatusError:
    """Rejects a call of a method that the server does not have."""
    return StatusError(
        grpc.StatusCode.UNIMPLEMENTED,
        "METHOD_UNKNOWN",
        f"unknown method {quote(method, _MAX_METHOD_CHARACTERS)}",
        metadata={"method": method[:_MAX_METHOD_CHARACTERS].encode("ascii", "replace").decode()},
    )


def request_id_reused(kind: str, name: str, request_id: str) -> StatusError:
    """Rejects a create whose request_id created the resource of this name with different content."""
    return StatusError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
        f'request_id "{request_id}" created {kind} {quote(name, MAX_MESSAGE_CHARACTERS)} with different content; '
        "repeat the same request, or use a new request_id and another name",
        metadata={"name": name, "request_id": request_id},
        details=[
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field="request_id",
                        description="already used for the same name with different content",
                        reason="REQUEST_ID_REUSED",
                    )
                ]
            )
        ],
    )


def overloaded(limit: int, what: str) -> StatusError:
    """Rejects a call because of a concurrency limit.

    Args:
        limit: The limit.
        what: What it limits, as a plural.
    """
    return _shed(f"{limit} {what} are in flight, which is the limit", limit=str(limit))


def deadline_too_short(required: float, remaining: float) -> StatusError:
    """Rejects a call whose deadline leaves too little time for its next request to CloudFront."""
    required_ms, remaining_ms = round(required * 1000), max(0, round(remaining * 1000))
    return StatusError(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "DEADLINE_TOO_SHORT",
        f"the deadline leaves {remaining_ms} ms; the next request to AWS needs {required_ms} ms and was not sent",
        metadata={"required_ms": str(required_ms), "remaining_ms": str(remaining_ms)},
    )


def deadline_exceeded(outcome: Outcome) -> StatusError:
    """Ends a call whose deadline expired while it was in flight."""
    return StatusError(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "DEADLINE_EXCEEDED",
        f"the deadline expired while the call was in flight; {_describe_outcome(outcome)}",
        outcome=outcome,
    )


def shutting_down(outcome: Outcome, *, repeatable: bool) -> StatusError:
    """Ends a call that the server's shutdown cuts off; `repeatable` is whether a retry is safe."""
    again = repeatable or outcome == "not_applied"
    advice = "; retry the same request" if again else ""
    return StatusError(
        grpc.StatusCode.UNAVAILABLE,
        "SHUTTING_DOWN",
        f"the server stopped while the call was in flight; {_describe_outcome(outcome)}{advice}",
        outcome=outcome,
        retry_after=1.0 if again else None,
        pushback=None if again else NEVER_RETRY,
    )


def internal(outcome: Outcome) -> StatusError:
    """Ends a call because of a bug in the facade. The caller sees no details."""
    return StatusError(grpc.StatusCode.INTERNAL, "INTERNAL", "internal error", outcome=outcome)


def _unreadable(problem: str) -> StatusError:
    violation = error_details_pb2.BadRequest.FieldViolation(description=problem, reason="UNREADABLE")
    return StatusError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "VALIDATION_FAILED",
        problem,
        metadata={"violation_count": "1"},
        details=[error_details_pb2.BadRequest(field_violations=[violation])],
    )


def caller_unknown(cause: str) -> StatusError:
    """Returns the error for a caller that does not prove who it is. The cause is only for the log."""
    return StatusError(
        grpc.StatusCode.UNAUTHENTICATED,
        "CALLER_UNKNOWN",
        "the caller is unknown; send a client certificate or a bearer token in authorization that the service accepts",
        cause=cause,
    )


def caller_not_allowed(advice: Iterable[str] = ()) -> StatusError:
    """Returns the error for a call that the policies deny.

    Args:
        advice: What the policies advise.
    """
    message = "the caller is not allowed to make this call"
    return StatusError(
        grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED", "; ".join([message, *dict.fromkeys(advice)])
    )


def caller_limited(limit: str, value: float, retry_after: float) -> StatusError:
    """Returns the error for a caller above its limit.

    Args:
        limit: The name of the limit.
        value: Its value.
        retry_after: Seconds after which the next call is allowed.
    """
    return StatusError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "CALLER_LIMITED",
        f"the caller's limit {limit} of {value:g} is reached; retry in {retry_after:.3g} s",
        metadata={"limit": limit, "value": f"{value:g}"},
        retry_after=retry_after,
        pushback=max(1, round(retry_after * 1000)),
    )


def audit_unavailable() -> StatusError:
    """Returns the error for a change that was not sent because the audit log cannot be written."""
    seconds = random.uniform(*_RETRY_AFTER_SECONDS)  # noqa: S311 (jitter, not secrecy)
    return StatusError(
        grpc.StatusCode.UNAVAILABLE,
        "AUDIT_UNAVAILABLE",
        "the audit log of the service cannot be written, so nothing was sent; retry in about a second",
        retry_after=seconds,
        pushback=round(seconds * 1000),
    )


def _shed(problem: str, **metadata: str) -> StatusError:
    seconds = random.uniform(*_RETRY_AFTER_SECONDS)  # noqa: S311 (jitter, not secrecy)
    return StatusError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "OVERLOADED",
        f"{problem}; retry in about a second",
        metadata=metadata,
        retry_after=seconds,
        pushback=round(seconds * 1000),
    )


def _describe_outcome(outcome: Outcome) -> str:
    match outcome:
        case "not_applied":
            return "nothing was changed"
        case "applied":
            return "the change was applied"
        case "partial":
            return "some of the changes were applied"
    return "it is unknown whether the change was applied"


def _distinct_fields_first(violations: Iterable[Violation]) -> list[Violation]:
    firsts: dict[str, Violation] = {}
    rest = [violation for violation in violations if firsts.setdefault(violation.field, violation) is not violation]
    return [*firsts.values(), *rest]
