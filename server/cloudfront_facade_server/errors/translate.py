"""The second step from an exception to a status: the status for what happened upstream, by the table in `aws_codes`."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import grpc
from botocore import exceptions as boto
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from .aws_codes import (
    BY_EXCEPTION,
    BY_HTTP_STATUS,
    EMBEDDED_FILE,
    NO_ENDPOINT,
    TABLE,
    THROTTLED,
    UNAVAILABLE,
    UNEXPECTED,
    CredentialSourceError,
    ErrorMapping,
)
from .aws_texts import OUTDATED_ETAG, hint_for_operator
from .classify import EmbeddedFileError, UpstreamFailure, aws_code, aws_message, table_code
from .operation_target import OperationTarget
from .redaction import redacted, upstream_text
from .status_error import CLOUDFRONT_DOMAIN, MAX_MESSAGE_CHARACTERS, NEVER_RETRY, StatusError
from .violations import quote

_MAX_CAUSE_CHARACTERS: Final = 200
JITTER: Final = (0.5, 1.5)
"""By what a delay before a retry is multiplied if clients must wait for it: a random number in this range."""

_TRANSPORT_ERRORS: Final = (boto.HTTPClientError, boto.ConnectionError)
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]{1,32}:[A-Za-z]{1,64})")


def label(target: OperationTarget) -> str:
    """Returns the resource as messages name it, for example `function "rewrite"`."""
    return f"{target.kind} {quote(target.name, MAX_MESSAGE_CHARACTERS)}"


def is_outdated_data_etag(failure: UpstreamFailure) -> bool:
    """Returns whether the data plane rejected an outdated etag in a ValidationException, which only its text shows."""
    return failure.aws_code != OUTDATED_ETAG and table_code(failure.error) == OUTDATED_ETAG


def is_temporary(failure: UpstreamFailure) -> bool:
    """Returns whether the same request may succeed later."""
    return _mapping_of(failure).retry_after is not None


def translate(failure: UpstreamFailure, target: OperationTarget) -> StatusError:
    """Returns the status for a failed read, or for a change that was proven not to be applied."""
    mapping = _mapping_of(failure)
    text = upstream_text(failure.error, target.arguments) if mapping.include_upstream_message else ""
    return _from_mapping(mapping, target, upstream_metadata(failure), text, cause(failure.error))


def status_for_code(code: str, target: OperationTarget) -> StatusError:
    """Returns the status for the AWS code that CloudFront would return, according to a read."""
    return _from_mapping(TABLE[code], target, {})


def reclassify(code: str, failure: UpstreamFailure, target: OperationTarget) -> StatusError:
    """Returns the status for a failure whose real cause has another AWS code, as later reads showed."""
    return _from_mapping(TABLE[code], target, upstream_metadata(failure), "", cause(failure.error))


def outcome_unknown(failure: UpstreamFailure, *, repeatable: bool) -> StatusError:
    """Returns the status for a change whose effect is unknown.

    Args:
        failure: What happened to it.
        repeatable: Whether it is safe to retry the request.
    """
    is_file = isinstance(failure.error, EmbeddedFileError)
    problem = "the embedded backend's file failed" if is_file else "CloudFront's response was lost"
    advice = "retry the same request" if repeatable else "check whether it was applied before you retry"
    return StatusError(
        grpc.StatusCode.UNAVAILABLE,
        "UPSTREAM_OUTCOME_UNKNOWN",
        f"{problem}, so it is unknown whether the change was applied; {advice}",
        domain=CLOUDFRONT_DOMAIN,
        outcome="unknown",
        metadata=upstream_metadata(failure),
        retry_after=1.0 if repeatable else None,
        pushback=None if repeatable else NEVER_RETRY,
        cause=cause(failure.error),
    )


def outcome_unconfirmed(mismatch: StatusError) -> StatusError:
    """Returns the status for an update with an outdated etag if perhaps an earlier request made the same update.

    Args:
        mismatch: The status for the outdated etag.
    """
    return replace(
        mismatch,
        code=grpc.StatusCode.UNAVAILABLE,
        reason="UPSTREAM_OUTCOME_UNKNOWN",
        message="the etag is outdated, perhaps because of an earlier attempt of this update, and the deadline leaves no"
        " time to find out; retry the same request with a longer deadline",
        outcome="unknown",
        details=(),
        retry_after=1.0,
    )


def cause(error: Exception) -> str:
    """Returns the cause for the log: the exception's class, and what is known about it that is not secret."""
    reason = _reason(error)
    text = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return redacted(text, {})[:_MAX_CAUSE_CHARACTERS]


def _reason(error: Exception) -> str:
    if isinstance(error, _TRANSPORT_ERRORS):
        return str(error.kwargs.get("error", ""))
    if isinstance(error, CredentialSourceError):
        return str(error.kwargs["error_msg"])
    if isinstance(error, NO_ENDPOINT):
        return str(error)
    return hint_for_operator(aws_code(error), aws_message(error))


