"""The error table: maps the AWS code, or botocore's exception, to the status that a caller receives.

If there is a code, only the code decides, because an HTTP status has many meanings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import grpc
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from . import aws_code_families as families

Detail = Literal["none", "resource", "precondition", "quota", "code", "tags", "etag", "request"]


class MalformedResponseError(Exception):
    """CloudFront returned a success without a required member, so it is unknown what happened."""


class CredentialSourceError(boto.CredentialRetrievalError):  # type: ignore[misc]  # botocore has no types
    """The source of the credentials failed. Its `error_msg` is written by this package and may be logged."""


@dataclass(frozen=True)
class ErrorMapping:
    """One row of the table.

    Attributes:
        code: The gRPC status.
        reason: A name of ErrorReason without its prefix.
        message: The message; `{target}` stands for the resource, for example `function "rewrite"`, `{etag}` for the
            etag that was sent, and `{etag_source}` for the rpc that returns the current one.
        detail: Which google.rpc message the status has.
        retry_after: Seconds after which a retry can help; None if it cannot.
        sets_pushback: Whether pushback controls the client's retry policy: wait `retry_after`, or never retry.
        include_upstream_message: Whether the message ends with CloudFront's, because it is about the caller's input.
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
    "CloudFront throttles the account's requests; retry later",
    retry_after=2.0,
    sets_pushback=True,
)
_EXPIRED = ErrorMapping(
    _Code.UNAVAILABLE,
    "UPSTREAM_CREDENTIALS_EXPIRED",
    "the facade's AWS credentials have expired, and refreshing them did not help",
    retry_after=5.0,
)
_CREDENTIALS_INVALID = ErrorMapping(
    _Code.INTERNAL, "UPSTREAM_CREDENTIALS_INVALID", "AWS rejected the facade's credentials"
)
_CREDENTIALS_MISSING = ErrorMapping(_Code.INTERNAL, "UPSTREAM_CREDENTIALS_MISSING", "the facade has no AWS credentials")
_NO_ENDPOINT = ErrorMapping(
    _Code.INTERNAL,
    "UPSTREAM_CREDENTIALS_MISSING",
    "the facade's AWS configuration is invalid: it leads to no endpoint for this operation",
)
_CREDENTIALS_UNAVAILABLE = ErrorMapping(
    _Code.UNAVAILABLE,
    "UPSTREAM_CREDENTIALS_UNAVAILABLE",
    "the source of the facade's AWS credentials does not respond",
    retry_after=5.0,
)
_DENIED = ErrorMapping(
    _Code.PERMISSION_DENIED,
    "UPSTREAM_ACCESS_DENIED",
    "the facade's AWS role is not allowed to perform this operation (this is not a caller permission)",
)
_INVALID = ErrorMapping(
    _Code.INVALID_ARGUMENT,
    "UPSTREAM_INVALID_ARGUMENT",
    "CloudFront rejected the request as invalid",
    detail="request",
    include_upstream_message=True,
)
_UNSUPPORTED = ErrorMapping(
    _Code.UNIMPLEMENTED, "UPSTREAM_UNSUPPORTED", "the CloudFront endpoint does not support this operation"
)
UNAVAILABLE = ErrorMapping(
    _Code.UNAVAILABLE, "UPSTREAM_UNAVAILABLE", "CloudFront did not return a valid response; retry", retry_after=1.0
)
EMBEDDED_FILE = replace(UNAVAILABLE, message="the embedded backend cannot use its file; the server's log has the cause")
_TIMEOUT = ErrorMapping(
    _Code.UNAVAILABLE, "UPSTREAM_TIMEOUT", "CloudFront did not respond in time; retry", retry_after=1.0
)
_UNREACHABLE = ErrorMapping(_Code.UNAVAILABLE, "UPSTREAM_UNREACHABLE", "cannot connect to CloudFront", retry_after=1.0)

MISCONFIGURED: Final = (
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.InvalidConfigError,
    boto.MissingDependencyException,
)
"""What botocore raises if its configuration, including credentials, is invalid."""

NO_ENDPOINT: Final = (
    boto.EndpointProviderError,
    boto.BaseEndpointResolverError,
    boto.InvalidEndpointConfigurationError,
    boto.InvalidRegionError,
)
"""What botocore raises before it sends if the configuration leads to no endpoint, so a retry cannot help."""

UNEXPECTED = ErrorMapping(_Code.INTERNAL, "INTERNAL", "internal error")

