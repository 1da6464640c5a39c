"""Why a function cannot be associated with its key value store: CloudFront has no code of its own for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import grpc

from ..backends.protocol import Backend
from ..errors.proof import UPSTREAM_ERRORS, aws_code
from ..errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ..errors.table import UnreadableAnswerError
from ..errors.upstream import precondition, upstream_metadata

READY: Final = "READY"
_READY_AFTER_SECONDS: Final = 5.0


HasTime = Callable[[], bool]
"""Tells whether the rpc leaves time for one more read."""


def explain(backend: Backend, error: Exception, arguments: Mapping[str, Any], has_time: HasTime) -> StatusError | None:
    """Explains an InvalidArgument by the state of the function's store; None where that is not the reason."""
    if aws_code(error) != "InvalidArgument":
        return None
    return refusal(backend, arguments, upstream_metadata(error), has_time)


def refusal(
    backend: Backend, arguments: Mapping[str, Any], metadata: Mapping[str, str], has_time: HasTime
) -> StatusError | None:
    """Tells by ListKeyValueStores, as far as that can be read in time, whether the store is missing or not READY."""
    associations = arguments.get("FunctionConfig", {}).get("KeyValueStoreAssociations", {}).get("Items", ())
    if not associations:
        return None
    arn = associations[0]["KeyValueStoreARN"]
    try:
        stores = _stores(backend, has_time)
        status = next((store.get("Status", "") for store in stores if store.get("ARN") == arn), None)
    except UPSTREAM_ERRORS:
        return None
    if status is None:
        return _failed("KEY_VALUE_STORE_NOT_FOUND", f"there is no key value store {arn}", arn, metadata)
    return None if status == READY else not_ready(arn, status, metadata)


def not_ready(arn: str, status: str, metadata: Mapping[str, str]) -> StatusError:
    """Refuses what can only be done to a store that is READY."""
    return _failed(
        "KEY_VALUE_STORE_NOT_READY",
        f"the key value store {arn} is {status[:32]!a}; this can be done once it is {READY}",
        arn,
        metadata,
        retry_after=_READY_AFTER_SECONDS,
    )


def _stores(backend: Backend, has_time: HasTime) -> Iterator[Mapping[str, Any]]:
    page: Mapping[str, str] = {}
    while has_time():
        stores = backend.list_key_value_stores(**page).get("KeyValueStoreList", {})
        yield from stores.get("Items", ())
        if not (marker := stores.get("NextMarker")):
            return
        page = {"Marker": marker}
    raise UnreadableAnswerError  # not all stores were read, so that a missing one cannot be told


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
