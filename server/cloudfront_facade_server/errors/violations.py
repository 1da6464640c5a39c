"""Violations of validation rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

SHOWN_CHARACTERS: Final = 32
"""Maximum characters of a caller's text in a message. ARNs are shown in full, because their end matters most."""

_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")
"""Text that needs no escaping: printable ASCII except double quotes and backslashes."""


class Violation(NamedTuple):
    """One rule that one field violates.

    Attributes:
        field: The path of the field, for example `tags[2].key`.
        rule: The rule's name, for example `TAG_KEY_LENGTH`.
        description: What was sent, truncated and escaped, and what is allowed.
    """

    field: str
    rule: str
    description: str


class ValidationError(Exception):
    """A request violates rules.

    Attributes:
        violations: All violations, in the order of the request's fields.
    """

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(f"{len(violations)} violations")
        self.violations = violations


def raise_if_any(*found: Iterable[Violation]) -> None:
    """Raises ValidationError if there are violations."""
    if violations := [violation for each in found for violation in each]:
        raise ValidationError(violations)


def quote(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Returns a caller's text for a message: in double quotes, in printable ASCII, truncated if it is long."""
    head = text[:limit]
    if _PLAIN.fullmatch(head):
        return f'"{head}"' if len(text) <= limit else f'"{head}..."'
    shown = ""
    for character in text:
        escaped = character if _PLAIN.fullmatch(character) else _escape(character)
        if len(shown) + len(escaped) > limit:
            return f'"{shown}..."'
        shown += escaped
    return f'"{shown}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return f"\\u{{{ord(character):X}}}"
