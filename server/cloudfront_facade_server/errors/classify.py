"""What an upstream error is, and what it proves about the effect."""

from __future__ import annotations

from typing import Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from .aws_codes import MISCONFIGURED, MalformedResponseError

UPSTREAM_ERRORS: Final = (boto.ClientError, boto.BotoCoreError, ResponseParserError, MalformedResponseError)
"""Everything that a backend raises for what happened upstream; all else is a fault of this service."""


_NEVER_SENT: Final = (
    boto.ParamValidationError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.NoRegionError,
    *MISCONFIGURED,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
    boto.TokenRetrievalError,
    boto.EndpointProviderError,
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.SSLError,
)
"""What comes before anything is sent; of the last three `backends/aws_transport.py` sees to that."""


def proven_not_applied(error: Exception) -> bool:
    """Tells whether nothing can have changed: an upstream 4xx (but 408), or a request that was never sent."""
    if isinstance(error, boto.ClientError):
        return 400 <= http_status(error) < 500 and http_status(error) != 408 and aws_code(error) != "RequestTimeout"
    return isinstance(error, _NEVER_SENT)


def aws_code(error: Exception) -> str:
    """Gives the AWS code of an error; empty where it has none: botocore puts the HTTP status there instead."""
    code = str(error.response.get("Error", {}).get("Code") or "") if isinstance(error, boto.ClientError) else ""
    return "" if code.isdigit() else code


def aws_request_id(error: Exception) -> str:
    """Gives the id that AWS logs the request under; empty where there is none."""
    if not isinstance(error, boto.ClientError):
        return ""
    return str(error.response.get("ResponseMetadata", {}).get("RequestId", ""))


def http_status(error: boto.ClientError) -> int:
    """Gives the HTTP status of an answer that is an error."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
