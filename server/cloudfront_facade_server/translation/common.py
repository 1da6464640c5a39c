"""Pagination, timestamps and enums."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NotRequired, TypedDict, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from .. import limits
from ..printable import printable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Name = TypeVar("_Name", bound=str)

_log = logging.getLogger(__name__)


class ListArguments(TypedDict):
    """The pagination arguments of the control plane's list operations."""

    MaxItems: NotRequired[str]
    Marker: NotRequired[str]


def set_page(arguments: ListArguments, page_size: int, marker: str) -> None:
    """Sets the pagination arguments of a list operation.

    Args:
        arguments: The arguments of the operation.
        page_size: Maximum number of elements; 0 for CloudFront's default.
        marker: The start of the page; empty for the first page.
    """
    if page_size:
        arguments["MaxItems"] = str(min(page_size, limits.LIST_PAGE_MAX))
    if marker:
        arguments["Marker"] = marker


def timestamp(time: datetime | None) -> Timestamp | None:
    """Returns a datetime with a time zone as a Timestamp; None for None."""
    if time is None:
        return None
    elapsed = time - _EPOCH
    return Timestamp(seconds=elapsed.days * 86_400 + elapsed.seconds, nanos=elapsed.microseconds * 1000)


def enum_from_boto(value: _Name | None, known: Mapping[_Name, int]) -> int:
    """Returns an enum's number; logs a warning and returns 0 (UNSPECIFIED) if the protos do not have the value."""
    if value is None:
        return 0
    number = known.get(value, 0)
    if not number:
        allowed = ", ".join(f'"{name}"' for name in sorted(known))
        _log.warning('CloudFront returned "%s"; known values: %s', printable(value[:64]), allowed)
    return number
