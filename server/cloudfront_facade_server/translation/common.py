"""Pages, times and enums."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NotRequired, TypedDict, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from .. import limits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Name = TypeVar("_Name", bound=str)

_log = logging.getLogger(__name__)


class ListArguments(TypedDict):
    """What the arguments of the control plane's lists have in common."""

    MaxItems: NotRequired[str]
    Marker: NotRequired[str]


def set_page(arguments: ListArguments, page_size: int, marker: str) -> None:
    """Sets the arguments of pagination: the size and the start of a page.

    Args:
        arguments: the arguments of a list.
        page_size: maximum number of elements; 0 for CloudFront's default.
        marker: start of the page; empty for the first page.
    """
    if page_size:
        arguments["MaxItems"] = str(min(page_size, limits.LIST_PAGE_MAX))
    if marker:
        arguments["Marker"] = marker


def timestamp(time: datetime | None) -> Timestamp | None:
    """Returns the Timestamp, in UTC, of a datetime with a time zone."""
    if time is None:
        return None
    since = time - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def enum_from_boto(value: _Name | None, known: Mapping[_Name, int]) -> int:
    """Returns an enum's number; 0 (UNSPECIFIED), with a warning in the log, for a value newer than the protos."""
    if value is None:
        return 0
    number = known.get(value, 0)
    if not number:
        _log.warning("CloudFront returned %r; known values: %s", value[:64], sorted(known))
    return number
