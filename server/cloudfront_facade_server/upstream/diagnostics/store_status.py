"""Refusals of what needs a key value store that is there and READY: CloudFront has no codes of its own for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc

from ...errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ...errors.translate import precondition

READY: Final = "READY"
_READY_AFTER_SECONDS: Final = 5.0


def not_found(arn: str, metadata: Mapping[str, str]) -> StatusError:
    """Refuses what names a store that is not there."""
    return _failed("KEY_VALUE_STORE_NOT_FOUND", f"there is no key value store {arn}", arn, metadata)


def not_ready(arn: str, status: str, metadata: Mapping[str, str]) -> StatusError:
    """Refuses what can only be done to a store that is READY."""
    return _failed(
        "KEY_VALUE_STORE_NOT_READY",
        f"the key value store {arn} is {status[:32]!a}; this can be done once it is {READY}",
        arn,
        metadata,
        retry_after=_READY_AFTER_SECONDS,
    )


def _failed(
    reason: str, message: str, arn: str, metadata: Mapping[str, str], retry_after: float | None = None
) -> StatusError:
    return StatusError(
        grpc.StatusCode.FAILED_PRECONDITION,
        reason,
        message,
        domain=CLOUDFRONT_DOMAIN,
        metadata={**metadata, "key_value_store_arn": arn},
        details=[precondition(reason, arn, message)],
        retry_after=retry_after,
    )
