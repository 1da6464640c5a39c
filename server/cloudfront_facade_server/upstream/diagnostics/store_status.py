"""The errors for a key value store that is missing or not READY. CloudFront has no codes for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc

from ...errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ...errors.translate import precondition
from ...errors.violations import quote

READY: Final = "READY"
_READY_AFTER_SECONDS: Final = 5.0


def not_found(arn: str, metadata: Mapping[str, str]) -> StatusError:
    """Returns the error for a call that needs a store that does not exist."""
    return _failed_precondition("KEY_VALUE_STORE_NOT_FOUND", f'key value store "{arn}" not found', arn, metadata)


def not_ready(arn: str, status: str, metadata: Mapping[str, str]) -> StatusError:
    """Returns the error for a call that needs a store that is READY."""
    return _failed_precondition(
        "KEY_VALUE_STORE_NOT_READY",
        f'key value store "{arn}" is {quote(status)}; retry when it is "{READY}"; WaitForKeyValueStore waits for that',
        arn,
        metadata,
        retry_after=_READY_AFTER_SECONDS,
    )


def _failed_precondition(
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
