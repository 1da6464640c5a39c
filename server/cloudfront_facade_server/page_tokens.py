"""Encodes and decodes the page tokens of pagination.

They are opaque to callers, and valid only for the list that returned them. A token is a version, a checksum and
CloudFront's marker of the page, in base64url. The checksum includes the list.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from cloudfront_facade.v1.function_service_pb2 import FunctionStage

from . import limits

_VERSION: Final = b"\x01"
_CHECKSUM_BYTES: Final = 8
_HEADER_BYTES: Final = len(_VERSION) + _CHECKSUM_BYTES


class PageTokenError(Exception):
    """The page token is too long, malformed or altered, or another list returned it."""


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
    # JSON can contain an unpaired surrogate. Decoding rejects it.
    content = marker.encode(errors="surrogatepass")
    token = _VERSION + _checksum(list_name, content) + content
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def decode(list_name: str, page_token: str) -> str:
    """Returns CloudFront's marker of the page that a token refers to; empty for the first page.

    Raises:
        PageTokenError: The token is too long, malformed or altered, or another list returned it.
    """
    if not page_token:
        return ""
    # Before anything else, because a caller can send megabytes.
    if max(len(page_token), len(list_name)) > limits.PAGE_TOKEN_MAX_LENGTH:
        raise PageTokenError
    try:
        padded = page_token + "=" * (-len(page_token) % 4)
        marker = base64.b64decode(padded, altchars=b"-_", validate=True)[_HEADER_BYTES:].decode()
    except ValueError:
        raise PageTokenError from None
    # Compares version, checksum and spelling: every marker of a list has one token.
    if encode(list_name, marker) != page_token:
        raise PageTokenError
    return marker


def _checksum(list_name: str, marker: bytes) -> bytes:
    """Returns a checksum, which finds mistakes. Whoever computes it gets a page of a list that they may read anyway."""
    return hashlib.blake2b(list_name.encode() + b"\0" + marker, digest_size=_CHECKSUM_BYTES).digest()
