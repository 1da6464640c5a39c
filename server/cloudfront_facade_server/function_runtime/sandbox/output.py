"""Checks what a function returned, and formats it as CloudFront's `FunctionOutput`.

Source: the Developer Guide, CloudFront Functions event structure, test functions, and restrictions on all edge
functions.
"""

from __future__ import annotations

import json

from . import fields
from .event import VIEWER_REQUEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

INVALID = "The CloudFront function returned an invalid value: "
"""CloudFront's own message, which is followed by the rule that the value violates."""


class InvalidOutputError(ValueError):
    """CloudFront would reject what the function returned. The message is the `FunctionErrorMessage`."""


def format_output(returned: str, event: Mapping[str, Any]) -> str:
    """Checks and formats what a function returned.

    Args:
        returned: The value that the handler returned, as JSON.
        event: The event that it received, as `parse_event` returns it.

    Returns:
        The function's output, as JSON.

    Raises:
        InvalidOutputError: CloudFront would accept it neither as a request nor as a response.
    """
    try:
        output = _output(json.loads(returned), event)
    except fields.FieldError as error:
        raise InvalidOutputError(f"{INVALID}{error}") from None
    # RecursionError: the object is nested too deeply.
    except RecursionError:
        raise InvalidOutputError(f"{INVALID}it is nested too deeply.") from None
    return json.dumps(output, separators=(",", ":"))


def _output(value: object, event: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise fields.FieldError("a function must return a request or a response object.")
    is_request_event = event["context"]["eventType"] == VIEWER_REQUEST
    if "statusCode" in value:
        return {"response": _response(value, {} if is_request_event else event["response"]["headers"])}
    if not is_request_event:
        raise fields.FieldError("a viewer response function must return a response object, with a statusCode.")
    if "method" not in value and "uri" not in value:
        raise fields.FieldError("a function must return a request or a response object.")
    return {"request": _request(value, event["request"])}


def _request(value: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    if value.get("method") != before["method"]:
        raise fields.FieldError("request.method is read-only.")
    query = fields.check_returned_querystring(value.get("querystring", {}), "request.querystring")
    uri = fields.check_uri(value.get("uri"), query, "request.uri")
    if uri != before["uri"] and any(character in uri for character in " #"):
        raise fields.FieldError('request.uri must not have spaces or "#".')
    headers = fields.check_headers(value.get("headers", {}), "request.headers")
    fields.check_header_changes(headers, before["headers"], "request", "request.headers")
    return {
        "headers": headers,
        "method": value["method"],
        "querystring": query,
        "uri": uri,
        "cookies": fields.check_cookies(value.get("cookies", {}), "request.cookies", attributes=False),
    }


def _response(value: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    status = fields.check_status(value["statusCode"], "response.statusCode")
    headers = fields.check_headers(value.get("headers", {}), "response.headers")
    fields.check_header_changes(headers, before, "response", "response.headers")
    response: dict[str, Any] = {"headers": headers}
    if "statusDescription" in value:
        response["statusDescription"] = fields.check_string(value["statusDescription"], "response.statusDescription")
    response["cookies"] = fields.check_cookies(value.get("cookies", {}), "response.cookies", attributes=True)
    response["statusCode"] = status
    if "body" in value:
        response["body"] = fields.check_body(value["body"], "response.body")
    return response
