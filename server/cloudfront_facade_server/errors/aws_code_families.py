"""The AWS codes that every service can return, by what they mean.

Each family has the spellings of all protocols: those of XML and query APIs, and those of JSON APIs, which end in
`Exception`. The sources are the lists of the AWS SDKs for Python, JavaScript, Java and Go, and the "Common errors" of
the API references. A test compares them with botocore's own lists.
"""

from __future__ import annotations

from typing import Final

THROTTLING: Final = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "EC2ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequests",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "TransactionInProgressException",
)
"""The account sends too many requests."""

EXPIRED: Final = (
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "RequestInTheFuture",
)
"""The credentials have expired, or the clocks differ. New credentials may help."""

SIGNATURE: Final = ("InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure")
"""The signature is not valid. Only the text shows whether the reason is the secret key or a clock."""

CREDENTIALS_INVALID: Final = (
    *SIGNATURE,
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "InvalidToken",
    "UnrecognizedClientException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "AuthorizationHeaderMalformed",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "InvalidSecurity",
    "MissingSecurityHeader",
    "OptInRequired",
    "SubscriptionRequiredException",
    "NotSignedUp",
    "AccountProblem",
)
"""AWS does not accept the credentials or the account."""

DENIED: Final = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "NotAuthorized",
    "NotAuthorizedException",
    "ForbiddenException",
)
"""The credentials are valid, but lack a permission."""

INVALID: Final = (
    "InvalidArgument",
    "ValidationException",
    "ValidationError",
    "MalformedXML",
    "MalformedInput",
    "MalformedQueryString",
    "MalformedHttpRequestException",
    "SerializationException",
    "InvalidParameterCombination",
    "InvalidParameterException",
    "InvalidParameterValue",
    "InvalidQueryParameter",
    "MissingParameter",
    "RequestEntityTooLargeException",
)
"""The request is not valid."""

UNSUPPORTED: Final = (
    "UnsupportedOperation",
    "UnsupportedOperationException",
    "UnknownOperation",
    "UnknownOperationException",
    "InvalidAction",
    "MissingAction",
    "MethodNotAllowed",
)
"""The endpoint does not have the operation."""

INTERRUPTED: Final = ("RequestTimeout", "RequestTimeoutException", "RequestAbortedException")
"""The request was cut off, so it may have been applied, even though the status is 4xx."""

FAILED: Final = (
    *INTERRUPTED,
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "BadDigest",
    "ReplicatedWriteConflictException",
)
"""The service failed; the same request may succeed later."""
