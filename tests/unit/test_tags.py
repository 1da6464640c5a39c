"""The rules of tags, checked with examples and properties."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import limits
from cloudfront_facade_server.errors.violations import Violation
from cloudfront_facade_server.validation.tags import Charset, TagRules

ALLOWED = string.ascii_letters + string.digits + " _-.:/=+@"

KEY_MAX, VALUE_MAX = limits.TAG_KEY_MAX_LENGTH, limits.TAG_VALUE_MAX_LENGTH
RESERVED = (limits.TAG_RESERVED_PREFIX, limits.TAG_FACADE_PREFIX)

keys = st.text(ALLOWED, min_size=1, max_size=KEY_MAX).filter(lambda key: not key.lower().startswith(RESERVED))
values = st.none() | st.text(ALLOWED, max_size=VALUE_MAX)
pairs_of_any_length = st.tuples(st.text(max_size=KEY_MAX + 12), st.none() | st.text(max_size=VALUE_MAX + 12))


def check(*tags: Tag, charset: Charset = "ascii", own_tags: int = 0) -> list[Violation]:
    return list(TagRules(charset).check("tags", tags, own_tags=own_tags))


def broken(*tags: Tag, charset: Charset = "ascii") -> list[tuple[str, str]]:
    return [(violation.field, violation.rule) for violation in check(*tags, charset=charset)]


@pytest.mark.parametrize("key", ["a", "k" * KEY_MAX, "Team", "a b", "_-.:/=+@", " ", "awsome", "xaws:", "aws"])
def test_a_valid_key_is_accepted(key: str) -> None:
    assert check(Tag(key=key)) == []


@pytest.mark.parametrize(
    "value", [None, "", "v" * VALUE_MAX, "https://example.com/a?b".replace("?", ""), "aws:anything"]
)
def test_a_valid_value_is_accepted(value: str | None) -> None:
    assert check(Tag(key="k", value=value)) == []


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("", "TAG_KEY_LENGTH"),
        ("k" * (KEY_MAX + 1), "TAG_KEY_LENGTH"),
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
def test_an_invalid_key_is_reported_with_the_rule(key: str, rule: str) -> None:
    assert broken(Tag(key=key)) == [("tags[0].key", rule)]


@pytest.mark.parametrize(
    ("key", "prefix", "owner"),
    [("AWS:x", "aws:", "AWS"), ("cloudfront-facade:x", "cloudfront-facade:", "this service")],
)
def test_the_violation_of_a_reserved_key_names_what_is_allowed(key: str, prefix: str, owner: str) -> None:
    (violation,) = check(Tag(key=key))
    assert violation.description == (
        f'"{key}" starts with "{prefix}", which {owner} reserves in any case; allowed: any other prefix'
    )


@pytest.mark.parametrize(
    ("value", "rule"),
    [("v" * (VALUE_MAX + 1), "TAG_VALUE_LENGTH"), ("a\0", "TAG_VALUE_CHARACTERS"), ("a;b", "TAG_VALUE_CHARACTERS")],
)
def test_an_invalid_value_is_reported_with_the_rule(value: str, rule: str) -> None:
    assert broken(Tag(key="k", value=value)) == [("tags[0].value", rule)]


def test_a_repeated_key_is_rejected_and_case_matters() -> None:
    assert broken(Tag(key="a"), Tag(key="A"), Tag(key="a", value="x")) == [("tags[2].key", "TAG_KEY_UNIQUE")]
    assert (
        check(Tag(key="a"), Tag(key="b"), Tag(key="a"))[0].description
        == '"a" repeats tags[0].key; allowed: each key once'
    )


def test_a_repeated_key_to_remove_is_rejected() -> None:
    (violation,) = TagRules().check_keys("tag_keys", ["a", "A", "b", "a"])
    assert (violation.field, violation.rule) == ("tag_keys[3]", "TAG_KEY_UNIQUE")
    assert violation.description == '"a" repeats tag_keys[0]; allowed: each key once'


def test_the_maximum_number_of_tags_is_allowed_and_one_fewer_with_a_request_id() -> None:
    most = [Tag(key=f"k{number}") for number in range(limits.TAGS_MAX)]
    assert check(*most) == []
    assert broken(*most, Tag(key="one-more")) == [("tags", "TAGS_COUNT")]
    assert check(*most[:-1], own_tags=1) == []
    assert check(*most, own_tags=1)[0].description == (
        f"{limits.TAGS_MAX} tags; allowed: at most {limits.TAGS_MAX - 1}, because request_id takes 1"
    )


def test_empty_keys_are_not_also_reported_as_repeated() -> None:
    assert broken(Tag(), Tag()) == [("tags[0].key", "TAG_KEY_LENGTH"), ("tags[1].key", "TAG_KEY_LENGTH")]


def test_every_rule_that_a_tag_violates_is_reported() -> None:
    assert broken(Tag(key="aws:" + "\0" * KEY_MAX, value="\0" * (VALUE_MAX + 1))) == [
        ("tags[0].key", "TAG_KEY_LENGTH"),
        ("tags[0].key", "TAG_KEY_CHARACTERS"),
        ("tags[0].key", "TAG_KEY_RESERVED"),
        ("tags[0].value", "TAG_VALUE_LENGTH"),
        ("tags[0].value", "TAG_VALUE_CHARACTERS"),
    ]


def test_lengths_are_counted_in_characters_not_in_bytes() -> None:
    assert check(Tag(key="é" * KEY_MAX, value="\U00020000" * VALUE_MAX), charset="unicode") == []
    assert broken(Tag(key="é" * (KEY_MAX + 1)), charset="unicode") == [("tags[0].key", "TAG_KEY_LENGTH")]


@pytest.mark.parametrize("key", ["café", "東京", "\u0661", "no\u00a0break", "½"])
def test_the_unicode_set_accepts_characters_of_the_service_model(key: str) -> None:
    assert check(Tag(key=key), charset="unicode") == []


@pytest.mark.parametrize("key", ["cafe\u0301", "\U0001f600", "a\u2028b", "a\u2029b", "a\0b", "a,b", "\u200f"])
def test_the_unicode_set_excludes_marks_symbols_line_separators_and_controls(key: str) -> None:
    assert broken(Tag(key=key), charset="unicode") == [("tags[0].key", "TAG_KEY_CHARACTERS")]


@pytest.mark.parametrize("key", ["", "k" * (limits.TAG_KEY_MAX_LENGTH + 1)], ids=["empty", "too long"])
def test_a_message_names_the_lengths_that_a_key_can_have(key: str) -> None:
    allowed = f"; allowed: 1 to {limits.TAG_KEY_MAX_LENGTH} characters"
    assert check(Tag(key=key))[0].description.endswith(allowed)
    (violation,) = TagRules().check_keys("tag_keys", [key])
    assert violation.description.endswith(allowed)


def test_a_message_names_the_lengths_that_a_value_can_have() -> None:
    (violation,) = check(Tag(key="k", value="v" * (limits.TAG_VALUE_MAX_LENGTH + 1)))
    assert violation.description.endswith(f"; allowed: 0 to {limits.TAG_VALUE_MAX_LENGTH} characters")


def test_a_message_names_the_bad_character_and_the_allowed_ones() -> None:
    violation = check(Tag(key="te\0am"))[0]
    assert violation.description == (
        r'"te\u{0}am" contains U+0000 at position 3; allowed: a-z A-Z 0-9 space _ - . : / = + @'
    )


@given(st.dictionaries(keys, values, max_size=limits.TAGS_MAX), st.sampled_from(get_args(Charset)))
def test_all_valid_tags_are_accepted(tags: dict[str, str | None], charset: Charset) -> None:
    assert check(*(Tag(key=key, value=value) for key, value in tags.items()), charset=charset) == []


@given(st.lists(pairs_of_any_length, max_size=limits.TAGS_MAX + 10))
def test_all_invalid_tags_are_rejected(pairs: Sequence[tuple[str, str | None]]) -> None:
    tags = [Tag(key=key, value=value) for key, value in pairs]

    is_valid = (
        len(tags) <= limits.TAGS_MAX
        and len({tag.key for tag in tags}) == len(tags)
        and all(
            1 <= len(tag.key) <= limits.TAG_KEY_MAX_LENGTH
            and len(tag.value) <= limits.TAG_VALUE_MAX_LENGTH
            and set(tag.key + tag.value) <= set(ALLOWED)
            and not tag.key.lower().startswith(RESERVED)
            for tag in tags
        )
    )

    assert (check(*tags) == []) is is_valid


@given(st.characters(codec="utf-8"))
def test_the_unicode_set_is_letters_numbers_spaces_and_punctuation(character: str) -> None:
    category = unicodedata.category(character)
    is_allowed = character in "_.:/=+-@" or (category[0] in "LNZ" and category not in ("Zl", "Zp"))
    assert (check(Tag(key=f"k{character}"), charset="unicode") == []) is is_allowed


@given(st.text())
def test_messages_are_short_and_printable(key: str) -> None:
    for violation in check(Tag(key=key)):
        assert violation.description.isascii()
        assert violation.description.isprintable()
        assert len(violation.description) < 140
