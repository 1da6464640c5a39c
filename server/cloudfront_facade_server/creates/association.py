"""Why a function cannot be associated with its key value store: CloudFront has no code of its own for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import grpc

from ..backends.protocol import Backend
from ..errors.proof import UPSTREAM_ERRORS, aws_code
from ..errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ..errors.table import UnreadableAnswerError
from ..errors.upstream import precondition, upstream_metadata

_MAX_PAGES: Final = 10
_READY: Final = "READY"
_READY_AFTER_SECONDS: Final = 5.0


def explain(backend: Backend, error: Exception, arguments: Mapping[str, Any]) -> StatusError | None:
    """Explains an InvalidArgument of a create by the store's state; None where that is not the reason."""
    if aws_code(error) != "InvalidArgument":
        return None
    return refusal(backend, arguments, upstream_metadata(error))


def refusal(backend: Backend, arguments: Mapping[str, Any], metadata: Mapping[str, str]) -> StatusError | None:
    """Tells by ListKeyValueStores, as far as that can be read, whether the store is missing or not READY."""
    associations = arguments.get("FunctionConfig", {}).get("KeyValueStoreAssociations", {}).get("Items", ())
    if not associations:
        return None
    arn = associations[0]["KeyValueStoreARN"]
    try:
        status = next((store.get("Status", "") for store in _stores(backend) if store.get("ARN") == arn), None)
    except UPSTREAM_ERRORS:
        return None
    if status is None:
        return _failed("KEY_VALUE_STORE_NOT_FOUND", f"there is no key value store {arn}", arn, metadata)
    if status != _READY:
        return _failed(
            "KEY_VALUE_STORE_NOT_READY",
            f"the key value store {arn} is {status[:32]!a}, and can be associated once it is READY",
            arn,
            metadata,
            retry_after=_READY_AFTER_SECONDS,
        )
    return None


def _stores(backend: Backend) -> Iterator[Mapping[str, Any]]:
    page: Mapping[str, str] = {}
    for _ in range(_MAX_PAGES):
        stores = backend.list_key_value_stores(**page).get("KeyValueStoreList", {})
        yield from stores.get("Items", ())
        if not (marker := stores.get("NextMarker")):
            return
        page = {"Marker": marker}
    raise UnreadableAnswerError  # more stores than are read, so that a missing one cannot be told


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
