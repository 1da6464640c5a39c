"""Reads an effective tag policy of AWS Organizations.

Source: AWS Organizations User Guide, tag policy syntax and examples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from .. import limits
from ..errors.violations import quote
from . import json_text
from .json_text import JsonText, Path

POLICY_MAX_BYTES: Final = 1024 * 1024
"""Maximum size of a policy. Source: this service; far above what ten policies at each of seven levels can hold."""

_MEMBERS: Final = ("tag_key", "tag_value", "enforced_for", "report_required_tag_for")
_RESOURCE_TYPE: Final = re.compile(r"[a-z0-9-]+:(?:\*|[A-Za-z0-9_./-]+)")
_OPERATOR: Final = "@@"

_COMMAND: Final = (
    "aws organizations describe-effective-policy --policy-type TAG_POLICY --query EffectivePolicy.PolicyContent "
    "--output text"
)


class DocumentError(ValueError):
    """A document is not an effective tag policy. The message is one line: position, problem and what is allowed."""


@dataclass(frozen=True, slots=True)
class TagRule:
    """What a policy says about one tag.

    Attributes:
        key: The key, in the capitalization that is allowed.
        values: The allowed values, each with at most one `*`; None for any, empty for none.
        enforced_for: The types of resources whose tags must obey, for example `cloudfront:function`.
        required_for: The types of resources that must have the tag.
    """

    key: str
    values: tuple[str, ...] | None = None
    enforced_for: frozenset[str] = frozenset()
    required_for: frozenset[str] = frozenset()

    def allows(self, value: str) -> bool:
        """Returns whether a value is allowed. Case counts; a tag without a value has an empty one."""
        return self.values is None or any(_matches(allowed, value) for allowed in self.values)


def parse(content: bytes) -> tuple[TagRule, ...]:
    """Returns the rules of an effective policy; raises DocumentError."""
    if len(content) > POLICY_MAX_BYTES:
        raise DocumentError(f"more than {POLICY_MAX_BYTES:,} bytes; allowed: at most {POLICY_MAX_BYTES:,}")
    try:
        document = json_text.parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DocumentError(f"byte {error.start}: not UTF-8") from None
    except json_text.JsonError as error:
        raise DocumentError(str(error)) from None
    return _Reader(document).rules()


class _Reader:
    """Reads the rules from a document; each method raises DocumentError."""

    def __init__(self, document: JsonText) -> None:
        self._document = document

    def rules(self) -> tuple[TagRule, ...]:
        self._reject_operators()
        top = self._document.value
        if isinstance(top, dict) and "EffectivePolicy" in top:
            self._fail((), f"the response of DescribeEffectivePolicy; allowed: only its PolicyContent, from {_COMMAND}")
        self._require_members((), ("tags",))
        if "tags" not in top:
            self._fail((), 'the member "tags" is missing')
        self._require_object(("tags",))
        rules: dict[str, TagRule] = {}
        for policy_key in top["tags"]:
            rule = self._rule(policy_key)
            if rule.key in rules:
                self._fail(("tags", policy_key), f"the tag key {quote(rule.key)} is in two rules; allowed: one rule")
            rules[rule.key] = rule
        return tuple(rules.values())

    def _rule(self, policy_key: str) -> TagRule:
        path: Path = ("tags", policy_key)
        self._require_members(path, _MEMBERS)
        members = self._document.value["tags"][policy_key]
        # AWS: the default capitalization is lower case.
        key = members.get("tag_key", policy_key.lower())
        if not isinstance(key, str):
            self._fail((*path, "tag_key"), "not a text; allowed: the tag key")
        if not 1 <= len(key) <= limits.TAG_KEY_MAX_LENGTH:
            self._fail(path, f"{len(key)} characters; allowed: a key of 1 to {limits.TAG_KEY_MAX_LENGTH} characters")
        if key.lower() != policy_key.lower():
            problem = f"{quote(key)} differs from {quote(policy_key)}; allowed: the same key, in any capitalization"
            self._fail((*path, "tag_key"), problem)
        return TagRule(
            key,
            self._values((*path, "tag_value")) if "tag_value" in members else None,
            self._types((*path, "enforced_for")) if "enforced_for" in members else frozenset(),
            self._types((*path, "report_required_tag_for")) if "report_required_tag_for" in members else frozenset(),
        )

    def _values(self, path: Path) -> tuple[str, ...]:
        values = self._texts(path)
        for index, value in enumerate(values):
            if value.count("*") > 1:
                self._fail((*path, index), f"{quote(value)} has more than one *; allowed: one * in each value")
            if len(value) > limits.TAG_VALUE_MAX_LENGTH:
                allowed = f"at most {limits.TAG_VALUE_MAX_LENGTH}"
                self._fail((*path, index), f"{quote(value)} has {len(value)} characters; allowed: {allowed}")
        return values

    def _types(self, path: Path) -> frozenset[str]:
        types = self._texts(path)
        for index, each in enumerate(types):
            if not _RESOURCE_TYPE.fullmatch(each):
                allowed = "SERVICE:TYPE, SERVICE:* or SERVICE:ALL_SUPPORTED, for example cloudfront:function"
                self._fail((*path, index), f"{quote(each)}; allowed: {allowed}")
        return frozenset(types)

    def _texts(self, path: Path) -> tuple[str, ...]:
        value = self._document.value
        for step in path:
            value = value[step]
        if not isinstance(value, list):
            self._fail(path, "not a list; allowed: a list of texts")
        for index, each in enumerate(value):
            if not isinstance(each, str):
                self._fail((*path, index), "not a text; allowed: a list of texts")
        return tuple(value)

    def _reject_operators(self) -> None:
        for path in self._document.offsets:
            if path and isinstance(name := path[-1], str) and name.startswith(_OPERATOR):
                self._fail(
                    path,
                    f"an operator, so this policy is not merged yet; allowed: the effective policy, from {_COMMAND}",
                )

    def _require_object(self, path: Path) -> None:
        value = self._document.value
        for step in path:
            value = value[step]
        if not isinstance(value, dict):
            self._fail(path, "not an object")

    def _require_members(self, path: Path, allowed: tuple[str, ...]) -> None:
        self._require_object(path)
        value = self._document.value
        for step in path:
            value = value[step]
        for name in value:
            if name not in allowed:
                self._fail((*path, name), f"unknown member; allowed: {', '.join(allowed)}")

    def _fail(self, path: Path, problem: str) -> NoReturn:
        field = ".".join(str(step) if isinstance(step, int) else _shown(step) for step in path)
        raise DocumentError(f"{self._document.where(path)}: {field + ': ' if field else ''}{problem}")


def _shown(name: str) -> str:
    quoted = quote(name, limits.TAG_KEY_MAX_LENGTH)
    return name if name and quoted == f'"{name}"' else quoted


def _matches(allowed: str, value: str) -> bool:
    head, star, tail = allowed.partition("*")
    if not star:
        return value == allowed
    return len(value) >= len(head) + len(tail) and value.startswith(head) and value.endswith(tail)
