"""The rules of tags."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Literal, Protocol

from .. import limits
from ..errors.violations import Violation, quote
from .checks import character_at, outside

Charset = Literal["ascii", "unicode"]

_ALLOWED: dict[Charset, str] = {
    "ascii": "a-z A-Z 0-9 space _ - . : / = + @",
    "unicode": "letters, numbers, spaces, _ - . : / = + @",
}


class Tag(Protocol):
    """A tag as protobuf gives it; absent and empty values differ."""

    key: str
    value: str

    def HasField(self, field_name: Literal["value"]) -> bool:  # noqa: N802 (protobuf's name)
        """Tells whether the value is there."""


class TagRules:
    """Checks the tags of a request.

    Args:
        charset: `ascii` for the set of the API reference, `unicode` for the wider one of the service model.
        max_tags: how many tags a resource may have, the service's own included.
    """

    def __init__(self, charset: Charset = "ascii", max_tags: int = limits.TAGS_MAX) -> None:
        self._allowed = _ALLOWED[charset]
        self._first_bad: Callable[[str], str | None] = _outside_ascii if charset == "ascii" else _outside_unicode
        self._max_tags = max_tags

    def check(self, field: str, tags: Sequence[Tag], *, own_tags: int = 0) -> Iterator[Violation]:
        """Checks all tags; `own_tags` is how many the service adds by itself."""
        room = self._max_tags - own_tags
        if len(tags) > room:
            kept = f" beside {own_tags} for the request_id" if own_tags else ""
            yield Violation(field, "TAGS_COUNT", f"{len(tags)} tags; allowed: at most {room}{kept}")
        first_of: dict[str, int] = {}
        for index, tag in enumerate(islice(tags, limits.LOOKED_AT)):
            yield from self._key(f"{field}[{index}].key", tag.key)
            first = first_of.setdefault(tag.key, index)
            if first != index and tag.key:
                yield Violation(
                    f"{field}[{index}].key",
                    "TAG_KEY_UNIQUE",
                    f"{quote(tag.key)} repeats {field}[{first}].key; allowed: once",
                )
            if tag.HasField("value"):
                yield from self._value(f"{field}[{index}].value", tag.value)

    def check_keys(self, field: str, keys: Sequence[str]) -> Iterator[Violation]:
        """Checks the keys of tags that are to be taken away."""
        if len(keys) > self._max_tags:
            yield Violation(field, "TAGS_COUNT", f"{len(keys)} keys; allowed: at most {self._max_tags}")
        first_of: dict[str, int] = {}
        for index, key in enumerate(islice(keys, limits.LOOKED_AT)):
            yield from self._key(f"{field}[{index}]", key)
            first = first_of.setdefault(key, index)
            if first != index and key:
                yield Violation(
                    f"{field}[{index}]", "TAG_KEY_UNIQUE", f"{quote(key)} repeats {field}[{first}]; allowed: once"
                )

    def check_union(self, field: str, there: AbstractSet[str], added: AbstractSet[str]) -> Iterator[Violation]:
        """Checks how many tags a resource would have: those that are there with those that are added.

        One that is there may be changed, however many there are. Tags that AWS makes do not count. Source: AWS General
        Reference, tag naming limits and requirements.
        """
        counted = {key for key in there if not key.lower().startswith(limits.TAG_RESERVED_PREFIX)}
        if not added <= there and (count := len(counted | added)) > self._max_tags:
            yield Violation(
                field,
                "TAGS_COUNT",
                f"{len(added)} tags with the {len(counted)} that the resource has make {count}; "
                f"allowed: at most {self._max_tags} in all",
            )

    def _key(self, field: str, key: str) -> Iterator[Violation]:
        if not 1 <= len(key) <= limits.TAG_KEY_MAX_LENGTH:
            sent = f"{quote(key)} has {len(key)} characters" if key else "empty"
            yield Violation(field, "TAG_KEY_LENGTH", f"{sent}; allowed: 1 to {limits.TAG_KEY_MAX_LENGTH} characters")
        if bad := self._first_bad(key):
            yield Violation(field, "TAG_KEY_CHARACTERS", f"{bad}; allowed: {self._allowed}")
        lowered = key.lower()
        for prefix, owner in ((limits.TAG_RESERVED_PREFIX, "AWS"), (limits.TAG_FACADE_PREFIX, "this service")):
            if lowered.startswith(prefix):
                yield Violation(
                    field,
                    "TAG_KEY_RESERVED",
                    f'{quote(key)}; allowed: no "{prefix}" in front, in any case: it is reserved by {owner}',
                )

    def _value(self, field: str, value: str) -> Iterator[Violation]:
        if len(value) > limits.TAG_VALUE_MAX_LENGTH:
            yield Violation(
                field,
                "TAG_VALUE_LENGTH",
                f"{quote(value)} has {len(value)} characters; allowed: 0 to {limits.TAG_VALUE_MAX_LENGTH} characters",
            )
        if bad := self._first_bad(value):
            yield Violation(field, "TAG_VALUE_CHARACTERS", f"{bad}; allowed: {self._allowed}")


def _outside_ascii(value: str) -> str | None:
    return outside(limits.TAG_PATTERN, value)


def _outside_unicode(value: str) -> str | None:
    for index, character in enumerate(value[: limits.TAG_VALUE_MAX_LENGTH]):
        category = unicodedata.category(character)
        # Line and paragraph separators are in \p{Z}, but would break every log and page that shows a tag.
        if character not in limits.TAG_PUNCTUATION and (category[0] not in "LZN" or category in ("Zl", "Zp")):
            return character_at(value, index)
    return None
