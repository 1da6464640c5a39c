"""The tag that makes a create repeatable: it is set by the create itself and names who asked for what."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

KEY: Final = "cloudfront-facade:request"
"""The key of the tag; its value is `<request_id>/<fingerprint>`."""

_FINGERPRINT_DIGITS: Final = 32

Match = Literal["ours", "reused", "another's", "none"]


def fingerprint(arguments: Mapping[str, Any]) -> str:
    """Sums up the content of a create: equal for equal boto3 arguments, whatever the order of the tags.

    A promise between releases: replicas of two releases must agree, so a golden test pins it.
    """
    content = dict(arguments)
    if tags := content.get("Tags"):
        content["Tags"] = {"Items": sorted(tags["Items"], key=lambda tag: tag["Key"])}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_base64)
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def value(request_id: str, arguments: Mapping[str, Any]) -> str:
    """Gives the value of the tag."""
    return f"{request_id.lower()}/{fingerprint(arguments)}"


def add(arguments: Mapping[str, Any], tag_value: str) -> dict[str, Any]:
    """Gives the boto3 arguments with the tag added to the caller's."""
    items = [*arguments.get("Tags", {}).get("Items", ()), {"Key": KEY, "Value": tag_value}]
    return {**arguments, "Tags": {"Items": items}}


def classify_owner(tags: Sequence[Mapping[str, str]], tag_value: str) -> Match:
    """Tells whose a resource with these tags is.

    `ours`: the same id and content; `reused`: the same id, another content; `another's`: any tags without ours;
    `none`: no tags at all, which may not show yet.
    """
    found = next((tag.get("Value", "") for tag in tags if tag.get("Key") == KEY), None)
    if found is None:
        return "another's" if tags else "none"
    if found == tag_value:
        return "ours"
    return "reused" if found.split("/")[0] == tag_value.split("/")[0] else "another's"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
