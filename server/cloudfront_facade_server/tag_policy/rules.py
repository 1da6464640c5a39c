"""Checks the tags of a request against a tag policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal

from .. import limits
from ..errors.violations import Violation, quote
from ..validation.rule_names import Rule
from ..validation.tags import Tag
from .document import TagRule

ResourceType = Literal["function", "key-value-store"]
"""A type of resource, as its ARN names it."""

RESOURCE_TYPES: Final[tuple[ResourceType, ...]] = ("function", "key-value-store")

_SERVICE: Final = "cloudfront:"
_ALL_TYPES: Final = frozenset({f"{_SERVICE}*", f"{_SERVICE}ALL_SUPPORTED"})
_SHOWN_VALUES: Final = 5
_SOURCE: Final = "by the tag policy"


class TagPolicy:
    """A tag policy. Its checks yield violations in the way of `validation.tags.TagRules`.

    Args:
        rules: The rules of the policy.
        apply_all: Whether each rule holds for functions and stores, whatever types of resources it names.

    Attributes:
        unknown_types: Types of CloudFront's resources that the policy names and this service does not have.
    """

    def __init__(self, rules: Iterable[TagRule] = (), *, apply_all: bool = False) -> None:
        self._rules = tuple(rules)
        self._enforced: dict[ResourceType, dict[str, list[TagRule]]] = {kind: {} for kind in RESOURCE_TYPES}
        self._required: dict[ResourceType, list[TagRule]] = {kind: [] for kind in RESOURCE_TYPES}
        for rule in self._rules:
            for kind in RESOURCE_TYPES:
                if apply_all or _names(rule.enforced_for, kind):
                    self._enforced[kind].setdefault(rule.key.lower(), []).append(rule)
                if _names(rule.required_for, kind) or (apply_all and rule.required_for):
                    self._required[kind].append(rule)
        known = {*(_SERVICE + kind for kind in RESOURCE_TYPES), *_ALL_TYPES}
        named = frozenset[str]().union(*(rule.enforced_for | rule.required_for for rule in self._rules))
        self.unknown_types = sorted(each for each in named if each.startswith(_SERVICE) and each not in known)

    @property
    def applies(self) -> bool:
        """Whether any rule holds for functions or stores."""
        return any(self._enforced[kind] or self._required[kind] for kind in RESOURCE_TYPES)

    def check_create(
        self, field: str, kind: ResourceType, tags: Sequence[Tag], forced: Sequence[Tag] = ()
    ) -> Iterator[Violation]:
        """Checks the tags of a create: capitalization and values, and that no required tag is missing.

        Args:
            field: The path of the tags.
            kind: The type of the resource.
            tags: The tags of the request.
            forced: The tags that the service adds to them.
        """
        yield from self._check(field, kind, tags)
        for tag in forced:
            for violation in self._check_tag(field, field, kind, tag):
                yield violation._replace(description=f"added by the service: {violation.description}")
        keys = {tag.key for tag in (*islice(tags, limits.CHECKED_ELEMENTS_MAX), *forced)}
        # A tag in a wrong capitalization is reported by its own violation.
        misspelt = {key.lower() for key in keys if self._is_misspelt(kind, key)}
        for rule in self._required[kind]:
            if rule.key not in keys and rule.key.lower() not in misspelt:
                yield Violation(field, Rule.TAG_POLICY_REQUIRED, f"{quote(rule.key)} is missing; {_required(rule)}")

    def check(self, field: str, resource: str, tags: Sequence[Tag]) -> Iterator[Violation]:
        """Checks the tags that TagResource sets: capitalization and values.

        Args:
            field: The path of the tags.
            resource: The resource's ARN. If it names neither a function nor a store, nothing is checked.
            tags: The tags.
        """
        if kind := _kind(resource):
            yield from self._check(field, kind, tags)

    def check_keys(self, field: str, resource: str, keys: Sequence[str]) -> Iterator[Violation]:
        """Checks the keys that UntagResource removes: no required tag is among them. See `check`."""
        kind = _kind(resource)
        required = {rule.key: rule for rule in self._required[kind]} if kind else {}
        for index, key in enumerate(islice(keys, limits.CHECKED_ELEMENTS_MAX)):
            if rule := required.get(key):
                yield Violation(
                    f"{field}[{index}]",
                    Rule.TAG_POLICY_REQUIRED,
                    f"{quote(key)} cannot be removed; {_required(rule)}; TagResource changes the value",
                )

    def _check(self, field: str, kind: ResourceType, tags: Sequence[Tag]) -> Iterator[Violation]:
        if self._enforced[kind]:
            for index, tag in enumerate(islice(tags, limits.CHECKED_ELEMENTS_MAX)):
                yield from self._check_tag(f"{field}[{index}].key", f"{field}[{index}].value", kind, tag)

    def _is_misspelt(self, kind: ResourceType, key: str) -> bool:
        rules = self._enforced[kind].get(key.lower(), ())
        return bool(rules) and all(rule.key != key for rule in rules)

    def _check_tag(self, key_field: str, value_field: str, kind: ResourceType, tag: Tag) -> Iterator[Violation]:
        if not (rules := self._enforced[kind].get(tag.key.lower())):
            return
        if not (rule := next((each for each in rules if each.key == tag.key), None)):
            allowed = " or ".join(quote(each.key) for each in rules)
            yield Violation(
                key_field,
                Rule.TAG_POLICY_KEY_CASE,
                f"{quote(tag.key)} has another capitalization; allowed {_SOURCE}: {allowed}",
            )
            rule = rules[0] if len(rules) == 1 else None
        if rule and not rule.allows(tag.value):
            sent = quote(tag.value) if tag.HasField("value") else "no value"
            yield Violation(
                value_field,
                Rule.TAG_POLICY_VALUE,
                f"{sent} for {quote(rule.key)}; allowed {_SOURCE}: {_allowed(rule)}",
            )


def _names(types: frozenset[str], kind: ResourceType) -> bool:
    return f"{_SERVICE}{kind}" in types or not _ALL_TYPES.isdisjoint(types)


def _kind(resource: str) -> ResourceType | None:
    if limits.FUNCTION_ARN_PATTERN.fullmatch(resource):
        return "function"
    return "key-value-store" if limits.KEY_VALUE_STORE_ARN_PATTERN.fullmatch(resource) else None


def _required(rule: TagRule) -> str:
    allowed = "" if rule.values is None else f", with one of these values: {_allowed(rule)}"
    return f"required {_SOURCE}{allowed}"


def _allowed(rule: TagRule) -> str:
    """Returns the allowed values for a message; only the first ones if they are many."""
    if not rule.values:
        return "no value, so the tag cannot be set"
    shown = ", ".join(quote(value) for value in rule.values[:_SHOWN_VALUES])
    more = len(rule.values) - _SHOWN_VALUES
    return f"{shown} and {more} more" if more > 0 else shown
