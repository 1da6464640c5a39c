"""Strict JSON: no member twice, no constants beyond JSON, and the position of each value for messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from ..errors.violations import quote

Path = tuple[str | int, ...]
"""Where a value is: the names and indexes from the top."""

_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class JsonError(ValueError):
    """A text is not strict JSON. The message is one line: the position and the problem."""


@dataclass(frozen=True)
class JsonText:
    """A parsed text.

    Attributes:
        value: The value.
        offsets: For each value the offset of its name, or of the value itself if it has no name.
    """

    value: Any
    offsets: Mapping[Path, int]
    _text: str

    def where(self, path: Path) -> str:
        """Returns the position of a value, for example `line 3, column 5`."""
        return _position(self._text, self.offsets[path])


def parse(text: str) -> JsonText:
    """Parses a text; raises JsonError."""
    try:
        value = json.loads(text, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        raise JsonError(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg.lower()}") from None
    except RecursionError:
        raise JsonError("not a policy: it is nested too deeply") from None
    except ValueError as error:  # a constant, or a number with thousands of digits
        raise JsonError(f"not JSON: {error}") from None
    return JsonText(value, dict(_offsets(text)), text)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value of JSON")


@dataclass
class _Container:
    path: Path
    is_object: bool
    names: set[str] = field(default_factory=set)
    at: str | int | None = None

    @property
    def inner(self) -> Path:
        return self.path if self.at is None else (*self.path, self.at)


def _offsets(text: str) -> Iterator[tuple[Path, int]]:
    """Yields the path and the offset of each value of a valid text; raises JsonError for a member that occurs twice."""
    stack: list[_Container] = []
    for match in _PIECE.finditer(text):
        piece, top = match.group(), stack[-1] if stack else None
        if piece == ":":
            continue
        if piece in ("}", "]"):
            stack.pop()
        elif piece == ",":
            assert top is not None  # noqa: S101 (the text is valid)
            top.at = None if top.is_object else int(top.at or 0) + 1
        elif top and top.is_object and top.at is None:
            top.at = json.loads(piece)
            if top.at in top.names:
                raise JsonError(f"{_position(text, match.start())}: the member {quote(str(top.at))} occurs twice")
            top.names.add(str(top.at))
            yield top.inner, match.start()
        else:
            path = top.inner if top else ()
            if not top or not top.is_object:
                yield path, match.start()
            if piece in ("{", "["):
                stack.append(_Container(path, piece == "{", at=None if piece == "{" else 0))


def _position(text: str, offset: int) -> str:
    return f"line {text.count(chr(10), 0, offset) + 1}, column {offset - text.rfind(chr(10), 0, offset)}"
