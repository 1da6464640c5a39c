"""The errors for a key value store that is missing or not READY. CloudFront has no codes for them.

Only the data plane reports that an import failed; the store then never becomes READY.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import grpc

from ...errors.redaction import redacted
from ...errors.status_error import CLOUDFRONT_DOMAIN, MAX_MESSAGE_CHARACTERS, StatusError
from ...errors.translate import precondition
from ...errors.violations import quote

READY: Final = "READY"
PROVISIONING: Final = "PROVISIONING"
_FAILED: Final = "FAILED"
_NO_REASON: Final = "CloudFront states no reason"
_MAX_REASON_CHARACTERS: Final = 200
_READY_AFTER_SECONDS: Final = 5.0


def not_found(arn: str, metadata: Mapping[str, str]) -> StatusError:
    """Returns the error for a call that needs a store that does not exist."""
    return _failed_precondition(
        "KEY_VALUE_STORE_NOT_FOUND", f'key value store "{arn}" not found', arn, _with_arn(metadata, arn)
    )


def not_ready(arn: str, status: str, metadata: Mapping[str, str]) -> StatusError:
    """Returns the error for a call that needs a store that is READY."""
    return _failed_precondition(
        "KEY_VALUE_STORE_NOT_READY",
        f'key value store "{arn}" is {quote(status)}; retry when it is "{READY}"; WaitForKeyValueStore waits for that',
        arn,
        _with_arn(metadata, arn),
        retry_after=_READY_AFTER_SECONDS,
    )


def import_failed(
    store: str, data: Mapping[str, Any], arguments: Mapping[str, Any], metadata: Mapping[str, str]
) -> StatusError | None:
    """Returns the error for a call that needs a store whose import failed; None if it did not fail.

    Args:
        store: The name or ARN by which the caller named the store.
        data: The data plane's description of the store; empty if it could not be read.
        arguments: The caller's boto3 arguments. Only ARNs that occur in them may occur in the message.
        metadata: The metadata of the error.
    """
    reason = redacted(data.get("FailureReason", ""), arguments)
    if not reason and data.get("Status") != _FAILED:
        return None
    reason = reason or _NO_REASON
    label = f"key value store {quote(store, MAX_MESSAGE_CHARACTERS)}"
    message = f'{label} cannot become "{READY}" because its import failed: {reason}'
    metadata = {**metadata, "failure_reason": reason[:_MAX_REASON_CHARACTERS]}
    return _failed_precondition("KEY_VALUE_STORE_FAILED", message[:MAX_MESSAGE_CHARACTERS], store, metadata)


def _failed_precondition(
    reason: str, message: str, subject: str, metadata: Mapping[str, str], retry_after: float | None = None
) -> StatusError:
    return StatusError(
        grpc.StatusCode.FAILED_PRECONDITION,
        reason,
        message,
        domain=CLOUDFRONT_DOMAIN,
        metadata=metadata,
        details=[precondition(reason, subject, message)],
        retry_after=retry_after,
    )


def _with_arn(metadata: Mapping[str, str], arn: str) -> dict[str, str]:
    return {**metadata, "key_value_store_arn": arn}
