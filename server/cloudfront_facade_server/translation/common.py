"""Tags, times and enums, both ways."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from cloudfront_facade.v1.tag_pb2 import Tag

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = logging.getLogger(__name__)


def tags_to_boto(tags: Iterable[Tag]) -> dict[str, Any]:
    """Makes `{"Tags": {"Items": [...]}}`; nothing where there are no tags, no `Value` where a tag has none."""
    items = [{"Key": tag.key, "Value": tag.value} if tag.HasField("value") else {"Key": tag.key} for tag in tags]
    return {"Tags": {"Items": items}} if items else {}


def tags_from_boto(response: Mapping[str, Any]) -> list[Tag]:
    """Reads `{"Tags": {"Items": [...]}}`; a tag without `Value` keeps none."""
    return [Tag(key=item["Key"], value=item.get("Value")) for item in response.get("Tags", {}).get("Items", ())]


def page_to_boto(page_size: int, largest: int, marker: str) -> dict[str, str]:
    """Makes `MaxItems`, which is a string, and `Marker` of CloudFront's lists; neither where it is not said.

    Args:
        page_size: the most elements that the caller wants; 0 for CloudFront's own choice.
        largest: the most that CloudFront gives.
        marker: where the page begins; empty for the first.
    """
    size = {"MaxItems": str(min(page_size, largest))} if page_size else {}
    return {**size, "Marker": marker} if marker else size


def timestamp(time: datetime | None) -> Timestamp | None:
    """Makes a Timestamp (UTC) of a datetime with a time zone."""
    if time is None:
        return None
    since = time - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def enum_from_boto(value: str | None, known: Mapping[str, int]) -> int:
    """Gives an enum's number; 0 (UNSPECIFIED), with a line in the log, for a value newer than the protos."""
    if value is None:
        return 0
    number = known.get(value, 0)
    if not number:
        _log.warning("CloudFront answered %r where %s are known", value[:64], sorted(known))
    return number
