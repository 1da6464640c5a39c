"""From what a backend raised to the status that a caller gets, by the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
from botocore import exceptions as boto
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from .aws_codes import BY_EXCEPTION, BY_HTTP_STATUS, TABLE, THROTTLED, UNAVAILABLE, UNEXPECTED, ErrorMapping
from .classify import aws_code, aws_request_id, http_status
from .redaction import redacted, upstream_text
from .status_error import CLOUDFRONT_DOMAIN, MAX_MESSAGE_CHARACTERS, NEVER_RETRY, StatusError


@dataclass(frozen=True)
class OperationTarget:
    """What an operation is about.

    Attributes:
        kind: `function` or `key value store`.
        name: the caller's name of it.
        sent: the boto3 arguments, whose ARNs may stand in a message.
        field: the one field of the request that CloudFront can call invalid; empty where there are several.
    """

    kind: str
    name: str
    sent: Mapping[str, Any]
    field: str = ""


_MAX_CAUSE_CHARACTERS: Final = 200
_OF_THE_TRANSPORT: Final = (boto.HTTPClientError, boto.ConnectionError)
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]{1,32}:[A-Za-z]{1,64})")


def is_temporary(error: Exception) -> bool:
    """Tells whether the same request may succeed later."""
    return _row_of(error).retry_after is not None


def from_upstream(error: Exception, subject: OperationTarget) -> StatusError:
    """Translates what a backend raised, as for a read or for a change that is proven not to have happened."""
    row = _row_of(error)
    text = upstream_text(error, subject.sent) if row.include_upstream_message else ""
    return _status_error(row, subject, upstream_metadata(error), text, cause(error))


def status_for_code(code: str, subject: OperationTarget) -> StatusError:
    """Answers as the AWS code would, where a read found the same out."""
    return _status_error(TABLE[code], subject, {})


def reclassify(code: str, error: Exception, subject: OperationTarget) -> StatusError:
    """Answers an error as the AWS code would be, where reads found out what the one that it has means."""
    return _status_error(TABLE[code], subject, upstream_metadata(error), "", cause(error))


def outcome_unknown(error: Exception | None, *, repeatable: bool) -> StatusError:
    """Answers a change whose effect cannot be told; `repeatable` where repeating the request is safe."""
    advice = "repeat the same request" if repeatable else "look whether it happened before trying again"
    return StatusError(
        grpc.StatusCode.UNAVAILABLE,
        "UPSTREAM_OUTCOME_UNKNOWN",
        f"CloudFront's answer was lost, and it cannot be told whether the change happened; {advice}",
        domain=CLOUDFRONT_DOMAIN,
        outcome="unknown",
        metadata=upstream_metadata(error) if error else {},
        retry_after=1.0 if repeatable else None,
        pushback=None if repeatable else NEVER_RETRY,
        cause=cause(error) if error else "",
    )


def cause(error: Exception) -> str:
    """Says for the log what went wrong on the way: the class, and of what the transport raises its words too."""
    reason = error.kwargs.get("error", "") if isinstance(error, _OF_THE_TRANSPORT) else ""
    text = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return redacted(text, {})[:_MAX_CAUSE_CHARACTERS]


def upstream_metadata(error: Exception) -> dict[str, str]:
    """Gives what ErrorInfo says of an upstream error: `aws_code`, `aws_http_status`, `aws_action`, `aws_request_id`."""
    metadata: dict[str, str] = {}
    if code := aws_code(error):
        metadata["aws_code"] = code[:64]
    if isinstance(error, boto.ClientError) and (status := http_status(error)):
        metadata["aws_http_status"] = str(status)
    if action := _denied_action(error):
        metadata["aws_action"] = action
    if request_id := aws_request_id(error):
        metadata["aws_request_id"] = request_id[:64]
    return metadata


def _denied_action(error: Exception) -> str:
    """Gives the right that AWS says is missing, for example `cloudfront:TagResource`; empty where it says none."""
    if not isinstance(error, boto.ClientError):
        return ""
    found = _ACTION.search(str(error.response.get("Error", {}).get("Message", "")))
    return found[1] if found else ""


def _status_error(
    row: ErrorMapping, subject: OperationTarget, metadata: Mapping[str, str], text: str = "", why: str = ""
) -> StatusError:
    message = row.message.format(kind=subject.kind, name=ascii(subject.name))
    if text:
        message = f"{message}: {text}"
    message = message[:MAX_MESSAGE_CHARACTERS]
    return StatusError(
        row.code,
        row.reason,
        message,
        domain=CLOUDFRONT_DOMAIN,
        metadata={**metadata, "name": subject.name},
        details=_details(row, subject, message),
        retry_after=row.retry_after,
        pushback=_pushback(row),
        cause=why,
    )


def _row_of(error: Exception) -> ErrorMapping:
    if isinstance(error, boto.ClientError):
        return TABLE.get(aws_code(error)) or _unrecognized(http_status(error))
    for classes, row in BY_EXCEPTION:
        if isinstance(error, classes):
            return row
    return UNEXPECTED


def _unrecognized(http_status: int) -> ErrorMapping:
    if http_status == 429:
        return THROTTLED
    if not 400 <= http_status < 500 or http_status == 408:
        return UNAVAILABLE
    code = BY_HTTP_STATUS.get(http_status, grpc.StatusCode.FAILED_PRECONDITION)
    return ErrorMapping(
        code, "UPSTREAM_UNRECOGNIZED", f"the endpoint answered HTTP {http_status} with no code that is known here"
    )


def _pushback(row: ErrorMapping) -> int | None:
    if not row.sets_pushback:
        return None
    return NEVER_RETRY if row.retry_after is None else round(row.retry_after * 1000)


def _details(row: ErrorMapping, subject: OperationTarget, message: str) -> list[Message]:
    violation = error_details_pb2.BadRequest.FieldViolation
    match row.detail:
        case "resource":
            return [error_details_pb2.ResourceInfo(
                resource_type=subject.kind, resource_name=subject.name, description=message
            )]  # fmt: skip
        case "precondition":
            return [precondition(row.reason, subject.name, message)]
        case "quota":
            return [error_details_pb2.QuotaFailure(
                violations=[error_details_pb2.QuotaFailure.Violation(subject=subject.kind, description=message)]
            )]  # fmt: skip
        case "code" | "tags" | "etag" | "request":
            field = {"code": "function_code", "tags": "tags", "etag": "etag", "request": subject.field}[row.detail]
            return [error_details_pb2.BadRequest(
                field_violations=[violation(field=field, description=message, reason=row.reason)]
            )]  # fmt: skip
    return []


def precondition(kind: str, subject: str, description: str) -> error_details_pb2.PreconditionFailure:
    """Makes the detail of a FAILED_PRECONDITION."""
    return error_details_pb2.PreconditionFailure(
        violations=[
            error_details_pb2.PreconditionFailure.Violation(type=kind, subject=subject, description=description)
        ]
    )
