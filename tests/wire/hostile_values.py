"""Values that a wire format can corrupt."""

from __future__ import annotations

from typing import Final

SPECIAL: Final = """<a href="x">&amp; ' \t\n ]]> <!-- -->"""
UNICODE: Final = "東京 é½\u00a0\U0001f600\u2028"
EVERY_BYTE: Final = bytes(range(256))
KEYS: Final = (
    "a",
    "/",
    "a/b",
    "/a//b/",
    "%",
    "%2F",
    "%252F",
    " ",
    " a b ",
    "+",
    "a+b c",
    ".",
    "..",
    "...",
    "a/../b",
    "./a",
    "a.b",
    "?",
    "a?b=c&d#e",
    "~!*'();:@&=+$,/?#[]",
    '"<>\\^`{|}',
    "\x00\x01\t\r\n\x7f",
    "é",
    "e\u0301",
    UNICODE,
    "\u202e\ufeff",
    "keys",
    "k" * 512,
    "é" * 256,
)
"""Keys that must be sent in a URL without a change."""
