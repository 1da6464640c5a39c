"""Texts of callers in audit records: bounded, and harmless for terminals and line-based tools."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

import orjson

from ..printable import printable

MAX_TEXT_CHARACTERS: Final = 1024
"""Maximum length of a text in a record. A longer one is cut, and ends with an ellipsis."""

MAX_ITEMS: Final = 64
"""Maximum length of a list in a record. Tags are at most 50."""

_ELLIPSIS: Final = "…"


def bounded(text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    """Returns a text of at most this number of characters."""
    return text if len(text) <= limit else text[: limit - 1] + _ELLIPSIS


def bounded_list(texts: Iterable[str]) -> list[str]:
    """Returns the first MAX_ITEMS texts, each bounded."""
    return [bounded(text) for text in islice(texts, MAX_ITEMS)]


def to_line(record: dict[str, Any]) -> bytes:
    """Returns a record as one line of JSON, which ends with a newline.

    Characters that a terminal would obey or not show are escaped, so a JSON parser returns the exact text. Unpaired
    surrogates, which UTF-8 cannot encode, become question marks.
    """
    try:
        line = orjson.dumps(record).decode()
    except TypeError:
        line = orjson.dumps(_without_surrogates(record)).decode()
    return f"{printable(line, json.dumps)}\n".encode()


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
        case list():
            return [_without_surrogates(each) for each in value]
    return value
