"""What a broken rule says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

SHOWN_CHARACTERS: Final = 32
"""Characters of a caller's text that a message shows; ARNs are shown whole, for their end matters most."""


_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")
"""What is shown as it is: printable ASCII but quotes and backslashes."""


class Violation(NamedTuple):
    """One rule that one field breaks.

    Attributes:
        field: the path of the field, for example `tags[2].key`.
        rule: the rule's name, for example `TAG_KEY_LENGTH`.
        description: what was sent, short and escaped, and what is allowed.
    """

    field: str
    rule: str
    description: str


class ValidationError(Exception):
    """A request breaks rules.

    Attributes:
        violations: all of them, in the order of the request's fields.
    """

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(f"{len(violations)} violations")
        self.violations = violations


def raise_if_any(*found: Iterable[Violation]) -> None:
    """Raises ValidationError where there are violations."""
    if violations := [violation for each in found for violation in each]:
        raise ValidationError(violations)


def quote(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Shows a caller's text in a message: in quotes, in printable ASCII, cut where it is long."""
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
