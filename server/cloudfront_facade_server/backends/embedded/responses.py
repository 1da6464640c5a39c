"""What an answer of CloudFront has besides its content: refusals, response metadata, ARNs and times."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError

ACCOUNT_ID = "000000000000"
"""The account that every embedded resource belongs to; AWS gives it to nobody."""

ARN_PREFIX = f"arn:aws:cloudfront::{ACCOUNT_ID}:"
LOCATION_PREFIX = "https://cloudfront.amazonaws.com/2020-05-31/"
"""The API version of CloudFront's service model."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER_MEMBERS = {"Location": "location", "ContentType": "content-type"}


class CloudFrontError(Exception):
    """An operation that CloudFront would refuse, not yet tied to the operation's name.

    Args:
        code: CloudFront's error code.
        http_status: the status that CloudFront's service model has for the code.
        message: what is wrong, for a person.
    """

    def __init__(self, code: str, http_status: int, message: str) -> None:
        super().__init__(code, http_status, message)
        self.code = code
        self.http_status = http_status
        self.message = message

    def client_error(self, operation: str, now: datetime) -> ClientError:
        """The exception that boto3 raises for this refusal of `operation`."""
        error = {
            "Type": "Sender" if self.http_status < 500 else "Receiver",
            "Code": self.code,
            "Message": self.message,
        }
        return ClientError(
            {"Error": error, "ResponseMetadata": response_metadata(self.http_status, now, {})}, operation
        )


class DataPlaneError(CloudFrontError):
    """A refusal of the data plane, which speaks JSON, not XML: it has no `Type`, and its code is a header too."""

    def client_error(self, operation: str, now: datetime) -> ClientError:
        """The exception that boto3 raises for this refusal of `operation`."""
        metadata = response_metadata(self.http_status, now, {})
        metadata["HTTPHeaders"]["x-amzn-errortype"] = self.code
        return ClientError(
            {"Error": {"Message": self.message, "Code": self.code}, "ResponseMetadata": metadata}, operation
        )


def invalid_argument(message: str) -> CloudFrontError:
    """InvalidArgument, which is what CloudFront's control plane has for most that is wrong with a request."""
    return CloudFrontError("InvalidArgument", 400, message)


def response_metadata(
    http_status: int, now: datetime, members: Mapping[str, Any], etag_header: str = "etag"
) -> dict[str, Any]:
    """The `ResponseMetadata` of an answer; those of its members that travel as headers are repeated there."""
    request_id = str(uuid.uuid4())
    headers = {"date": format_datetime(now.astimezone(UTC), usegmt=True), "x-amzn-requestid": request_id}
    for member, header in {**_HEADER_MEMBERS, "ETag": etag_header}.items():
        if member in members:
            headers[header] = members[member]
    return {"RequestId": request_id, "HTTPStatusCode": http_status, "HTTPHeaders": headers, "RetryAttempts": 0}


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, which is as precise as CloudFront's times are."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(milliseconds: int) -> datetime:
    """The aware moment of `to_milliseconds`."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
