"""Page tokens: opaque to callers, and good only for the list that gave them."""

from __future__ import annotations

import base64
import json

from cloudfront_facade.v1.function_service_pb2 import FunctionStage


class PageTokenError(Exception):
    """A page token is none that this list gave."""


def functions_list(stage: int) -> str:
    """Names the list of the functions that have a stage; unspecified is DEVELOPMENT."""
    return f"ListFunctions/{stage or FunctionStage.FUNCTION_STAGE_DEVELOPMENT}"


def key_value_stores_list(status: str) -> str:
    """Names the list of the stores of a status; empty for all."""
    return f"ListKeyValueStores/{status}"


def keys_list(arn: str) -> str:
    """Names the list of a store's keys."""
    return f"ListKeys/{arn}"


def encode(which: str, marker: str | None) -> str:
    """Makes the token of a list's next page; empty on the last one.

    Args:
        which: the list, as named above.
        marker: where CloudFront's next page begins; None or empty where there is none.
    """
    if not marker:
        return ""
    return base64.urlsafe_b64encode(json.dumps([which, marker]).encode()).decode().rstrip("=")


def decode(which: str, page_token: str) -> str:
    """Reads a token of this list: where the page begins, empty for the first. Raises PageTokenError."""
    if not page_token:
        return ""
    try:
        padded = page_token + "=" * (-len(page_token) % 4)
        match json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str(given), str(begins)] if given == which and begins:
                begins.encode()  # JSON can have halves of characters, which cannot be sent
                return begins
    except (ValueError, RecursionError):
        raise PageTokenError from None
    raise PageTokenError
