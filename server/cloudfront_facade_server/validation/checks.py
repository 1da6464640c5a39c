"""The rules of single strings: names, comments, ARNs, request ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import limits
from ..errors.violations import Violation, quote

_SHOWN_OF_ARN = 120

_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot carry (section 2.2), and CR, which a parser reads back as LF (section 2.11)."""


def check_not_empty(field: str, rule: str, count: int) -> Iterator[Violation]:
    """Checks that a list has an element."""
    if not count:
        yield Violation(field, rule, "empty; allowed: at least 1")


def check_name(field: str, value: str) -> Iterator[Violation]:
    """Checks the name of a function or a store."""
    if not 1 <= len(value) <= limits.NAME_MAX_LENGTH:
        yield Violation(
            field, "NAME_LENGTH", f"{_length(value)}; allowed: 1 to {limits.NAME_MAX_LENGTH} of a-z A-Z 0-9 - _"
        )
    if bad := outside(limits.NAME_PATTERN, value):
        yield Violation(field, "NAME_CHARACTERS", f"{bad}; allowed: a-z A-Z 0-9 - _")


def check_comment(field: str, value: str) -> Iterator[Violation]:
    """Checks the comment of a function or a store."""
    if len(value) > limits.COMMENT_MAX_LENGTH:
        yield Violation(
            field, "COMMENT_LENGTH", f"{_length(value)}; allowed: at most {limits.COMMENT_MAX_LENGTH} characters"
        )
    yield from check_xml(field, "COMMENT_CHARACTERS", value)


def check_xml(field: str, rule: str, value: str) -> Iterator[Violation]:
    """Checks that a string reaches CloudFront as it is, for its API is XML."""
    if found := _NOT_XML.search(value):
        bad = character_at(value, found.start())
        yield Violation(field, rule, f"{bad}; allowed: characters of XML 1.0 but carriage return")


def check_key_value_store_arn(field: str, value: str) -> Iterator[Violation]:
    """Checks the ARN of a store."""
    if len(value) > limits.KEY_VALUE_STORE_ARN_MAX_LENGTH or not limits.KEY_VALUE_STORE_ARN_PATTERN.fullmatch(value):
        yield Violation(
            field,
            "KEY_VALUE_STORE_ARN_FORM",
            f"{quote(value, _SHOWN_OF_ARN)}; allowed: arn:aws:cloudfront::ACCOUNT:key-value-store/ID "
            f"with 12 digits and a UUID, at most {limits.KEY_VALUE_STORE_ARN_MAX_LENGTH} characters",
        )


def resource_arn(field: str, value: str) -> Iterator[Violation]:
    """Checks the ARN of a function or a store."""
    if limits.FUNCTION_ARN_PATTERN.fullmatch(value) or limits.KEY_VALUE_STORE_ARN_PATTERN.fullmatch(value):
        return
    yield Violation(
        field,
        "RESOURCE_ARN_FORM",
        f"{quote(value, _SHOWN_OF_ARN)}; allowed: arn:aws:cloudfront::ACCOUNT:function/NAME "
        "or arn:aws:cloudfront::ACCOUNT:key-value-store/ID, with 12 digits",
    )


def check_etag(field: str, value: str, *, required: bool = True) -> Iterator[Violation]:
    """Checks a version; without one where that is allowed."""
    if len(value) > limits.ETAG_MAX_LENGTH or (required and not value):
        least = 1 if required else 0
        yield Violation(
            field, "ETAG_LENGTH", f"{_length(value)}; allowed: {least} to {limits.ETAG_MAX_LENGTH} characters"
        )
    if bad := outside(limits.ETAG_PATTERN, value):
        yield Violation(field, "ETAG_CHARACTERS", f"{bad}; allowed: visible ASCII but quotation marks")


def check_status(field: str, value: str) -> Iterator[Violation]:
    """Checks the status of a store that is asked for; none is allowed."""
    if not limits.STATUS_PATTERN.fullmatch(value):
        yield Violation(field, "STATUS_FORM", f"{quote(value)}; allowed: empty, or 1 to 64 of A-Z _, such as READY")


def check_key(field: str, value: str) -> Iterator[Violation]:
    """Checks a key of a store."""
    if not 1 <= (size := len(value.encode())) <= limits.KEY_MAX_BYTES:
        sent = f"{quote(value)} has {size} bytes" if value else "empty"
        yield Violation(field, "KEY_LENGTH", f"{sent}; allowed: 1 to {limits.KEY_MAX_BYTES} bytes in UTF-8")


def check_key_in_path(field: str, value: str) -> Iterator[Violation]:
    """Checks a key that travels in the path of CloudFront's address, where dots alone mean another place."""
    yield from check_key(field, value)
    if value in (".", ".."):
        yield Violation(
            field, "KEY_FORM", f"{quote(value)}; allowed: any key but . and .., which UpdateKeys and ListKeys know"
        )


def check_value_of_key(field: str, value: str) -> Iterator[Violation]:
    """Checks the value of a key. What it says is nobody's business: no message shows it."""
    if (size := len(value.encode())) > limits.VALUE_MAX_BYTES:
        yield Violation(
            field, "VALUE_LENGTH", f"{size} bytes; allowed: at most {limits.VALUE_MAX_BYTES} bytes in UTF-8"
        )


def s3_object_arn(field: str, value: str) -> Iterator[Violation]:
    """Checks the ARN of an object in S3."""
    if not limits.S3_OBJECT_ARN_PATTERN.fullmatch(value):
        yield Violation(
            field,
            "SOURCE_ARN_FORM",
            f"{quote(value, _SHOWN_OF_ARN)}; allowed: arn:aws:s3:::BUCKET/KEY (also aws-cn, aws-us-gov), "
            "with a bucket of 3 to 255 a-z A-Z 0-9 . _ -",
        )
        return
    key = value.split("/", 1)[1]
    if (size := len(key.encode())) > limits.S3_KEY_MAX_BYTES:
        yield Violation(
            field, "SOURCE_ARN_LENGTH", f"a key of {size} bytes; allowed: at most {limits.S3_KEY_MAX_BYTES}"
        )
    yield from check_xml(field, "SOURCE_ARN_CHARACTERS", value)


def check_request_id(field: str, value: str) -> Iterator[Violation]:
    """Checks the id that a caller gives a create; none is allowed."""
    if value and not limits.REQUEST_ID_PATTERN.fullmatch(value):
        yield Violation(
            field,
            "REQUEST_ID_FORM",
            f"{quote(value, 40)}; allowed: empty, or a UUID such as 0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f",
        )


def outside(pattern: re.Pattern[str], value: str) -> str | None:
    """Tells which character a repeated character class does not match first; None where it matches all."""
    matched = pattern.match(value)
    end = matched.end() if matched else 0
    return character_at(value, end) if end < len(value) else None


def character_at(value: str, index: int) -> str:
    """Names a character and where it stands, for example `"my!" has U+0021 as character 3`."""
    return f"{quote(value)} has U+{ord(value[index]):04X} as character {index + 1}"


def _length(value: str) -> str:
    return f"{quote(value)} has {len(value)} characters" if value else "empty"
