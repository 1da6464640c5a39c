"""Versions: the ETag of what there is, and the `IfMatch` of who wants to change it."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from typing import Any

from .responses import CloudFrontError, DataPlaneError

_ALPHABET = string.ascii_uppercase + string.digits
_LENGTH = 13

_ETAG = re.compile("E[A-Z0-9]{12,13}")
"""The look of the control plane's ETags. Source: the API reference's examples."""

_DATA_ETAG = re.compile("(?:KV|E)[A-Z0-9]{12,13}")
"""The look of the data plane's ETags, the control plane's included: early releases gave such ones."""


def new_etag() -> str:
    """An ETag in the control plane's look, for one version of one thing; 36^13 of them make it unique."""
    return f"E{_random()}"


def new_data_etag() -> str:
    """An ETag in the data plane's look, for one version of a store's whole content."""
    return f"KV{_random()}"


def require_if_match(arguments: Mapping[str, Any]) -> str:
    """The version that the caller wants to change.

    Raises:
        RefusedError: InvalidIfMatchVersion, where it is missing or looks like none.
    """
    version: str = arguments.get("IfMatch", "")
    if not _ETAG.fullmatch(version):
        raise invalid_if_match()
    return version


def invalid_if_match() -> CloudFrontError:
    """The refusal of a version that cannot be one."""
    message = "The If-Match version is missing or not valid for the resource."
    return CloudFrontError("InvalidIfMatchVersion", 400, message)


def check_version(version: str, etag: str) -> None:
    """Passes if `version` is what there is.

    Raises:
        RefusedError: PreconditionFailed.
    """
    if version != etag:
        raise CloudFrontError("PreconditionFailed", 412, "The If-Match version is not the current one.")


def require_data_if_match(arguments: Mapping[str, Any]) -> str:
    """The version of a store's content that the caller wants to change.

    Raises:
        DataRefusedError: ValidationException, where it is missing or looks like none.
    """
    version: str = arguments.get("IfMatch", "")
    if not _DATA_ETAG.fullmatch(version):
        raise DataPlaneError("ValidationException", 400, "The If-Match version is missing or not valid.")
    return version


def check_data_version(version: str, etag: str) -> None:
    """Passes if `version` is that of the store's content.

    Raises:
        DataRefusedError: ConflictException.
    """
    if version != etag:
        raise DataPlaneError("ConflictException", 409, "The If-Match version is not the current one.")


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
