"""Checks of single values: names, comments, etags, keys, request ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import limits
from ..errors.violations import Violation, quote
from .rule_names import Rule

_UNSAFE_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 does not allow (section 2.2), and CR, which parsers turn into LF (section 2.11)."""


def check_not_empty(field: str, rule: Rule, count: int) -> Iterator[Violation]:
    """Checks that a list is not empty."""
    if not count:
        yield Violation(field, rule, "empty; allowed: at least 1")


def check_name(field: str, value: str) -> Iterator[Violation]:
    """Checks the name of a function or a store."""
    if not 1 <= len(value) <= limits.NAME_MAX_LENGTH:
        yield Violation(
            field,
            Rule.NAME_LENGTH,
            f"{_shown_length(value)}; allowed: 1 to {limits.NAME_MAX_LENGTH} of a-z A-Z 0-9 - _",
        )
    if bad := find_disallowed(limits.NAME_PATTERN, value):
        yield Violation(field, Rule.NAME_CHARACTERS, f"{bad}; allowed: a-z A-Z 0-9 - _")


def check_comment(field: str, value: str) -> Iterator[Violation]:
    """Checks the comment of a function or a store."""
    if len(value) > limits.COMMENT_MAX_LENGTH:
        yield Violation(
            field,
            Rule.COMMENT_LENGTH,
            f"{_shown_length(value)}; allowed: at most {limits.COMMENT_MAX_LENGTH} characters",
        )
    yield from check_xml(field, Rule.COMMENT_CHARACTERS, value)


def check_xml(field: str, rule: Rule, value: str) -> Iterator[Violation]:
    """Checks that a string passes through CloudFront's XML API unchanged."""
    if match := _UNSAFE_IN_XML.search(value, 0, limits.CHECKED_CHARACTERS_MAX):
        bad = describe_character(value, match.start())
        yield Violation(field, rule, f"{bad}; allowed: characters of XML 1.0 except carriage return")


def check_etag(field: str, value: str, *, returned_by: str) -> Iterator[Violation]:
    """Checks a required etag.

    Args:
        field: The path of the field.
        value: The etag.
        returned_by: The rpc that returns it.
    """
    if not value:
        yield Violation(field, Rule.ETAG_LENGTH, f"required; {returned_by} returns it")
    yield from check_optional_etag(field, value, returned_by=returned_by)


def check_optional_etag(field: str, value: str, *, returned_by: str) -> Iterator[Violation]:
    """Checks an optional etag. The arguments are those of check_etag.

    CloudFront receives the etag in If-Match, in which `*` matches every version, and a list any version in it (RFC
    9110, section 13.1.1).
    """
    if len(value) > limits.ETAG_MAX_LENGTH:
        allowed = f"at most {limits.ETAG_MAX_LENGTH} characters"
        yield Violation(
            field, Rule.ETAG_LENGTH, f"{_shown_length(value)}; allowed: {allowed}; {returned_by} returns the etag"
        )
    if bad := find_disallowed(limits.ETAG_PATTERN, value):
        allowed = "visible ASCII except double quotes"
        yield Violation(field, Rule.ETAG_CHARACTERS, f"{bad}; allowed: {allowed}; {returned_by} returns the etag")
    if value == "*" or value.startswith("W/") or "," in value:
        allowed = 'one etag; not "*", a list or a weak etag (W/)'
        yield Violation(field, Rule.ETAG_FORM, f"{quote(value)}; allowed: {allowed}; {returned_by} returns the etag")


def check_key(field: str, value: str) -> Iterator[Violation]:
    """Checks a key of a store."""
    if not 1 <= (size := len(value.encode())) <= limits.KEY_MAX_BYTES:
        sent = f"{quote(value)} has {size} bytes" if value else "empty"
        yield Violation(field, Rule.KEY_LENGTH, f"{sent}; allowed: 1 to {limits.KEY_MAX_BYTES} bytes in UTF-8")


def check_key_in_path(field: str, value: str) -> Iterator[Violation]:
    """Checks a key that is sent in the path of a URL, in which `.` and `..` have a special meaning."""
    yield from check_key(field, value)
    if value in (".", ".."):
        yield Violation(
            field,
            Rule.KEY_FORM,
            f'{quote(value)}; allowed: any key except "." and ".."; use UpdateKeys or ListKeys for these',
        )


def check_value(field: str, value: str) -> Iterator[Violation]:
    """Checks the value of a key. No message shows the value, because it may be a secret."""
    if (size := len(value.encode())) > limits.VALUE_MAX_BYTES:
        yield Violation(
            field, Rule.VALUE_LENGTH, f"{size} bytes; allowed: at most {limits.VALUE_MAX_BYTES} bytes in UTF-8"
        )


def check_request_id(field: str, value: str) -> Iterator[Violation]:
    """Checks an optional request_id."""
    if value and not limits.REQUEST_ID_PATTERN.fullmatch(value):
        yield Violation(
            field,
            Rule.REQUEST_ID_FORM,
            f'{quote(value, 40)}; allowed: empty, or a UUID, for example "0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f"',
        )


def find_disallowed(pattern: re.Pattern[str], value: str) -> str | None:
    """Describes the first character that a pattern of allowed characters does not match; None if it matches all."""
    checked = min(len(value), limits.CHECKED_CHARACTERS_MAX)
    matched = pattern.match(value, 0, checked)
    end = matched.end() if matched else 0
    return describe_character(value, end) if end < checked else None


def describe_character(value: str, index: int) -> str:
    """Describes a character and its position, for example `"my!" contains U+0021 at position 3`."""
    return f"{quote(value)} contains U+{ord(value[index]):04X} at position {index + 1}"


def _shown_length(value: str) -> str:
    return f"{quote(value)} has {len(value)} characters" if value else "empty"
