"""The expected status of each AWS error, written by hand to verify the error table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import grpc

from support.facade import Failure

_Code = grpc.StatusCode


@dataclass(frozen=True)
class Expected:
    """The parts of an error that a caller reads.

    Attributes:
        status: The gRPC status.
        reason: The reason in ErrorInfo.
        detail: The google.rpc message besides ErrorInfo and RetryInfo; empty for none.
        field: The field of the only violation in BadRequest.
        retry: The seconds in RetryInfo; True for any, None for no RetryInfo.
        pushback: Whether the error has no pushback, forbids retries, or has the delay of RetryInfo as pushback.
    """

    status: grpc.StatusCode
    reason: str
    detail: str = ""
    field: str = ""
    retry: float | Literal[True] | None = None
    pushback: Literal["none", "never", "as RetryInfo"] = "none"


_INVALID: Final = Expected(_Code.INVALID_ARGUMENT, "UPSTREAM_INVALID_ARGUMENT", "BadRequest")
_MISMATCH: Final = Expected(_Code.ABORTED, "ETAG_MISMATCH", "PreconditionFailure")
_DENIED: Final = Expected(_Code.PERMISSION_DENIED, "UPSTREAM_ACCESS_DENIED")
_UNSUPPORTED: Final = Expected(_Code.UNIMPLEMENTED, "UPSTREAM_UNSUPPORTED")
_EXPIRED: Final = Expected(_Code.UNAVAILABLE, "UPSTREAM_CREDENTIALS_EXPIRED", retry=True)
_BAD_CREDENTIALS: Final = Expected(_Code.INTERNAL, "UPSTREAM_CREDENTIALS_INVALID")
THROTTLED: Final = Expected(_Code.RESOURCE_EXHAUSTED, "UPSTREAM_THROTTLED", retry=True, pushback="as RetryInfo")
FAILED: Final = Expected(_Code.UNAVAILABLE, "UPSTREAM_UNAVAILABLE", retry=True)
TIMED_OUT: Final = Expected(_Code.UNAVAILABLE, "UPSTREAM_TIMEOUT", retry=True)
UNREACHABLE: Final = Expected(_Code.UNAVAILABLE, "UPSTREAM_UNREACHABLE", retry=True)
NO_CREDENTIALS: Final = Expected(_Code.INTERNAL, "UPSTREAM_CREDENTIALS_MISSING")
NO_CREDENTIALS_NOW: Final = Expected(_Code.UNAVAILABLE, "UPSTREAM_CREDENTIALS_UNAVAILABLE", retry=True)
NEVER_SENT: Final = _INVALID

REJECTIONS: Final[dict[str, tuple[int, Expected]]] = {
    "FunctionAlreadyExists": (409, Expected(_Code.ALREADY_EXISTS, "FUNCTION_ALREADY_EXISTS", "ResourceInfo")),
    "EntityAlreadyExists": (409, Expected(_Code.ALREADY_EXISTS, "KEY_VALUE_STORE_ALREADY_EXISTS", "ResourceInfo")),
    "NoSuchFunctionExists": (404, Expected(_Code.NOT_FOUND, "FUNCTION_NOT_FOUND", "ResourceInfo")),
    "EntityNotFound": (404, Expected(_Code.NOT_FOUND, "KEY_VALUE_STORE_NOT_FOUND", "ResourceInfo")),
    "NoSuchResource": (404, Expected(_Code.NOT_FOUND, "RESOURCE_NOT_FOUND", "ResourceInfo")),
    "FunctionSizeLimitExceeded": (
        413,
        Expected(_Code.INVALID_ARGUMENT, "FUNCTION_TOO_LARGE", "BadRequest", field="function_code"),
    ),
    "EntitySizeLimitExceeded": (
        413,
        Expected(_Code.FAILED_PRECONDITION, "IMPORT_SOURCE_TOO_LARGE", "PreconditionFailure"),
    ),
    "TooManyFunctions": (
        400,
        Expected(_Code.RESOURCE_EXHAUSTED, "FUNCTION_QUOTA_EXCEEDED", "QuotaFailure", pushback="never"),
    ),
    "EntityLimitExceeded": (
        400,
        Expected(_Code.RESOURCE_EXHAUSTED, "KEY_VALUE_STORE_QUOTA_EXCEEDED", "QuotaFailure", pushback="never"),
    ),
    "ServiceQuotaExceededException": (
        402,
        Expected(_Code.RESOURCE_EXHAUSTED, "KEY_VALUE_QUOTA_EXCEEDED", "QuotaFailure", pushback="never"),
    ),
    "ResourceNotFoundException": (404, Expected(_Code.NOT_FOUND, "KEY_NOT_FOUND", "ResourceInfo")),
    "FunctionInUse": (409, Expected(_Code.FAILED_PRECONDITION, "FUNCTION_IN_USE", "PreconditionFailure")),
    "CannotDeleteEntityWhileInUse": (
        409,
        Expected(_Code.FAILED_PRECONDITION, "KEY_VALUE_STORE_IN_USE", "PreconditionFailure"),
    ),
    "PreconditionFailed": (412, _MISMATCH),
    "ConflictException": (409, _MISMATCH),
    "InvalidIfMatchVersion": (400, Expected(_Code.INVALID_ARGUMENT, "ETAG_INVALID", "BadRequest", field="etag")),
    "InvalidArgument": (400, _INVALID),
    "ValidationException": (400, _INVALID),
    "MalformedXML": (400, _INVALID),
    "InvalidTagging": (400, Expected(_Code.INVALID_ARGUMENT, "INVALID_TAGGING", "BadRequest", field="tags")),
    "TaggingConflict": (409, Expected(_Code.ABORTED, "TAGGING_CONFLICT", retry=120.0)),
    "UnsupportedOperation": (400, _UNSUPPORTED),
    "AccessDenied": (403, _DENIED),
    "AccessDeniedException": (403, _DENIED),
    "UnauthorizedOperation": (403, _DENIED),
    "ExpiredToken": (403, _EXPIRED),
    "ExpiredTokenException": (400, _EXPIRED),
    "RequestExpired": (400, _EXPIRED),
    "RequestTimeTooSkewed": (403, _EXPIRED),
    "InvalidClientTokenId": (403, _BAD_CREDENTIALS),
    "UnrecognizedClientException": (400, _BAD_CREDENTIALS),
    "SignatureDoesNotMatch": (403, _BAD_CREDENTIALS),
    "IncompleteSignature": (400, _BAD_CREDENTIALS),
    "MissingAuthenticationToken": (403, _BAD_CREDENTIALS),
    "OptInRequired": (403, _BAD_CREDENTIALS),
    "Throttling": (400, THROTTLED),
    "ThrottlingException": (400, THROTTLED),
    "ThrottledException": (400, THROTTLED),
    "RequestThrottled": (400, THROTTLED),
    "TooManyRequestsException": (429, THROTTLED),
    "RequestLimitExceeded": (400, THROTTLED),
    "SlowDown": (400, THROTTLED),
    "PriorRequestNotComplete": (400, THROTTLED),
    "ValidationError": (400, _INVALID),
    "MalformedInput": (400, _INVALID),
    "MalformedQueryString": (404, _INVALID),
    "MalformedHttpRequestException": (400, _INVALID),
    "SerializationException": (400, _INVALID),
    "InvalidParameterCombination": (400, _INVALID),
    "InvalidParameterException": (400, _INVALID),
    "InvalidParameterValue": (400, _INVALID),
    "InvalidQueryParameter": (400, _INVALID),
    "MissingParameter": (400, _INVALID),
    "RequestEntityTooLargeException": (413, _INVALID),
    "UnsupportedOperationException": (400, _UNSUPPORTED),
    "UnknownOperation": (404, _UNSUPPORTED),
    "UnknownOperationException": (404, _UNSUPPORTED),
    "InvalidAction": (400, _UNSUPPORTED),
    "MissingAction": (400, _UNSUPPORTED),
    "MethodNotAllowed": (405, _UNSUPPORTED),
    "UnauthorizedException": (401, _DENIED),
    "NotAuthorized": (400, _DENIED),
    "NotAuthorizedException": (403, _DENIED),
    "ForbiddenException": (403, _DENIED),
    "RequestInTheFuture": (403, _EXPIRED),
    "TokenRefreshRequired": (400, _EXPIRED),
    "InvalidSignatureException": (403, _BAD_CREDENTIALS),
    "AuthFailure": (401, _BAD_CREDENTIALS),
    "InvalidAccessKeyId": (403, _BAD_CREDENTIALS),
    "InvalidToken": (400, _BAD_CREDENTIALS),
    "IncompleteSignatureException": (403, _BAD_CREDENTIALS),
    "AuthorizationHeaderMalformed": (400, _BAD_CREDENTIALS),
    "MissingAuthenticationTokenException": (403, _BAD_CREDENTIALS),
    "InvalidSecurity": (403, _BAD_CREDENTIALS),
    "MissingSecurityHeader": (400, _BAD_CREDENTIALS),
    "SubscriptionRequiredException": (403, _BAD_CREDENTIALS),
    "NotSignedUp": (403, _BAD_CREDENTIALS),
    "AccountProblem": (403, _BAD_CREDENTIALS),
    "RequestThrottledException": (400, THROTTLED),
    "TooManyRequests": (429, THROTTLED),
    "LimitExceededException": (400, THROTTLED),
    "ProvisionedThroughputExceededException": (400, THROTTLED),
    "TransactionInProgressException": (400, THROTTLED),
    "BadDigest": (400, FAILED),
    "ReplicatedWriteConflictException": (409, FAILED),
    "IDPCommunicationError": (400, NO_CREDENTIALS_NOW),
}
"""The HTTP status and the expected error of each AWS code that proves that the request was not applied."""

FAILURES: Final[dict[str, tuple[int, Expected]]] = {
    "InternalFailure": (500, FAILED),
    "InternalError": (500, FAILED),
    "ServiceUnavailable": (503, FAILED),
    "InternalServerException": (500, FAILED),
    "InternalServerError": (500, FAILED),
    "ServiceUnavailableException": (503, FAILED),
    "EC2ThrottledException": (503, THROTTLED),
    "BandwidthLimitExceeded": (509, THROTTLED),
    "RequestTimeout": (400, FAILED),
    "RequestTimeoutException": (408, FAILED),
    "RequestAbortedException": (400, FAILED),
    "TestFunctionFailed": (500, Expected(_Code.INTERNAL, "TEST_FUNCTION_FAILED")),
}
"""The same for codes after which the outcome is unknown; the expected errors are those of reads."""


def _unrecognized(status: grpc.StatusCode) -> Expected:
    return Expected(status, "UPSTREAM_UNRECOGNIZED")


BY_HTTP_STATUS: Final[dict[int, Expected]] = {
    400: _unrecognized(_Code.INVALID_ARGUMENT),
    401: _unrecognized(_Code.PERMISSION_DENIED),
    403: _unrecognized(_Code.PERMISSION_DENIED),
    404: _unrecognized(_Code.NOT_FOUND),
    409: _unrecognized(_Code.ABORTED),
    412: _unrecognized(_Code.ABORTED),
    413: _unrecognized(_Code.INVALID_ARGUMENT),
    429: THROTTLED,
    500: FAILED,
    502: FAILED,
    503: FAILED,
    504: FAILED,
}
"""The expected error for an unknown code, and for a response without a code, such as a proxy's."""


def assert_reads(failure: Failure, expected: Expected) -> None:
    """Asserts that a failure is the expected error."""
    assert (failure.code, failure.reason) == (expected.status, expected.reason)
    assert failure.domain == "cloudfront.amazonaws.com"
    assert set(failure.details) - {"ErrorInfo", "RetryInfo"} == ({expected.detail} if expected.detail else set())
    if expected.detail == "BadRequest":
        assert [violation.field for violation in failure.violations] == [expected.field]
    if expected.retry is True:
        assert failure.retry_after is not None
        assert failure.retry_after > 0
    else:
        assert failure.retry_after == expected.retry
    delay = str(round((failure.retry_after or 0) * 1000))
    assert failure.pushback == {"none": None, "never": "-1", "as RetryInfo": delay}[expected.pushback]
