"""Removes from CloudFront's messages what callers must not read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .classify import aws_message

_ARN = re.compile(r"arn:[\w-]+:[^\s\"'<>,;)]*")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_UNPRINTABLE = re.compile(r"[^ -~]")


def upstream_text(error: Exception, arguments: Mapping[str, Any]) -> str:
    """Returns CloudFront's message redacted for callers, or empty."""
    return redacted(aws_message(error), arguments)


def redacted(text: str, arguments: Mapping[str, Any]) -> str:
    """Returns a text from AWS in printable ASCII, without ARNs and accounts that do not occur in `arguments`."""
    known = repr(arguments)

    def keep(hidden: str, match: re.Match[str]) -> str:
        return match[0] if match[0].rstrip(".") in known else hidden

    text = _UNPRINTABLE.sub(" ", text)
    text = _ARN.sub(lambda match: keep("[an ARN]", match), text)
    return _ACCOUNT.sub(lambda match: keep("[an account]", match), text)
