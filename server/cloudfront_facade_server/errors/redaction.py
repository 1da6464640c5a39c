"""CloudFront's own words, as far as callers may read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from botocore import exceptions as boto

_ARN = re.compile(r"arn:[\w-]+:[^\s\"'<>,;)]*")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_UNPRINTABLE = re.compile(r"[^ -~]")


def upstream_text(error: Exception, sent: Mapping[str, Any]) -> str:
    """Gives CloudFront's words about the caller's input, without ARNs and accounts that the caller did not send."""
    if not isinstance(error, boto.ClientError):
        return ""
    return redacted(str(error.response.get("Error", {}).get("Message", "")), sent)


def redacted(text: str, sent: Mapping[str, Any]) -> str:
    """Gives a text of AWS's without ARNs and accounts that the caller did not send, in printable ASCII."""
    known = repr(sent)

    def keep(hidden: str, match: re.Match[str]) -> str:
        return match[0] if match[0].rstrip(".") in known else hidden

    text = _UNPRINTABLE.sub(" ", text)
    text = _ARN.sub(lambda match: keep("[an ARN]", match), text)
    return _ACCOUNT.sub(lambda match: keep("[an account]", match), text)
