"""The page of the tag rules and the comments of the contract state what the rules allow."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Final

import pytest

from cloudfront_facade_server import limits
from cloudfront_facade_server.validation.rule_names import Rule
from protos.descriptors import comment

PAGE: Final = (Path(__file__).parents[2] / "docs/reference/tag-rules.md").read_text()
ROWS: Final = re.findall(r"^\|.*\| (`TAG.*) \|$", PAGE, re.MULTILINE)

CHARACTERS: Final = "a-z A-Z 0-9, space and `_ - . : / = + @`"
PREFIXES: Final = f"`{limits.TAG_RESERVED_PREFIX}` or `{limits.TAG_FACADE_PREFIX}`"
KEY_LENGTH: Final = f"1 to {limits.TAG_KEY_MAX_LENGTH} characters"
VALUE_LENGTH: Final = f"0 to {limits.TAG_VALUE_MAX_LENGTH} characters"

OF_OPERATORS: Final = {Rule.TAG_POLICY_KEY_CASE, Rule.TAG_POLICY_VALUE, Rule.TAG_POLICY_REQUIRED, Rule.TAG_FORCED}
"""The rules that an operator's configuration adds, which have separate pages."""

STATED: Final = {
    Rule.TAG_KEY_LENGTH: (KEY_LENGTH, "Tag.key", KEY_LENGTH),
    Rule.TAG_KEY_CHARACTERS: (CHARACTERS, "Tag.key", CHARACTERS),
    Rule.TAG_KEY_RESERVED: (PREFIXES, "Tag.key", f"Must not start with {PREFIXES}"),
    Rule.TAG_KEY_UNIQUE: ("each key once", "Tag.key", "Each key may occur only once in a request"),
    Rule.TAG_VALUE_LENGTH: (VALUE_LENGTH, "Tag.value", VALUE_LENGTH),
    Rule.TAG_VALUE_CHARACTERS: (CHARACTERS, "Tag.value", "of the same set"),
    Rule.TAGS_COUNT: (f"at most {limits.TAGS_MAX}", "TagResourceRequest.tags", str(limits.TAGS_MAX)),
}
"""For each rule of tags: what its row on the page says, and what the comment of a field says."""


def test_every_rule_of_tags_has_one_row() -> None:
    rules = [rule for rule in Rule if rule.startswith("TAG") and rule not in OF_OPERATORS]
    named = [name for row in ROWS for name in re.findall(r"`(\w+)`", row)]

    assert sorted(named) == sorted(rules)
    assert STATED.keys() == set(rules)


@pytest.mark.parametrize("rule", STATED)
def test_the_row_and_the_comment_state_what_a_rule_allows(rule: Rule) -> None:
    on_page, field, in_comment = STATED[rule]
    (row,) = [line for line in PAGE.splitlines() if f"`{rule}`" in line]

    assert on_page in row
    assert in_comment in comment(field)


def test_the_stated_characters_are_the_allowed_ones() -> None:
    punctuation = CHARACTERS.split("`")[1].split()
    allowed = {character for character in map(chr, range(256)) if limits.TAG_PATTERN.fullmatch(character)}

    assert allowed == {*string.ascii_letters, *string.digits, " ", *punctuation}


def test_the_page_has_no_other_numbers() -> None:
    known = (limits.TAG_KEY_MAX_LENGTH, limits.TAG_VALUE_MAX_LENGTH, limits.TAGS_MAX, limits.TAGS_MAX - 1)
    assert set(re.findall(r"\b\d{2,}\b", PAGE)) == set(map(str, known))
