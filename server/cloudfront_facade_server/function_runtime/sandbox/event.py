"""Parses the event that is passed to a function, and adds the members that a test may omit.

Source: the Developer Guide, CloudFront Functions event structure, and test functions.
"""

from __future__ import annotations

import ipaddress
import json

from . import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = "1.0"
VIEWER_REQUEST = "viewer-request"
VIEWER_RESPONSE = "viewer-response"
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
"""Source: the API reference, AllowedMethods."""

_CONTEXT_STRINGS = ("distributionDomainName", "distributionId", "endpoint", "requestId")


class EventError(ValueError):
    """CloudFront would not pass this event to a function. The message is for the caller."""


def parse_event(event: bytes) -> dict[str, Any]:
    """Parses and checks an event.

    Args:
        event: A JSON object.

    Returns:
        The event, with the empty objects that CloudFront always passes and a test may omit.

    Raises:
        EventError: CloudFront would not pass this event to a function.
    """
    try:
        document = json.loads(event.decode("utf-8"))
    # RecursionError: the document is nested too deeply.
    except (ValueError, RecursionError):
        raise EventError("The event object is not JSON in UTF-8.") from None
    try:
        return _checked(fields.check_object(document, "The event object"))
    except fields.FieldError as error:
        raise EventError(f"The event object is not valid: {error}") from None


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("version") != VERSION:
        raise fields.FieldError(f'version must be "{VERSION}".')
    context = fields.check_object(event.get("context"), "context")
    event_type = context.get("eventType")
    if event_type not in (VIEWER_REQUEST, VIEWER_RESPONSE):
        raise fields.FieldError(f'context.eventType must be "{VIEWER_REQUEST}" or "{VIEWER_RESPONSE}".')
    for name in _CONTEXT_STRINGS:
        if name in context:
            fields.check_string(context[name], f"context.{name}")
    viewer = fields.check_object(event.get("viewer"), "viewer")
    address = fields.check_string(viewer.get("ip"), "viewer.ip")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise fields.FieldError("viewer.ip must be an IP address.") from None
    request = fields.check_object(event.get("request"), "request")
    _check_request(request)
    if event_type == VIEWER_RESPONSE:
        response = fields.check_object(event.get("response"), "response")
        _check_response(response)
    return event


def _check_request(request: dict[str, Any]) -> None:
    if fields.check_string(request.get("method"), "request.method") not in METHODS:
        raise fields.FieldError(f"request.method must be one of {', '.join(METHODS)}.")
    query = fields.check_querystring(request.setdefault("querystring", {}), "request.querystring")
    fields.check_uri(request.get("uri"), query, "request.uri")
    fields.check_headers(request.setdefault("headers", {}), "request.headers")
    fields.check_cookies(request.setdefault("cookies", {}), "request.cookies", attributes=False)


def _check_response(response: dict[str, Any]) -> None:
    fields.check_status(response.get("statusCode"), "response.statusCode")
    if "statusDescription" in response:
        fields.check_string(response["statusDescription"], "response.statusDescription")
    fields.check_headers(response.setdefault("headers", {}), "response.headers")
    fields.check_cookies(response.setdefault("cookies", {}), "response.cookies", attributes=True)
    if "body" in response:
        fields.check_body(response["body"], "response.body")
