"""The rules of a server with default settings, and the rules that a request breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules

RULES: Final = Rules(TagRules())
FUNCTION_ARN: Final = "arn:aws:cloudfront::123456789012:function/rewrite"


def broken_rules(check: Callable[[Any], Any], request: Any) -> list[tuple[str, str]]:
    """Returns the field and the rule of each violation."""
    try:
        check(request)
    except ValidationError as error:
        return [(violation.field, violation.rule) for violation in error.violations]
    return []


def violation_messages(check: Callable[[Any], Any], request: Any) -> list[str]:
    """Returns the description of each violation."""
    try:
        check(request)
    except ValidationError as error:
        return [violation.description for violation in error.violations]
    return []
