"""The entries of the limits file, and the one that holds for a caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..identity.caller import Caller
from ..patterns import Pattern
from .forced_tags import NO_FORCED_TAGS, ForcedTags
from .gcra import Rate

_REMEMBERED_CALLERS: Final = 4096


@dataclass(frozen=True)
class Entry:
    """What holds for some callers.

    Attributes:
        pattern: The pattern of the callers; None if they are those of a group.
        group: The group of the callers.
        tags: The tags that are forced on what they create.
        rate: The rate of each of them; None for no limit.
        calls_in_flight: The calls that each of them may have in flight; None for no limit.
    """

    pattern: Pattern | None = None
    group: str | None = None
    tags: ForcedTags = NO_FORCED_TAGS
    rate: Rate | None = None
    calls_in_flight: int | None = None

    def matches(self, identity: str, groups: frozenset[str]) -> bool:
        """Returns whether the entry is for a caller."""
        return self.pattern.matches(identity) if self.pattern else self.group in groups


NO_LIMITS: Final = Entry()
"""For callers that no entry matches."""


class Limits:
    """The entries of a file.

    Args:
        entries: The entries. The first one that matches a caller counts.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = tuple(entries)
        self._find: Callable[[str, frozenset[str]], Entry] = lru_cache(_REMEMBERED_CALLERS)(self._first_match)

    def __len__(self) -> int:
        return len(self._entries)

    def entry_of(self, caller: Caller) -> Entry:
        """Returns the entry of a caller; NO_LIMITS if none matches."""
        return self._find(caller.id, caller.groups)

    def _first_match(self, identity: str, groups: frozenset[str]) -> Entry:
        return next((entry for entry in self._entries if entry.matches(identity, groups)), NO_LIMITS)
