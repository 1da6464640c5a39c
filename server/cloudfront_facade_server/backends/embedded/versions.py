"""ETags: the version of a resource, and the `IfMatch` of a change to it."""

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
"""The format of the control plane's ETags. Source: the API reference's examples."""

_DATA_ETAG = re.compile("(?:KV|E)[A-Z0-9]{12,13}")
"""The format of the data plane's ETags. Early releases used the control plane's format for both."""


def new_etag() -> str:
    """Returns an ETag of the control plane, for one version of one resource. It is one of 36^13 random values."""
    return f"E{_random()}"


def new_data_etag() -> str:
    """Returns an ETag of the data plane, for one version of all keys of a store."""
    return f"KV{_random()}"


def require_if_match(arguments: Mapping[str, Any]) -> str:
    """Returns the `IfMatch` of a request.

    Raises:
        CloudFrontError: InvalidIfMatchVersion if it is missing or malformed.
    """
    version: str = arguments.get("IfMatch", "")
    if not _ETAG.fullmatch(version):
        raise invalid_if_match()
    return version


def invalid_if_match() -> CloudFrontError:
    """Returns the error for a missing or malformed `IfMatch`."""
    # CloudFront's own message.
    message = "The If-Match version is missing or not valid for the resource."
    return CloudFrontError("InvalidIfMatchVersion", 400, message)


def check_version(version: str, etag: str) -> None:
    """Checks that `version` is the current one.

    Raises:
        CloudFrontError: PreconditionFailed if it is not.
    """
    if version != etag:
        raise CloudFrontError("PreconditionFailed", 412, "The If-Match version is not the current version.")


def require_data_if_match(arguments: Mapping[str, Any]) -> str:
    """Returns the `IfMatch` of a request of the data plane.

    Raises:
        DataPlaneError: ValidationException if it is missing or malformed.
    """
    version: str = arguments.get("IfMatch", "")
    if not _DATA_ETAG.fullmatch(version):
        message = "The If-Match version is missing or malformed."
        raise DataPlaneError("ValidationException", 400, message)
    return version


def check_data_version(version: str, etag: str) -> None:
    """Checks that `version` is the current version of the store's keys.

    Raises:
        DataPlaneError: ValidationException if it is not.
    """
    if version != etag:
        # CloudFront's own message. Only its text distinguishes this ValidationException from all others.
        raise DataPlaneError("ValidationException", 400, "Pre-Condition failed during update of Key-Value-Store")


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
