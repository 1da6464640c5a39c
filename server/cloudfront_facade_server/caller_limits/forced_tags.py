"""Tags that the operator forces on what a caller creates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from .. import limits
from ..errors.violations import Violation, quote
from ..validation.rule_names import Rule
from ..validation.tags import Tag


@dataclass(slots=True)
class ForcedTag:
    """A forced tag, in the form of `validation.tags.Tag`.

    Attributes:
        key: The key.
        value: The value.
    """

    key: str
    value: str

    def HasField(self, _field_name: Literal["value"]) -> bool:  # noqa: N802 (protobuf's name)
        """Returns True: a forced tag has a value."""
        return True


class ForcedTags:
    """The forced tags of a caller.

    Args:
        tags: The values by key.

    Attributes:
        tags: The tags.
    """

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._values = dict(tags)
        self.tags: Sequence[Tag] = tuple(ForcedTag(key, value) for key, value in tags.items())

    def __bool__(self) -> bool:
        return bool(self._values)

    def missing(self, tags: Sequence[Tag]) -> tuple[Tag, ...]:
        """Returns the forced tags that a create does not have, which the service adds."""
        sent = {tag.key for tag in islice(tags, limits.CHECKED_ELEMENTS_MAX)} if self._values else frozenset()
        return tuple(tag for tag in self.tags if tag.key not in sent)

    def add(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns a create's boto3 arguments with the forced tags that they do not have.

        The fingerprint of a request_id is computed before: it is that of the caller's own arguments.
        """
        items = arguments.get("Tags", {}).get("Items", ())
        sent = {tag["Key"] for tag in items}
        added = [{"Key": key, "Value": value} for key, value in self._values.items() if key not in sent]
        return {**arguments, "Tags": {"Items": [*items, *added]}} if added else arguments

    def check_create(self, field: str, tags: Sequence[Tag]) -> Iterator[Violation]:
        """Checks the tags of a create: a forced tag has its value if it is sent."""
        for index, tag in self._forced(tags):
            value = self._values[tag.key]
            if not tag.HasField("value") or tag.value != value:
                sent = quote(tag.value) if tag.HasField("value") else "no value"
                yield Violation(
                    f"{field}[{index}].value",
                    Rule.TAG_FORCED,
                    f"{sent} for {quote(tag.key)}, which the service sets for this caller; "
                    f"allowed: {quote(value)}, or leave the tag out",
                )

    def check(self, field: str, tags: Sequence[Tag]) -> Iterator[Violation]:
        """Checks the tags that TagResource sets: none is forced."""
        for index, tag in self._forced(tags):
            yield Violation(f"{field}[{index}].key", Rule.TAG_FORCED, _not_touched(tag.key))

    def check_keys(self, field: str, keys: Sequence[str]) -> Iterator[Violation]:
        """Checks the keys that UntagResource removes: none is forced."""
        if self._values:
            for index, key in enumerate(islice(keys, limits.CHECKED_ELEMENTS_MAX)):
                if key in self._values:
                    yield Violation(f"{field}[{index}]", Rule.TAG_FORCED, _not_touched(key))

    def _forced(self, tags: Sequence[Tag]) -> Iterator[tuple[int, Tag]]:
        if self._values:
            for index, tag in enumerate(islice(tags, limits.CHECKED_ELEMENTS_MAX)):
                if tag.key in self._values:
                    yield index, tag


def _not_touched(key: str) -> str:
    return f"the service sets {quote(key)} for this caller; allowed: other keys"


NO_FORCED_TAGS: Final = ForcedTags({})
"""For callers without forced tags."""
