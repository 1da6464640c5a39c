"""The event that a function is given, checked and completed.

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

_CONTEXT_TEXTS = ("distributionDomainName", "distributionId", "endpoint", "requestId")


class EventError(ValueError):
    """The event is not one that CloudFront could pass to a function. The message is for the caller."""


def read(event: bytes) -> dict[str, Any]:
    """The event, with the empty objects that CloudFront always gives and a test may leave out.

    Args:
        event: a JSON object.

    Raises:
        EventError: CloudFront gives no such event to a function.
    """
    try:
        document = json.loads(event.decode("utf-8"))
    # RecursionError is a document that is nested too deeply.
    except (ValueError, RecursionError):
        raise EventError("The event object is not JSON in UTF-8.") from None
    try:
        return _checked(fields.mapping(document, "The event object"))
    except fields.FieldError as broken:
        raise EventError(f"The event object is not valid: {broken}") from None


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("version") != VERSION:
        raise fields.FieldError(f'version must be "{VERSION}".')
    context = fields.mapping(event.get("context"), "context")
    event_type = context.get("eventType")
    if event_type not in (VIEWER_REQUEST, VIEWER_RESPONSE):
        raise fields.FieldError(f'context.eventType must be "{VIEWER_REQUEST}" or "{VIEWER_RESPONSE}".')
    for name in _CONTEXT_TEXTS:
        if name in context:
            fields.text(context[name], f"context.{name}")
    viewer = fields.mapping(event.get("viewer"), "viewer")
    address = fields.text(viewer.get("ip"), "viewer.ip")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise fields.FieldError("viewer.ip must be an IP address.") from None
    request = fields.mapping(event.get("request"), "request")
    _check_request(request)
    if event_type == VIEWER_RESPONSE:
        response = fields.mapping(event.get("response"), "response")
        _check_response(response)
    return event


def _check_request(request: dict[str, Any]) -> None:
    if fields.text(request.get("method"), "request.method") not in METHODS:
        raise fields.FieldError(f"request.method must be one of {', '.join(METHODS)}.")
    query = fields.querystring(request.setdefault("querystring", {}), "request.querystring")
    fields.uri(request.get("uri"), query, "request.uri")
    fields.headers(request.setdefault("headers", {}), "request.headers")
    fields.cookies(request.setdefault("cookies", {}), "request.cookies", attributes=False)


def _check_response(response: dict[str, Any]) -> None:
    fields.status(response.get("statusCode"), "response.statusCode")
    if "statusDescription" in response:
        fields.text(response["statusDescription"], "response.statusDescription")
    fields.headers(response.setdefault("headers", {}), "response.headers")
    fields.cookies(response.setdefault("cookies", {}), "response.cookies", attributes=True)
    if "body" in response:
        fields.body(response["body"], "response.body")
