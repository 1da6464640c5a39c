"""Checks of headers, cookies, query strings and other fields that events and outputs share.

A violation raises a `FieldError`, whose message begins with the path of the field, such as `response.headers`.
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
"""The range of a final status. CloudFront publishes no range for functions."""

MAX_URI_CHARACTERS = 8191
"""Maximum length of a URI with its query string. Source: restrictions on all edge functions, "less than 8,192"."""

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
    """A field violates a rule."""


def check_object(value: object, path: str) -> dict[str, Any]:
    """Checks that the value is an object.

    Args:
        value: The value of the field.
        path: The path of the field, for the message; also in all checks below.

    Returns:
        The value.

    Raises:
        FieldError: The value is not an object.
    """
    if not isinstance(value, dict):
        raise FieldError(f"{path} must be an object.")
    return value


def check_string(value: object, path: str) -> str:
    """Checks that the value is a string that fits into one line of HTTP.

    Returns:
        The value.

    Raises:
        FieldError: The value is not a string, or contains control characters.
    """
    if not isinstance(value, str):
        raise FieldError(f"{path} must be a string.")
    if _CONTROL.search(value):
        raise FieldError(f"{path} must not have control characters.")
    return value


def check_headers(value: object, path: str) -> dict[str, Any]:
    """Checks headers in the form of the event structure.

    Returns:
        The value.

    Raises:
        FieldError: A name is not a lower-case header name, or a value has another form.
    """
    headers = check_object(value, path)
    for name in headers:
        if not _HEADER_NAME.fullmatch(name):
            raise FieldError(f"{path} must have header names that are valid in HTTP.")
        if name != name.lower():
            # CloudFront's own message.
            raise FieldError(f"{path} must have header names in lower case.")
    return _check_values(headers, path, attributes=False)


def check_cookies(value: object, path: str, *, attributes: bool) -> dict[str, Any]:
    """Checks cookies in the form of the event structure; those of a response may have `attributes`.

    Returns:
        The value.

    Raises:
        FieldError: A value has another form.
    """
    return _check_values(check_object(value, path), path, attributes=attributes)


def check_querystring(value: object, path: str) -> dict[str, Any]:
    """Checks a query string in the form of the event structure.

    Returns:
        The value.

    Raises:
        FieldError: A value has another form, or a character is not allowed in a URL.
    """
    query = _check_values(check_object(value, path), path, attributes=False)
    for name, field in query.items():
        for part in (name, field.get("value", ""), *(item.get("value", "") for item in field.get("multiValue", []))):
            _check_query_text(part, path)
    return query


def check_returned_querystring(value: object, path: str) -> dict[str, Any] | str:
    """Checks a query string that a function returned: a string, or the form of the event structure.

    Returns:
        The value.

    Raises:
        FieldError: A value has another form, or a character is not allowed in a URL.
    """
    return _check_query_text(value, path) if isinstance(value, str) else check_querystring(value, path)


def _check_query_text(value: str, path: str) -> str:
    if _QUERY.search(value):
        raise FieldError(f'{path} must not have spaces, control characters or "#".')
    return value


def check_uri(value: object, query: Mapping[str, Any] | str, path: str) -> str:
    """Checks a URI in the form of the event structure.

    Args:
        value: The URI, without its query string.
        query: Its query string, already checked.
        path: The path of the field.

    Returns:
        The URI.

    Raises:
        FieldError: The value is not a URI, or is too long with its query string.
    """
    uri = check_string(value, path)
    if not uri.startswith("/"):
        raise FieldError(f'{path} must begin with "/".')
    if len(uri) + _query_length(query) > MAX_URI_CHARACTERS:
        raise FieldError(f"{path} with its query string must have at most {MAX_URI_CHARACTERS} characters.")
    return uri


def check_status(value: object, path: str) -> int:
    """Checks the status of a response.

    Returns:
        The status.

    Raises:
        FieldError: The value is not a status.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(f"{path} must be an integer.")
    if not MIN_STATUS <= value <= MAX_STATUS:
        raise FieldError(f"{path} must be from {MIN_STATUS} to {MAX_STATUS}.")
    return value


def check_body(value: object, path: str) -> str | dict[str, Any]:
    """Checks the body of a response.

    Returns:
        The body, reduced to the members that it may have.

    Raises:
        FieldError: The value has another form.
    """
    if isinstance(value, str):
        return value
    body = check_object(value, path)
    if body.get("encoding") not in ("text", "base64"):
        raise FieldError(f'{path}.encoding must be "text" or "base64".')
    data = body.get("data")
    if not isinstance(data, str):
        raise FieldError(f"{path}.data must be a string.")
    if body["encoding"] == "base64":
        try:
            binascii.a2b_base64(data, strict_mode=True)
        except ValueError:
            raise FieldError(f"{path}.data must be valid Base64.") from None
    return {"encoding": body["encoding"], "data": data}


def check_header_changes(after: Mapping[str, Any], before: Mapping[str, Any], kind: str, path: str) -> None:
    """Checks that a function changed only headers that it may change.

    Args:
        after: The headers that it returned.
        before: The headers that it received; empty if it responds to a viewer request itself.
        kind: `request` or `response`.
        path: The path of the headers.

    Raises:
        FieldError: It added a disallowed header, or added, changed or removed a read-only one.
    """
    for name in sorted(after.keys() | before.keys()):
        if after.get(name) == before.get(name):
            continue
        if name in READ_ONLY_HEADERS[kind]:
            raise FieldError(f"{path} must not add, change or remove the read-only header {name}.")
        if name in after and (name in DISALLOWED_HEADERS or name.startswith(DISALLOWED_PREFIXES)):
            raise FieldError(f"{path} must not have the disallowed header {name}.")


def _query_length(query: Mapping[str, Any] | str) -> int:
    """Returns the length of a query string. In the form of the event structure, "?", "&" and "=" are added."""
    if isinstance(query, str):
        return len(query)
    return sum(
        len(name) + len(item.get("value", "")) + len("&=")
        for name, field in query.items()
        for item in field.get("multiValue", [field])
    )


def _check_values(values: dict[str, Any], path: str, *, attributes: bool) -> dict[str, Any]:
    for name, field in values.items():
        field_path = f"{path}.{name}"
        item = check_object(field, field_path)
        if "value" not in item and "multiValue" not in item:
            raise FieldError(f"{field_path} must have a value.")
        if "value" in item:
            _check_item(item, field_path, attributes=attributes)
        if "multiValue" in item:
            if not isinstance(item["multiValue"], list) or not item["multiValue"]:
                raise FieldError(f"{field_path}.multiValue must be an array of values.")
            for index, part in enumerate(item["multiValue"]):
                part_path = f"{field_path}.multiValue[{index}]"
                _check_item(check_object(part, part_path), part_path, attributes=attributes)
    return values


def _check_item(item: dict[str, Any], path: str, *, attributes: bool) -> None:
    check_string(item.get("value"), f"{path}.value")
    if attributes and "attributes" in item:
        check_string(item["attributes"], f"{path}.attributes")