TABLE: Final[Mapping[str, ErrorMapping]] = {
    "FunctionAlreadyExists": ErrorMapping(
        _Code.ALREADY_EXISTS, "FUNCTION_ALREADY_EXISTS", "{target} already exists", detail="resource"
    ),
    "EntityAlreadyExists": ErrorMapping(
        _Code.ALREADY_EXISTS,
        "KEY_VALUE_STORE_ALREADY_EXISTS",
        "{target} already exists",
        detail="resource",
    ),
    "NoSuchFunctionExists": ErrorMapping(
        _Code.NOT_FOUND, "FUNCTION_NOT_FOUND", "{target} not found", detail="resource"
    ),
    "EntityNotFound": ErrorMapping(
        _Code.NOT_FOUND, "KEY_VALUE_STORE_NOT_FOUND", "{target} not found", detail="resource"
    ),
    "NoSuchResource": ErrorMapping(_Code.NOT_FOUND, "RESOURCE_NOT_FOUND", "{target} not found", detail="resource"),
    "ResourceNotFoundException": ErrorMapping(
        _Code.NOT_FOUND, "KEY_NOT_FOUND", "{target} not found in the key value store", detail="resource"
    ),
    "FunctionInUse": ErrorMapping(
        _Code.FAILED_PRECONDITION, "FUNCTION_IN_USE", "{target} is in use", detail="precondition"
    ),
    "CannotDeleteEntityWhileInUse": ErrorMapping(
        _Code.FAILED_PRECONDITION, "KEY_VALUE_STORE_IN_USE", "{target} is in use", detail="precondition"
    ),
    **dict.fromkeys(
        ("PreconditionFailed", "ConflictException"),
        ErrorMapping(
            _Code.ABORTED,
            "ETAG_MISMATCH",
            "etag {etag} does not match the current version of {target}; {etag_source} returns the current etag",
            detail="precondition",
        ),
    ),
    "InvalidIfMatchVersion": ErrorMapping(
        _Code.INVALID_ARGUMENT,
        "ETAG_INVALID",
        "etag {etag} is not valid for {target}; {etag_source} returns the current etag",
        detail="etag",
    ),
    "TestFunctionFailed": ErrorMapping(_Code.INTERNAL, "TEST_FUNCTION_FAILED", "CloudFront could not run {target}"),
    "FunctionSizeLimitExceeded": ErrorMapping(
        _Code.INVALID_ARGUMENT,
        "FUNCTION_TOO_LARGE",
        "CloudFront rejected the function's code as too large",
        detail="code",
    ),
    "EntitySizeLimitExceeded": ErrorMapping(
        _Code.FAILED_PRECONDITION,
        "IMPORT_SOURCE_TOO_LARGE",
        "CloudFront rejected the file to import as too large; allowed: at most 5 MB",
        detail="precondition",
    ),
    "TooManyFunctions": ErrorMapping(
        _Code.RESOURCE_EXHAUSTED,
        "FUNCTION_QUOTA_EXCEEDED",
        "the account's quota of functions is used up (default 100; on the embedded backend --embedded-max-functions)",
        detail="quota",
        sets_pushback=True,
    ),
    "EntityLimitExceeded": ErrorMapping(
        _Code.RESOURCE_EXHAUSTED,
        "KEY_VALUE_STORE_QUOTA_EXCEEDED",
        "the account's quota of key value stores is used up (default 50 or 200; on the embedded backend "
        "--embedded-max-key-value-stores)",
        detail="quota",
        sets_pushback=True,
    ),
    "ServiceQuotaExceededException": ErrorMapping(
        _Code.RESOURCE_EXHAUSTED,
        "KEY_VALUE_QUOTA_EXCEEDED",
        "{target} would exceed the quota of 5 MB for a key value store",
        detail="quota",
        sets_pushback=True,
    ),
    "InvalidTagging": ErrorMapping(
        _Code.INVALID_ARGUMENT,
        "INVALID_TAGGING",
        "CloudFront rejected the tags",
        detail="tags",
        include_upstream_message=True,
    ),
    "TaggingConflict": ErrorMapping(
        _Code.ABORTED,
        "TAGGING_CONFLICT",
        "CloudFront could not attach the tags and created nothing; retry in a few minutes",
        retry_after=120.0,
    ),
    **dict.fromkeys(families.UNSUPPORTED, _UNSUPPORTED),
    **dict.fromkeys(families.INVALID, _INVALID),
    **dict.fromkeys(families.DENIED, _DENIED),
    **dict.fromkeys(families.EXPIRED, _EXPIRED),
    **dict.fromkeys(families.CREDENTIALS_INVALID, _CREDENTIALS_INVALID),
    "IDPCommunicationError": _CREDENTIALS_UNAVAILABLE,
    **dict.fromkeys(families.THROTTLING, THROTTLED),
    **dict.fromkeys(families.FAILED, UNAVAILABLE),
}
"""Maps each AWS code to its row. Tests compare it with botocore's service model and lists of codes."""

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
    (NO_ENDPOINT, _NO_ENDPOINT),
    ((boto.CredentialRetrievalError, boto.MetadataRetrievalError, boto.TokenRetrievalError),
     _CREDENTIALS_UNAVAILABLE),
    ((boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError, boto.SSLError), _UNREACHABLE),
    ((boto.ReadTimeoutError,), _TIMEOUT),
    ((boto.HTTPClientError, ResponseParserError, MalformedResponseError), UNAVAILABLE),
)  # fmt: skip
