"""JSON of others: no name twice, no NaN or Infinity, and bounded depth."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def load_object(raw: bytes) -> dict[str, Any]:
    """Returns a JSON object; raises ValueError if it is not one."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_reject)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(value, dict):
        return value
    raise ValueError("not an object")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
