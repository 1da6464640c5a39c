"""Events as CloudFront passes them to functions."""

from __future__ import annotations

from typing import Any


def request_event(uri: str = "/", **members: Any) -> dict[str, Any]:
    """Returns a viewer-request event; `members` are those of the request."""
    request = {"method": "GET", "uri": uri, "querystring": {}, "headers": {}, "cookies": {}} | members
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "198.51.100.11"},
        "request": request,
    }


def response_event(**members: Any) -> dict[str, Any]:
    """Returns a viewer-response event; `members` are those of the response."""
    response = {"statusCode": 200, "statusDescription": "OK", "headers": {}, "cookies": {}} | members
    return request_event() | {"context": {"eventType": "viewer-response"}, "response": response}


def values(*texts: str) -> dict[str, Any]:
    """Returns a header, cookie or query parameter with these values."""
    return {"value": texts[0]} | ({"multiValue": [{"value": text} for text in texts]} if len(texts) > 1 else {})