def upstream_metadata(failure: UpstreamFailure) -> dict[str, str]:
    """Returns ErrorInfo's metadata of a failure: `aws_code`, `aws_http_status`, `aws_action`, `aws_request_id`."""
    metadata: dict[str, str] = {}
    if failure.aws_code:
        metadata["aws_code"] = failure.aws_code[:64]
    if failure.http_status:
        metadata["aws_http_status"] = str(failure.http_status)
    if action := _denied_action(failure.error):
        metadata["aws_action"] = action
    if failure.aws_request_id:
        metadata["aws_request_id"] = failure.aws_request_id[:64]
    return metadata


def precondition(reason: str, subject: str, description: str) -> error_details_pb2.PreconditionFailure:
    """Returns the detail of a FAILED_PRECONDITION."""
    violation = error_details_pb2.PreconditionFailure.Violation(type=reason, subject=subject, description=description)
    return error_details_pb2.PreconditionFailure(violations=[violation])


def _denied_action(error: Exception) -> str:
    """Returns the IAM action that AWS reports as denied, for example `cloudfront:TagResource`, or empty."""
    found = _ACTION.search(aws_message(error))
    return found[1] if found else ""


def _from_mapping(
    mapping: ErrorMapping, target: OperationTarget, metadata: Mapping[str, str], text: str = "", why: str = ""
) -> StatusError:
    etag = str(target.arguments.get("IfMatch", ""))
    named = {"name": target.name} if target.name else {}
    sent_etag = {"etag": etag} if etag and "{etag}" in mapping.message else {}
    message = mapping.message.format(target=label(target), etag=quote(etag), etag_source=target.etag_source)
    if text:
        message = f"{message}: {text}"
    message = message[:MAX_MESSAGE_CHARACTERS]
    delay = _retry_delay(mapping)
    return StatusError(
        mapping.code,
        mapping.reason,
        message,
        domain=CLOUDFRONT_DOMAIN,
        metadata={**metadata, **named, **sent_etag},
        details=_details(mapping, target, message),
        retry_after=delay,
        pushback=_pushback(mapping, delay),
        cause=why,
    )


def _mapping_of(failure: UpstreamFailure) -> ErrorMapping:
    if isinstance(failure.error, EmbeddedFileError):
        return EMBEDDED_FILE
    if isinstance(failure.error, boto.ClientError):
        return TABLE.get(table_code(failure.error)) or _unrecognized(failure.http_status)
    for classes, mapping in BY_EXCEPTION:
        if isinstance(failure.error, classes):
            return mapping
    return UNEXPECTED


def _unrecognized(http_status: int) -> ErrorMapping:
    if http_status == 429:
        return THROTTLED
    if not 400 <= http_status < 500 or http_status == 408:
        return UNAVAILABLE
    code = BY_HTTP_STATUS.get(http_status, grpc.StatusCode.FAILED_PRECONDITION)
    return ErrorMapping(
        code, "UPSTREAM_UNRECOGNIZED", f"the endpoint returned HTTP {http_status} without a known AWS error code"
    )


def _retry_delay(mapping: ErrorMapping) -> float | None:
    """Returns the seconds before a retry. If clients must wait for them, jitter spreads the retries."""
    if mapping.retry_after is None or not mapping.sets_pushback:
        return mapping.retry_after
    return round(mapping.retry_after * random.uniform(*JITTER), 3)  # noqa: S311 (jitter, not secrecy)


def _pushback(mapping: ErrorMapping, delay: float | None) -> int | None:
    if not mapping.sets_pushback:
        return None
    return NEVER_RETRY if delay is None else round(delay * 1000)


def _details(mapping: ErrorMapping, target: OperationTarget, message: str) -> list[Message]:
    violation = error_details_pb2.BadRequest.FieldViolation
    match mapping.detail:
        case "resource":
            return [error_details_pb2.ResourceInfo(
                resource_type=target.kind, resource_name=target.name, description=message
            )]  # fmt: skip
        case "precondition":
            return [precondition(mapping.reason, target.name, message)]
        case "quota":
            return [error_details_pb2.QuotaFailure(
                violations=[error_details_pb2.QuotaFailure.Violation(subject=target.kind, description=message)]
            )]  # fmt: skip
        case "code" | "tags" | "etag" | "request":
            field = {"code": "function_code", "tags": "tags", "etag": "etag", "request": target.field}[mapping.detail]
            # Clients show both as "etag: ...", so the description does not begin with the field too.
            description = message.removeprefix(f"{field} ")
            return [error_details_pb2.BadRequest(
                field_violations=[violation(field=field, description=description, reason=mapping.reason)]
            )]  # fmt: skip
    return []
