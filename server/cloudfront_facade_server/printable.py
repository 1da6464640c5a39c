"""Escapes texts of others for logs and terminals."""

from __future__ import annotations

from collections.abc import Callable


def printable(text: str, literal: Callable[[str], str] = repr) -> str:
    """Returns a text on one line, with escapes for everything that a terminal would obey or not show.

    These are control characters (C0, C1), line breaks, and marks that change the direction of text.

    Args:
        text: The text.
        literal: Returns a character as a literal in quotes. Its escape is used.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else literal(each)[1:-1] for each in text)
