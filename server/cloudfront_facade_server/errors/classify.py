"""The first step from an exception to a status: what happened upstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from .aws_code_families import EXPIRED, INTERRUPTED
from .aws_codes import MISCONFIGURED, NO_ENDPOINT, MalformedResponseError
from .aws_texts import meant_code
from .status_error import Outcome

UPSTREAM_ERRORS: Final = (boto.ClientError, boto.BotoCoreError, ResponseParserError, MalformedResponseError)
"""What a backend raises if something fails upstream. Any other exception is a bug of the facade."""

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
    *NO_ENDPOINT,
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.SSLError,
)
"""What is raised before anything is sent. `backends/aws/transport.py` makes sure of that for the last three."""


class EmbeddedFileError(boto.ClientError):  # type: ignore[misc]
    """The embedded backend cannot use its file."""


class RolledBackError(EmbeddedFileError):
    """The embedded backend cannot use its file and knows, whatever the HTTP status, that nothing was changed."""


@dataclass(frozen=True)
class UpstreamFailure:
    """What happened to a call that failed upstream.

    Attributes:
        error: The exception that the backend raised.
        outcome: `not_applied` if the error proves that nothing was changed, otherwise `unknown`.
        aws_code: The AWS error code, or empty.
        http_status: The HTTP status of the response; 0 if there was no response.
        aws_request_id: AWS's id of the request, or empty.
    """

    error: Exception
    outcome: Outcome
    aws_code: str
    http_status: int
    aws_request_id: str


def classify(error: Exception) -> UpstreamFailure:
    """Returns what an exception of a backend shows about the outcome."""
    outcome: Outcome = "not_applied" if proven_not_applied(error) else "unknown"
    return UpstreamFailure(error, outcome, aws_code(error), http_status(error), aws_request_id(error))


def proven_not_applied(error: Exception) -> bool:
    """Returns whether nothing was changed: the response is a 4xx other than 408, or the request was never sent."""
    if isinstance(error, RolledBackError):
        return True
    if isinstance(error, boto.ClientError):
        return 400 <= http_status(error) < 500 and http_status(error) != 408 and aws_code(error) not in INTERRUPTED
    return isinstance(error, _NEVER_SENT)


def aws_code(error: Exception) -> str:
    """Returns the AWS code of an error, or empty. For an error without a code, botocore uses the HTTP status."""
    code = str(error.response.get("Error", {}).get("Code") or "") if isinstance(error, boto.ClientError) else ""
    return "" if code.isdigit() else code


def table_code(error: Exception) -> str:
    """Returns the AWS code whose row of the error table applies, or empty: usually the error's own code."""
    return meant_code(aws_code(error), aws_message(error))


def may_need_new_credentials(error: Exception) -> bool:
    """Returns whether AWS rejected a request because its credentials expired or because of a clock."""
    return table_code(error) in EXPIRED


def aws_message(error: Exception) -> str:
    """Returns the message of an AWS error, or empty. Callers must not read it unredacted."""
    return str(error.response.get("Error", {}).get("Message", "")) if isinstance(error, boto.ClientError) else ""


def aws_request_id(error: Exception) -> str:
    """Returns AWS's id of the request, or empty."""
    if not isinstance(error, boto.ClientError):
        return ""
    return str(error.response.get("ResponseMetadata", {}).get("RequestId", ""))


def http_status(error: Exception) -> int:
    """Returns the HTTP status of an error response; 0 if there was no response."""
    if not isinstance(error, boto.ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
