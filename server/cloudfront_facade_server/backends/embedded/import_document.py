"""The content of an import file: a JSON object with a list of keys and values.

CloudFront does not document what it tolerates, so this is strict: RFC 8259, UTF-8, and no member twice. A reason names
the place, and discloses nothing of the content.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ... import limits

_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)', re.DOTALL)
_ENCODINGS = {
    "utf-8-sig": "begins with a byte order mark; remove it",
    "utf-16": "is UTF-16; it must be UTF-8",
    "utf-16-be": "is UTF-16; it must be UTF-8",
    "utf-16-le": "is UTF-16; it must be UTF-8",
    "utf-32": "is UTF-32; it must be UTF-8",
    "utf-32-be": "is UTF-32; it must be UTF-8",
    "utf-32-le": "is UTF-32; it must be UTF-8",
}


class ImportFailedError(Exception):
    """The import failed. The message is the reason that callers see."""


class _Repeating(dict[str, Any]):
    """An object that has a member more than once."""


class _NotANumberError(Exception):
    """JSON has no NaN and no Infinity."""


def parse(content: bytes) -> dict[str, str]:
    """Returns the keys and values of an import file.

    Raises:
        ImportFailedError: The file is malformed, or a key or value is not allowed.
    """
    document, repeating = _parse_json(content)
    entries = document.get("data") if isinstance(document, dict) else None
    if isinstance(document, _Repeating):
        raise ImportFailedError("The import file's object has a member more than once; members must be unique.")
    if not isinstance(entries, list):
        raise ImportFailedError('The import file must be a JSON object with a list "data".')
    key_values: dict[str, str] = {}
    for index, entry in enumerate(entries):
        key, value = _key_value(index, entry)
        if key in key_values:
            raise ImportFailedError(f"data[{index}] repeats the key of an earlier entry; keys must be unique.")
        key_values[key] = value
    if repeating:
        raise ImportFailedError("An object in the import file has a member more than once; members must be unique.")
    return key_values


def _parse_json(content: bytes) -> tuple[Any, list[_Repeating]]:
    """Returns the document, and its objects that have a member more than once."""
    if problem := _ENCODINGS.get(json.detect_encoding(content)):
        raise ImportFailedError(f"The import file {problem}.")
    repeating: list[_Repeating] = []

    def to_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(members)
        if len(result) == len(members):
            return result
        repeating.append(_Repeating(result))
        return repeating[-1]

    def reject(_constant: str) -> None:
        raise _NotANumberError

    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place(content[: error.start].decode("utf-8"), error.start)
        raise ImportFailedError(f"The import file is not UTF-8 at {place}.") from None
    try:
        # Keys and values are strings, so numbers are not parsed: one with many digits takes long.
        document = json.loads(
            text, object_pairs_hook=to_object, parse_constant=reject, parse_int=_ignore, parse_float=_ignore
        )
    except json.JSONDecodeError as error:
        raise ImportFailedError(f"The import file is not JSON at {_place(text, error.pos)}.") from None
    except _NotANumberError:
        found = next(match for match in _STRING_OR_CONSTANT.finditer(text) if match[1])
        place = _place(text, found.start())
        raise ImportFailedError(f"The import file is not JSON at {place}: JSON has no NaN and no Infinity.") from None
    except RecursionError:
        raise ImportFailedError("The import file is nested too deeply.") from None
    return document, repeating


def _ignore(_number: str) -> int:
    return 0


def _place(text: str, position: int) -> str:
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def _key_value(index: int, entry: object) -> tuple[str, str]:
    if isinstance(entry, _Repeating):
        raise ImportFailedError(f"data[{index}] has a member more than once; members must be unique.")
    if not isinstance(entry, dict):
        raise ImportFailedError(f"data[{index}] must be an object.")
    key, value = entry.get("key"), entry.get("value")
    if not isinstance(key, str) or not isinstance(value, str):
        raise ImportFailedError(f'data[{index}] must have the strings "key" and "value".')
    try:
        key_bytes, value_bytes = len(key.encode()), len(value.encode())
    except UnicodeEncodeError:
        raise ImportFailedError(
            f"data[{index}] has an unpaired surrogate; allowed: text that UTF-8 can encode."
        ) from None
    if not 1 <= key_bytes <= limits.KEY_MAX_BYTES:
        raise ImportFailedError(
            f"data[{index}] has a key of {key_bytes} bytes; 1 to {limits.KEY_MAX_BYTES} are allowed."
        )
    if value_bytes > limits.VALUE_MAX_BYTES:
        raise ImportFailedError(
            f"data[{index}] has a value of {value_bytes} bytes; at most {limits.VALUE_MAX_BYTES} are allowed."
        )
    return key, value
