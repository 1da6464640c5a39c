"""The request tag, which makes a create idempotent. The create itself sets it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

KEY: Final = "cloudfront-facade:request"
"""The key of the tag. Its value is `<request_id>/<fingerprint>`."""

_FINGERPRINT_DIGITS: Final = 32


def fingerprint(arguments: Mapping[str, Any]) -> str:
    """Returns a hash of a create's boto3 arguments, which does not depend on the order of the tags.

    It must not change between releases, because replicas of two releases must agree. A golden test checks it.
    """
    content = dict(arguments)
    if tags := content.get("Tags"):
        content["Tags"] = {"Items": sorted(tags["Items"], key=lambda tag: tag["Key"])}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_base64)
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def value(request_id: str, arguments: Mapping[str, Any]) -> str:
    """Returns the value of the tag."""
    return f"{request_id.lower()}/{fingerprint(arguments)}"


def add(arguments: Mapping[str, Any], tag_value: str) -> dict[str, Any]:
    """Returns the boto3 arguments with the tag added to the caller's tags."""
    items = [*arguments.get("Tags", {}).get("Items", ()), {"Key": KEY, "Value": tag_value}]
    return {**arguments, "Tags": {"Items": items}}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
