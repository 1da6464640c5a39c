"""Parses parts of responses that botocore parses slowly or not strictly enough."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import orjson
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(value: Any) -> datetime:
    """Parses a time. CloudFront sends ISO 8601, which botocore's parser of all formats reads much more slowly."""
    if isinstance(value, str) and value.endswith("Z"):
        return datetime.fromisoformat(value)
    if isinstance(value, int | float):
        # The data plane sends seconds since 1970, which botocore would convert to the machine's time zone.
        return _EPOCH + timedelta(seconds=value)
    parsed: datetime = parse_timestamp(value)
    return parsed


def require_json_object(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Handles botocore's event `before-parse`: rejects a successful response that is not a JSON object.

    botocore would parse it as an object without members, so ListKeys would return an empty list.

    Raises:
        ResponseParserError: The response is not a JSON object.
    """
    if response_dict["status_code"] >= HTTPStatus.MULTIPLE_CHOICES:
        return
    try:
        is_object = isinstance(orjson.loads(response_dict["body"]), dict)
    except orjson.JSONDecodeError:
        is_object = False
    if not is_object:
        raise ResponseParserError("the response is not a JSON object")
