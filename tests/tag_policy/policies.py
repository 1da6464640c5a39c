"""Tag policies and tags for tests."""

from __future__ import annotations

import json
from typing import Any, Final

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.tag_policy.document import parse
from cloudfront_facade_server.tag_policy.rules import TagPolicy

FUNCTION: Final = "arn:aws:cloudfront::123456789012:function/rewrite"
STORE: Final = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"
BOTH: Final = ["cloudfront:function", "cloudfront:key-value-store"]


def document(**rules: dict[str, Any]) -> bytes:
    """Returns an effective policy."""
    return json.dumps({"tags": rules}).encode()


def policy(*, apply_all: bool = False, **rules: dict[str, Any]) -> TagPolicy:
    """Returns a policy with these rules."""
    return TagPolicy(parse(document(**rules)), apply_all=apply_all)


def tags(**values: str | None) -> list[Tag]:
    """Returns tags; None is a tag without a value."""
    return [Tag(key=key, value=value) for key, value in values.items()]
