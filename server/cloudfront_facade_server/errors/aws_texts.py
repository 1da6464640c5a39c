"""AWS codes with several meanings, which only the text of the error distinguishes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from . import aws_code_families as families

OUTDATED_ETAG: Final = "ConflictException"


@dataclass(frozen=True)
class _Meaning:
    """What some codes mean together with a text.

    Attributes:
        codes: The codes.
        text: How the text begins.
        code: The code that always has this meaning.
        hint: What the operator should check; empty for nothing.
    """

    codes: tuple[str, ...]
    text: re.Pattern[str]
    code: str
    hint: str = ""


_MEANINGS: Final = (
    # The data plane rejects an outdated etag like any invalid member.
    _Meaning(("ValidationException",), re.compile("Pre-Condition failed"), OUTDATED_ETAG),
    # AWS words it as "Signature expired: ..." or "Signature not yet current: ...".
    _Meaning(
        families.SIGNATURE,
        re.compile(".*(expired|not yet current|clock|skew|in the future)", re.IGNORECASE | re.DOTALL),
        "RequestTimeTooSkewed",
        "the clock of this machine may be wrong",
    ),
    # The data plane does not accept session tokens of the global STS endpoint, and calls that a missing permission.
    _Meaning(
        ("AccessDenied", "AccessDeniedException"),
        re.compile("Authentication failed"),
        "UnrecognizedClientException",
        "the session token may come from the global STS endpoint; use the STS endpoint of a region",
    ),
)


def meant_code(code: str, text: str) -> str:
    """Returns the AWS code whose row of the error table applies to an error with this code and text.

    For example, ValidationException with the text "Pre-Condition failed during update of Key-Value-Store" means
    ConflictException.
    """
    found = _find(code, text)
    return found.code if found else code


def hint_for_operator(code: str, text: str) -> str:
    """Returns what the operator should check after an error with this code and text; empty for nothing."""
    found = _find(code, text)
    return found.hint if found else ""


def _find(code: str, text: str) -> _Meaning | None:
    return next((meaning for meaning in _MEANINGS if code in meaning.codes and meaning.text.match(text)), None)
