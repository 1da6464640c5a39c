"""The rules for headers, cookies and query strings, which requests and responses share.

A rule that is broken raises a `FieldError`, whose message begins with the place, such as `response.headers`.
Source: the Developer Guide, CloudFront Functions event structure, and restrictions on all edge functions.
"""

from __future__ import annotations

import binascii
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_QUERY = re.compile(r"[\x00-\x20\x7f#]")

MIN_STATUS, MAX_STATUS = 200, 599
"""A final status. CloudFront publishes no range for functions."""

MAX_URI_CHARACTERS = 8191
"""A URI with its query string. Source: restrictions on all edge functions, "less than 8,192"."""

DISALLOWED_HEADERS = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-buffering",
        "x-accel-charset",
        "x-accel-limit-rate",
        "x-accel-redirect",
        "x-amzn-auth",
        "x-amzn-cf-billing",
        "x-amzn-cf-id",
        "x-amzn-cf-xff",
        "x-amzn-errortype",
        "x-amzn-fle-profile",
        "x-amzn-header-count",
        "x-amzn-header-order",
        "x-amzn-lambda-integration-tag",
        "x-amzn-requestid",
        "x-cache",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
DISALLOWED_PREFIXES = ("x-amz-cf-", "x-edge-")
READ_ONLY_HEADERS = {
    "request": frozenset({"content-length", "host", "transfer-encoding", "via"}),
    "response": frozenset({"via", "warning"}),
}


class FieldError(ValueError):
    """A rule that a field breaks."""


def mapping(value: object, place: str) -> dict[str, Any]:
    """The value, which must be an object.

    Raises:
        FieldError: it is something else.
    """
    if not isinstance(value, dict):
        raise FieldError(f"{place} must be an object.")
    return value


def text(value: object, place: str) -> str:
    """The value, which must be a string of what a line of HTTP can carry.

    Raises:
        FieldError: it is something else.
    """
    if not isinstance(value, str):
        raise FieldError(f"{place} must be a string.")
    if _CONTROL.search(value):
        raise FieldError(f"{place} must not have control characters.")
    return value


def headers(value: object, place: str) -> dict[str, Any]:
    """Headers in the event's form.

    Raises:
        FieldError: a name is no header's or is not in lower case, or a value has another form.
    """
    found = mapping(value, place)
    for name in found:
        if not _HEADER_NAME.fullmatch(name):
            raise FieldError(f"{place} must have header names that are valid in HTTP.")
        if name != name.lower():
            # CloudFront's own words.
            raise FieldError(f"{place} must have header names in lower case.")
    return _values(found, place, attributes=False)


def cookies(value: object, place: str, *, attributes: bool) -> dict[str, Any]:
    """Cookies in the event's form; those of a response may have `attributes`.

    Raises:
        FieldError: a value has another form.
    """
    return _values(mapping(value, place), place, attributes=attributes)


def querystring(value: object, place: str) -> dict[str, Any]:
    """A query string in the event's form.

    Raises:
        FieldError: a value has another form, or there is a character that a URL cannot carry.
    """
    found = _values(mapping(value, place), place, attributes=False)
    for name, field in found.items():
        for part in (name, field.get("value", ""), *(item.get("value", "") for item in field.get("multiValue", []))):
            _query_text(part, place)
    return found


def returned_querystring(value: object, place: str) -> dict[str, Any] | str:
    """A query string that a function returned: in the event's form, or as text.

    Raises:
        FieldError: a value has another form, or there is a character that a URL cannot carry.
    """
    return _query_text(value, place) if isinstance(value, str) else querystring(value, place)


def _query_text(value: str, place: str) -> str:
    if _QUERY.search(value):
        raise FieldError(f'{place} must not have spaces, control characters or "#".')
    return value


def uri(value: object, query: Mapping[str, Any] | str, place: str) -> str:
    """A URI in the event's form.

    Args:
        value: the URI, without its query string.
        query: its query string, as `querystring` or `returned_querystring` gives it.
        place: of the URI.

    Raises:
        FieldError: it is none, or is too long.
    """
    found = text(value, place)
    if not found.startswith("/"):
        raise FieldError(f'{place} must begin with "/".')
    if len(found) + _query_length(query) > MAX_URI_CHARACTERS:
        raise FieldError(f"{place} with its query string must have at most {MAX_URI_CHARACTERS} characters.")
    return found


def status(value: object, place: str) -> int:
    """The status of a response.

    Raises:
        FieldError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(f"{place} must be an integer.")
    if not MIN_STATUS <= value <= MAX_STATUS:
        raise FieldError(f"{place} must be from {MIN_STATUS} to {MAX_STATUS}.")
    return value


def body(value: object, place: str) -> str | dict[str, Any]:
    """The body of a response, with the members that it may have.

    Raises:
        FieldError: it has another form.
    """
    if isinstance(value, str):
        return value
    found = mapping(value, place)
    if found.get("encoding") not in ("text", "base64"):
        raise FieldError(f'{place}.encoding must be "text" or "base64".')
    data = found.get("data")
    if not isinstance(data, str):
        raise FieldError(f"{place}.data must be a string.")
    if found["encoding"] == "base64":
        try:
            binascii.a2b_base64(data, strict_mode=True)
        except ValueError:
            raise FieldError(f"{place}.data must be valid Base64.") from None
    return {"encoding": found["encoding"], "data": data}


def check_changes(now: Mapping[str, Any], before: Mapping[str, Any], kind: str, place: str) -> None:
    """That a function left alone the headers that are not its own.

    Args:
        now: what it returned.
        before: what it was given; empty where it made a response to a request.
        kind: `request` or `response`.
        place: of the headers.

    Raises:
        FieldError: it added a header that is disallowed, or added, changed or removed one that is read-only.
    """
    for name in sorted(now.keys() | before.keys()):
        if now.get(name) == before.get(name):
            continue
        if name in READ_ONLY_HEADERS[kind]:
            raise FieldError(f"{place} must not add, change or remove the read-only header {name}.")
        if name in now and (name in DISALLOWED_HEADERS or name.startswith(DISALLOWED_PREFIXES)):
            raise FieldError(f"{place} must not have the disallowed header {name}.")


def _query_length(query: Mapping[str, Any] | str) -> int:
    """Characters of the query string: of the event's form with its "?", of text as it is."""
    if isinstance(query, str):
        return len(query)
    return sum(
        len(name) + len(item.get("value", "")) + len("&=")
        for name, field in query.items()
        for item in field.get("multiValue", [field])
    )


def _values(found: dict[str, Any], place: str, *, attributes: bool) -> dict[str, Any]:
    for name, field in found.items():
        here = f"{place}.{name}"
        item = mapping(field, here)
        if "value" not in item and "multiValue" not in item:
            raise FieldError(f"{here} must have a value.")
        if "value" in item:
            _item(item, here, attributes=attributes)
        if "multiValue" in item:
            if not isinstance(item["multiValue"], list) or not item["multiValue"]:
                raise FieldError(f"{here}.multiValue must be an array of values.")
            for index, part in enumerate(item["multiValue"]):
                _item(
                    mapping(part, f"{here}.multiValue[{index}]"), f"{here}.multiValue[{index}]", attributes=attributes
                )
    return found


def _item(item: dict[str, Any], place: str, *, attributes: bool) -> None:
    text(item.get("value"), f"{place}.value")
    if attributes and "attributes" in item:
        text(item["attributes"], f"{place}.attributes")
