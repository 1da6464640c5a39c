"""The checks of tags."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Literal, Protocol

from .. import limits
from ..errors.violations import Violation, quote
from .checks import describe_character, find_disallowed
from .rule_names import Rule

Charset = Literal["ascii", "unicode"]

_ALLOWED: dict[Charset, str] = {
    "ascii": "a-z A-Z 0-9 space _ - . : / = + @",
    "unicode": "letters, numbers, spaces, _ - . : / = + @",
}


class Tag(Protocol):
    """A tag as protobuf models it. An absent value differs from an empty one."""

    key: str
    value: str

    def HasField(self, field_name: Literal["value"]) -> bool:  # noqa: N802 (protobuf's name)
        """Returns whether the value is set."""


class TagRules:
    """Checks the tags of a request.

    Args:
        charset: `ascii` for the characters of the API reference, `unicode` for the wider set of the service model.
        max_tags: Maximum number of tags per resource, including the service's own tag.
    """

    def __init__(self, charset: Charset = "ascii", max_tags: int = limits.TAGS_MAX) -> None:
        self._allowed = _ALLOWED[charset]
        self._find_disallowed: Callable[[str], str | None] = (
            _disallowed_in_ascii if charset == "ascii" else _disallowed_in_unicode
        )
        self._max_tags = max_tags

    def check(self, field: str, tags: Sequence[Tag], *, own_tags: int = 0) -> Iterator[Violation]:
        """Checks the tags that a request sets; `own_tags` is the number that the service adds."""
        room = self._max_tags - own_tags
        if len(tags) > room:
            reason = f", because request_id takes {own_tags}" if own_tags else ""
            yield Violation(field, Rule.TAGS_COUNT, f"{len(tags)} tags; allowed: at most {room}{reason}")
        first_of: dict[str, int] = {}
        for index, tag in enumerate(islice(tags, limits.CHECKED_ELEMENTS_MAX)):
            yield from self._check_key(f"{field}[{index}].key", tag.key)
            first = first_of.setdefault(tag.key, index)
            if first != index and tag.key:
                yield Violation(
                    f"{field}[{index}].key",
                    Rule.TAG_KEY_UNIQUE,
                    f"{quote(tag.key)} repeats {field}[{first}].key; allowed: each key once",
                )
            if tag.HasField("value"):
                yield from self._check_value(f"{field}[{index}].value", tag.value)

    def check_keys(self, field: str, keys: Sequence[str]) -> Iterator[Violation]:
        """Checks the keys of the tags that a request removes."""
        if len(keys) > self._max_tags:
            yield Violation(field, Rule.TAGS_COUNT, f"{len(keys)} keys; allowed: at most {self._max_tags}")
        first_of: dict[str, int] = {}
        for index, key in enumerate(islice(keys, limits.CHECKED_ELEMENTS_MAX)):
            yield from self._check_key(f"{field}[{index}]", key)
            first = first_of.setdefault(key, index)
            if first != index and key:
                yield Violation(
                    f"{field}[{index}]",
                    Rule.TAG_KEY_UNIQUE,
                    f"{quote(key)} repeats {field}[{first}]; allowed: each key once",
                )

    def check_total(self, field: str, existing: AbstractSet[str], added: AbstractSet[str]) -> Iterator[Violation]:
        """Checks the number of tags that a resource would have with the keys `added`.

        An existing tag may be changed even if the resource has too many tags. Tags that AWS itself sets do not count.
        Source: AWS General Reference, tag naming limits and requirements.
        """
        counted = {key for key in existing if not key.lower().startswith(limits.TAG_RESERVED_PREFIX)}
        if not added <= existing and (count := len(counted | added)) > self._max_tags:
            yield Violation(
                field,
                Rule.TAGS_COUNT,
                f"the resource would have {count} tags ({len(counted)} existing, {len(added)} in the request); "
                f"allowed: at most {self._max_tags}",
            )

    def _check_key(self, field: str, key: str) -> Iterator[Violation]:
        if not 1 <= len(key) <= limits.TAG_KEY_MAX_LENGTH:
            sent = f"{quote(key)} has {len(key)} characters" if key else "empty"
            yield Violation(field, Rule.TAG_KEY_LENGTH, f"{sent}; allowed: 1 to {limits.TAG_KEY_MAX_LENGTH} characters")
        if bad := self._find_disallowed(key):
            yield Violation(field, Rule.TAG_KEY_CHARACTERS, f"{bad}; allowed: {self._allowed}")
        lowered = key[: limits.TAG_KEY_MAX_LENGTH].lower()
        for prefix, owner in ((limits.TAG_RESERVED_PREFIX, "AWS"), (limits.TAG_FACADE_PREFIX, "this service")):
            if lowered.startswith(prefix):
                yield Violation(
                    field,
                    Rule.TAG_KEY_RESERVED,
                    f'{quote(key)} starts with "{prefix}", which {owner} reserves in any case; '
                    "allowed: any other prefix",
                )

    def _check_value(self, field: str, value: str) -> Iterator[Violation]:
        if len(value) > limits.TAG_VALUE_MAX_LENGTH:
            yield Violation(
                field,
                Rule.TAG_VALUE_LENGTH,
                f"{quote(value)} has {len(value)} characters; allowed: 0 to {limits.TAG_VALUE_MAX_LENGTH} characters",
            )
        if bad := self._find_disallowed(value):
            yield Violation(field, Rule.TAG_VALUE_CHARACTERS, f"{bad}; allowed: {self._allowed}")


def _disallowed_in_ascii(value: str) -> str | None:
    return find_disallowed(limits.TAG_PATTERN, value)


def _disallowed_in_unicode(value: str) -> str | None:
    for index, character in enumerate(value[: limits.TAG_VALUE_MAX_LENGTH]):
        category = unicodedata.category(character)
        # \p{Z} includes line and paragraph separators, which would break every log and page that shows a tag.
        if character not in limits.TAG_PUNCTUATION and (category[0] not in "LZN" or category in ("Zl", "Zp")):
            return describe_character(value, index)
    return None
