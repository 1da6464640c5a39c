"""The parts that CloudFront's responses have in common: errors, metadata, ARNs and times."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError

ACCOUNT_ID = "000000000000"
"""The account id in every ARN of this backend. AWS does not assign it."""

ARN_PREFIX = f"arn:aws:cloudfront::{ACCOUNT_ID}:"
LOCATION_PREFIX = "https://cloudfront.amazonaws.com/2020-05-31/"
"""The base URL of `Location`, with the API version of CloudFront's service model."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEADERS = {"Location": "location", "ContentType": "content-type"}


class CloudFrontError(Exception):
    """An error that CloudFront would return, without the name of the operation.

    Args:
        code: CloudFront's error code.
        http_status: The status of this code in CloudFront's service model.
        message: Describes what is wrong.
    """

    def __init__(self, code: str, http_status: int, message: str) -> None:
        super().__init__(code, http_status, message)
        self.code = code
        self.http_status = http_status
        self.message = message

    def client_error(self, operation: str, now: datetime) -> ClientError:
        """Returns the exception that boto3 raises for this error of `operation`."""
        error = {
            "Type": "Sender" if self.http_status < 500 else "Receiver",
            "Code": self.code,
            "Message": self.message,
        }
        return ClientError(
            {"Error": error, "ResponseMetadata": response_metadata(self.http_status, now, {})}, operation
        )


class DataPlaneError(CloudFrontError):
    """An error of the data plane, which uses JSON, not XML: it has no `Type`, and its code is also a header."""

    def client_error(self, operation: str, now: datetime) -> ClientError:
        """Returns the exception that boto3 raises for this error of `operation`."""
        metadata = response_metadata(self.http_status, now, {})
        metadata["HTTPHeaders"]["x-amzn-errortype"] = self.code
        return ClientError(
            {"Error": {"Message": self.message, "Code": self.code}, "ResponseMetadata": metadata}, operation
        )


def invalid_argument(message: str) -> CloudFrontError:
    """Returns InvalidArgument, the control plane's code for most invalid requests."""
    return CloudFrontError("InvalidArgument", 400, message)


def response_metadata(
    http_status: int, now: datetime, members: Mapping[str, Any], etag_header: str = "etag"
) -> dict[str, Any]:
    """Returns the `ResponseMetadata` of a response; its headers repeat the members that CloudFront sends as headers."""
    request_id = str(uuid.uuid4())
    headers = {"date": format_datetime(now.astimezone(UTC), usegmt=True), "x-amzn-requestid": request_id}
    for member, header in {**_HEADERS, "ETag": etag_header}.items():
        if member in members:
            headers[header] = members[member]
    return {"RequestId": request_id, "HTTPStatusCode": http_status, "HTTPHeaders": headers, "RetryAttempts": 0}


def to_milliseconds(time: datetime) -> int:
    """Returns milliseconds since 1970, the precision of CloudFront's times."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(milliseconds: int) -> datetime:
    """Returns the aware datetime of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
