"""The table: from the AWS code, or the exception of AWS's library, to the status that a caller gets.

The code decides, never the HTTP status or the exception's class where there is a code: proxies and CloudFront use one
HTTP status for many things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import grpc
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

Detail = Literal["none", "resource", "precondition", "quota", "code", "tags", "etag", "request"]


class MalformedResponseError(Exception):
    """CloudFront answered a success that lacks what it must have, so that the effect cannot be told."""


@dataclass(frozen=True)
class ErrorMapping:
    """One row of the table.

    Attributes:
        code: the gRPC status.
        reason: a name of ErrorReason without its prefix.
        message: the message; `{kind}` and `{name}` are the subject's.
        detail: which google.rpc message goes with it.
        retry_after: seconds, where a retry can help.
        sets_pushback: whether a client's retry policy is told: to wait `retry_after`, or never to retry.
        include_upstream_message: whether CloudFront's own text is passed on, because it describes the caller's input.
    """

    code: grpc.StatusCode
    reason: str
    message: str
    detail: Detail = "none"
    retry_after: float | None = None
    sets_pushback: bool = False
    include_upstream_message: bool = False


_Code = grpc.StatusCode

THROTTLED = ErrorMapping(
    _Code.RESOURCE_EXHAUSTED,
    "UPSTREAM_THROTTLED",
    "CloudFront limits the account's rate; try again later",
    retry_after=2.0,
    sets_pushback=True,
)
_EXPIRED = ErrorMapping(
    _Code.UNAVAILABLE,
    "UPSTREAM_CREDENTIALS_EXPIRED",
    "the service's AWS credentials have expired, and a refresh did not help",
    retry_after=5.0,
)
_CREDENTIALS_INVALID = ErrorMapping(
    _Code.INTERNAL, "UPSTREAM_CREDENTIALS_INVALID", "AWS does not accept the service's own credentials"
)
_CREDENTIALS_MISSING = ErrorMapping(
    _Code.INTERNAL, "UPSTREAM_CREDENTIALS_MISSING", "the service has no AWS credentials"
)
_CREDENTIALS_UNAVAILABLE = ErrorMapping(
    _Code.UNAVAILABLE,
    "UPSTREAM_CREDENTIALS_UNAVAILABLE",
    "the source of the service's AWS credentials does not answer",
    retry_after=5.0,
)
_DENIED = ErrorMapping(
    _Code.PERMISSION_DENIED,
    "UPSTREAM_ACCESS_DENIED",
    "the service's own AWS role lacks the right for this operation; it is not about the caller",
)
_INVALID = ErrorMapping(
    _Code.INVALID_ARGUMENT,
    "UPSTREAM_INVALID_ARGUMENT",
    "CloudFront refused the request as invalid",
    detail="request",
    include_upstream_message=True,
)
UNAVAILABLE = ErrorMapping(
    _Code.UNAVAILABLE, "UPSTREAM_UNAVAILABLE", "CloudFront failed to answer; try again", retry_after=1.0
)
_TIMEOUT = ErrorMapping(
    _Code.UNAVAILABLE, "UPSTREAM_TIMEOUT", "CloudFront did not answer in time; try again", retry_after=1.0
)
_UNREACHABLE = ErrorMapping(
    _Code.UNAVAILABLE, "UPSTREAM_UNREACHABLE", "no connection to CloudFront could be made", retry_after=1.0
)

EXPIRED_CODES: Final = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed")
"""The AWS codes that fresh credentials may cure."""

MISCONFIGURED: Final = (
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.InvalidConfigError,
    boto.MissingDependencyException,
)
"""What botocore raises where its configuration makes no sense, credentials included: somebody has to change it."""

UNEXPECTED = ErrorMapping(_Code.INTERNAL, "INTERNAL", "internal error")

TABLE: Final[Mapping[str, ErrorMapping]] = {
    "FunctionAlreadyExists": ErrorMapping(
        _Code.ALREADY_EXISTS, "FUNCTION_ALREADY_EXISTS", "a {kind} named {name} exists already", detail="resource"
    ),
    "EntityAlreadyExists": ErrorMapping(
        _Code.ALREADY_EXISTS,
        "KEY_VALUE_STORE_ALREADY_EXISTS",
        "a {kind} named {name} exists already",
        detail="resource",
    ),
    "NoSuchFunctionExists": ErrorMapping(
        _Code.NOT_FOUND, "FUNCTION_NOT_FOUND", "there is no {kind} named {name}", detail="resource"
    ),
    "EntityNotFound": ErrorMapping(
        _Code.NOT_FOUND, "KEY_VALUE_STORE_NOT_FOUND", "there is no {kind} named {name}", detail="resource"
    ),
    "NoSuchResource": ErrorMapping(
        _Code.NOT_FOUND, "RESOURCE_NOT_FOUND", "there is no such resource", detail="resource"
    ),
    "ResourceNotFoundException": ErrorMapping(
        _Code.NOT_FOUND, "KEY_NOT_FOUND", "there is no {kind} {name} in the key value store", detail="resource"
    ),
    "FunctionInUse": ErrorMapping(
        _Code.FAILED_PRECONDITION, "FUNCTION_IN_USE", "the {kind} {name} is in use", detail="precondition"
    ),
    "CannotDeleteEntityWhileInUse": ErrorMapping(
        _Code.FAILED_PRECONDITION, "KEY_VALUE_STORE_IN_USE", "the {kind} {name} is in use", detail="precondition"
    ),
    **dict.fromkeys(
        ("PreconditionFailed", "ConflictException"),
        ErrorMapping(
            _Code.ABORTED,
            "ETAG_MISMATCH",
            "the {kind} {name} has another version than etag names; read it again, and decide anew",
            detail="precondition",
        ),
    ),
    "InvalidIfMatchVersion": ErrorMapping(
        _Code.INVALID_ARGUMENT,
        "ETAG_INVALID",
        "etag is no version that the {kind} {name} can have here; read it again",
        detail="etag",
    ),
    "TestFunctionFailed": ErrorMapping(
        _Code.INTERNAL, "TEST_FUNCTION_FAILED", "CloudFront could not run the {kind} {name}"
    ),
    "FunctionSizeLimitExceeded": ErrorMapping(
        _Code.INVALID_ARGUMENT, "FUNCTION_TOO_LARGE", "CloudFront found the function's code too large", detail="code"
    ),
    "EntitySizeLimitExceeded": ErrorMapping(
        _Code.FAILED_PRECONDITION,
        "IMPORT_SOURCE_TOO_LARGE",
        "CloudFront found the file to import too large; allowed: at most 5 MB",
        detail="precondition",
    ),
    "TooManyFunctions": ErrorMapping(
        _Code.RESOURCE_EXHAUSTED,
        "FUNCTION_QUOTA_EXCEEDED",
        "the account has as many functions as it may have (100, unless AWS raised it; on the embedded backend "
        "--embedded-max-functions)",
        detail="quota",
        sets_pushback=True,
    ),
    "EntityLimitExceeded": ErrorMapping(
        _Code.RESOURCE_EXHAUSTED,
        "KEY_VALUE_STORE_QUOTA_EXCEEDED",
        "the account has as many key value stores as it may have (50 or 200, unless AWS raised it; on the embedded "
        "backend --embedded-max-key-value-stores)",
        detail="quota",
        sets_pushback=True,
    ),
    "ServiceQuotaExceededException": ErrorMapping(
        _Code.RESOURCE_EXHAUSTED,
        "KEY_VALUE_QUOTA_EXCEEDED",
        "the {kind} {name} would be larger than a store may be (5 MB)",
        detail="quota",
        sets_pushback=True,
    ),
    "InvalidTagging": ErrorMapping(
        _Code.INVALID_ARGUMENT,
        "INVALID_TAGGING",
        "CloudFront refused the tags",
        detail="tags",
        include_upstream_message=True,
    ),
    "TaggingConflict": ErrorMapping(
        _Code.ABORTED,
        "TAGGING_CONFLICT",
        "CloudFront could not attach the tags now and created nothing; try again in a few minutes",
        retry_after=120.0,
    ),
    "UnsupportedOperation": ErrorMapping(
        _Code.UNIMPLEMENTED, "UPSTREAM_UNSUPPORTED", "CloudFront does not support this operation here"
    ),
    **dict.fromkeys(("InvalidArgument", "ValidationException", "MalformedXML"), _INVALID),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _DENIED),
    **dict.fromkeys(EXPIRED_CODES, _EXPIRED),
    **dict.fromkeys(
        (
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "MissingAuthenticationToken",
            "OptInRequired",
        ),
        _CREDENTIALS_INVALID,
    ),
    **dict.fromkeys(
        (
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "SlowDown",
            "PriorRequestNotComplete",
        ),
        THROTTLED,
    ),
    **dict.fromkeys(
        ("InternalError", "InternalFailure", "InternalServerException", "ServiceUnavailable", "RequestTimeout"),
        UNAVAILABLE,
    ),
}
"""From the AWS code to the row. A test holds it against botocore's service model."""

BY_HTTP_STATUS: Final[Mapping[int, grpc.StatusCode]] = {
    400: _Code.INVALID_ARGUMENT,
    401: _Code.PERMISSION_DENIED,
    403: _Code.PERMISSION_DENIED,
    404: _Code.NOT_FOUND,
    409: _Code.ABORTED,
    412: _Code.ABORTED,
    413: _Code.INVALID_ARGUMENT,
}

BY_EXCEPTION: Final[tuple[tuple[tuple[type[Exception], ...], ErrorMapping], ...]] = (
    ((boto.ParamValidationError,), _INVALID),
    ((boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound, boto.NoRegionError, *MISCONFIGURED),
     _CREDENTIALS_MISSING),
    ((boto.CredentialRetrievalError, boto.MetadataRetrievalError, boto.TokenRetrievalError),
     _CREDENTIALS_UNAVAILABLE),
    ((boto.EndpointConnectionError, boto.EndpointProviderError, boto.ConnectTimeoutError, boto.ProxyConnectionError,
      boto.SSLError), _UNREACHABLE),
    ((boto.ReadTimeoutError,), _TIMEOUT),
    ((boto.HTTPClientError, ResponseParserError, MalformedResponseError), UNAVAILABLE),
)  # fmt: skip
