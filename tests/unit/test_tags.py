"""The rules of tags, as a table and as properties."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.errors.violations import Violation
from cloudfront_facade_server.validation.tags import Charset, TagRules

ALLOWED = string.ascii_letters + string.digits + " _-.:/=+@"

keys = st.text(ALLOWED, min_size=1, max_size=128).filter(
    lambda key: not key.lower().startswith(("aws:", "cloudfront-facade:"))
)
values = st.none() | st.text(ALLOWED, max_size=256)


def check(*tags: Tag, charset: Charset = "ascii", own_tags: int = 0) -> list[Violation]:
    return list(TagRules(charset).check("tags", tags, own_tags=own_tags))


def broken(*tags: Tag, charset: Charset = "ascii") -> list[tuple[str, str]]:
    return [(violation.field, violation.rule) for violation in check(*tags, charset=charset)]


@pytest.mark.parametrize("key", ["a", "k" * 128, "Team", "a b", "_-.:/=+@", " ", "awsome", "xaws:", "aws"])
def test_a_key_within_the_rules_is_let_through(key: str) -> None:
    assert check(Tag(key=key)) == []


@pytest.mark.parametrize("value", [None, "", "v" * 256, "https://example.com/a?b".replace("?", ""), "aws:anything"])
def test_a_value_within_the_rules_is_let_through(value: str | None) -> None:
    assert check(Tag(key="k", value=value)) == []


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("", "TAG_KEY_LENGTH"),
        ("k" * 129, "TAG_KEY_LENGTH"),
        ("a\0b", "TAG_KEY_CHARACTERS"),
        ("a\nb", "TAG_KEY_CHARACTERS"),
        ("trailing\n", "TAG_KEY_CHARACTERS"),
        ("a\rb", "TAG_KEY_CHARACTERS"),
        ("a,b", "TAG_KEY_CHARACTERS"),
        ("café", "TAG_KEY_CHARACTERS"),
        ("cafe\u0301", "TAG_KEY_CHARACTERS"),
        ("\u200fright-to-left", "TAG_KEY_CHARACTERS"),
        ("no\u00a0break", "TAG_KEY_CHARACTERS"),
        ("line\u2028separator", "TAG_KEY_CHARACTERS"),
        ("\ufffe", "TAG_KEY_CHARACTERS"),
        ("\U0001f600", "TAG_KEY_CHARACTERS"),
        ("\u0661", "TAG_KEY_CHARACTERS"),
        ("aws:x", "TAG_KEY_RESERVED"),
        ("AWS:x", "TAG_KEY_RESERVED"),
        ("aWs:", "TAG_KEY_RESERVED"),
        ("cloudfront-facade:request", "TAG_KEY_RESERVED"),
        ("CloudFront-Facade:x", "TAG_KEY_RESERVED"),
    ],
)
def test_a_key_that_breaks_a_rule_is_named_with_the_rule(key: str, rule: str) -> None:
    assert broken(Tag(key=key)) == [("tags[0].key", rule)]


@pytest.mark.parametrize(
    ("value", "rule"),
    [("v" * 257, "TAG_VALUE_LENGTH"), ("a\0", "TAG_VALUE_CHARACTERS"), ("a;b", "TAG_VALUE_CHARACTERS")],
)
def test_a_value_that_breaks_a_rule_is_named_with_the_rule(value: str, rule: str) -> None:
    assert broken(Tag(key="k", value=value)) == [("tags[0].value", rule)]


def test_a_key_twice_is_refused_and_case_makes_a_difference() -> None:
    assert broken(Tag(key="a"), Tag(key="A"), Tag(key="a", value="x")) == [("tags[2].key", "TAG_KEY_UNIQUE")]
    assert check(Tag(key="a"), Tag(key="b"), Tag(key="a"))[0].description == '"a" repeats tags[0].key; allowed: once'


def test_a_key_that_is_to_be_taken_away_twice_is_refused() -> None:
    (violation,) = TagRules().check_keys("tag_keys", ["a", "A", "b", "a"])
    assert (violation.field, violation.rule) == ("tag_keys[3]", "TAG_KEY_UNIQUE")
    assert violation.description == '"a" repeats tag_keys[0]; allowed: once'


def test_fifty_tags_are_allowed_and_forty_nine_beside_a_request_id() -> None:
    fifty = [Tag(key=f"k{number}") for number in range(50)]
    assert check(*fifty) == []
    assert broken(*fifty, Tag(key="one-more")) == [("tags", "TAGS_COUNT")]
    assert check(*fifty[:49], own_tags=1) == []
    assert check(*fifty, own_tags=1)[0].description == "50 tags; allowed: at most 49 beside 1 for the request_id"


def test_empty_keys_are_not_called_repeated_too() -> None:
    assert broken(Tag(), Tag()) == [("tags[0].key", "TAG_KEY_LENGTH"), ("tags[1].key", "TAG_KEY_LENGTH")]


def test_every_broken_rule_of_a_tag_is_reported() -> None:
    assert broken(Tag(key="aws:" + "\0" * 130, value="\0" * 300)) == [
        ("tags[0].key", "TAG_KEY_LENGTH"),
        ("tags[0].key", "TAG_KEY_CHARACTERS"),
        ("tags[0].key", "TAG_KEY_RESERVED"),
        ("tags[0].value", "TAG_VALUE_LENGTH"),
        ("tags[0].value", "TAG_VALUE_CHARACTERS"),
    ]


def test_lengths_are_counted_in_characters_not_in_bytes() -> None:
    assert check(Tag(key="é" * 128, value="\U00020000" * 256), charset="unicode") == []
    assert broken(Tag(key="é" * 129), charset="unicode") == [("tags[0].key", "TAG_KEY_LENGTH")]


@pytest.mark.parametrize("key", ["café", "東京", "\u0661", "no\u00a0break", "½"])
def test_the_unicode_set_is_the_service_models(key: str) -> None:
    assert check(Tag(key=key), charset="unicode") == []


@pytest.mark.parametrize("key", ["cafe\u0301", "\U0001f600", "a\u2028b", "a\u2029b", "a\0b", "a,b", "\u200f"])
def test_the_unicode_set_has_no_marks_symbols_separators_of_lines_or_controls(key: str) -> None:
    assert broken(Tag(key=key), charset="unicode") == [("tags[0].key", "TAG_KEY_CHARACTERS")]


def test_a_message_says_what_was_sent_and_what_is_allowed() -> None:
    violation = check(Tag(key="te\0am"))[0]
    assert violation.description == (
        r'"te\u{0}am" has U+0000 as character 3; allowed: a-z A-Z 0-9 space _ - . : / = + @'
    )


@given(st.dictionaries(keys, values, max_size=50), st.sampled_from(get_args(Charset)))
def test_whatever_keeps_the_rules_is_let_through(tags: dict[str, str | None], charset: Charset) -> None:
    assert check(*(Tag(key=key, value=value) for key, value in tags.items()), charset=charset) == []


@given(st.lists(st.tuples(st.text(max_size=140), st.none() | st.text(max_size=270)), max_size=60))
def test_exactly_what_breaks_a_rule_is_refused(pairs: Sequence[tuple[str, str | None]]) -> None:
    tags = [Tag(key=key, value=value) for key, value in pairs]

    keeps_the_rules = (
        len(tags) <= 50
        and len({tag.key for tag in tags}) == len(tags)
        and all(
            1 <= len(tag.key) <= 128
            and len(tag.value) <= 256
            and set(tag.key + tag.value) <= set(ALLOWED)
            and not tag.key.lower().startswith(("aws:", "cloudfront-facade:"))
            for tag in tags
        )
    )

    assert (check(*tags) == []) is keeps_the_rules


@given(st.characters(codec="utf-8"))
def test_the_unicode_set_is_letters_numbers_spaces_and_the_punctuation(character: str) -> None:
    category = unicodedata.category(character)
    is_allowed = character in "_.:/=+-@" or (category[0] in "LNZ" and category not in ("Zl", "Zp"))
    assert (check(Tag(key=f"k{character}"), charset="unicode") == []) is is_allowed


@given(st.text())
def test_messages_are_short_and_printable(key: str) -> None:
    for violation in check(Tag(key=key)):
        assert violation.description.isascii()
        assert violation.description.isprintable()
        assert len(violation.description) < 140
