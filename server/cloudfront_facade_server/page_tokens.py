"""Encodes and decodes page tokens, which are opaque to callers and valid only for the list that returned them."""

from __future__ import annotations

import base64
import json

from cloudfront_facade.v1.function_service_pb2 import FunctionStage


class PageTokenError(Exception):
    """The page token is malformed, or another list returned it."""


def functions_list(stage: int) -> str:
    """Returns the name of the list of the functions in a stage; an unspecified stage is DEVELOPMENT."""
    return f"ListFunctions/{stage or FunctionStage.FUNCTION_STAGE_DEVELOPMENT}"


def key_value_stores_list(status: str) -> str:
    """Returns the name of the list of the stores with a status; an empty status means all stores."""
    return f"ListKeyValueStores/{status}"


def keys_list(arn: str) -> str:
    """Returns the name of the list of a store's keys."""
    return f"ListKeys/{arn}"


def encode(list_name: str, marker: str | None) -> str:
    """Returns the token of a list's next page; empty if this is the last page.

    Args:
        list_name: The name of the list.
        marker: CloudFront's marker of the next page; None or empty if this is the last page.
    """
    if not marker:
        return ""
    return base64.urlsafe_b64encode(json.dumps([list_name, marker]).encode()).decode().rstrip("=")


def decode(list_name: str, page_token: str) -> str:
    """Returns CloudFront's marker of the page that a token refers to; empty for the first page.

    Raises:
        PageTokenError: The token is malformed, or another list returned it.
    """
    if not page_token:
        return ""
    try:
        padded = page_token + "=" * (-len(page_token) % 4)
        match json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str(token_list), str(marker)] if token_list == list_name and marker:
                marker.encode()  # raises for an unpaired surrogate, which JSON can contain and UTF-8 cannot encode
                return marker
    except (ValueError, RecursionError):
        raise PageTokenError from None
    raise PageTokenError
