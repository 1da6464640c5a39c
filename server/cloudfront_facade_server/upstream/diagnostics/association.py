"""Why a function cannot be associated with its key value store: CloudFront has no code of its own for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...backends.protocol import Backend
from ...errors.aws_codes import MalformedResponseError
from ...errors.classify import UPSTREAM_ERRORS, aws_code
from ...errors.status_error import StatusError
from ...errors.translate import upstream_metadata
from ..timeouts import HasTime
from .store_status import READY, not_found, not_ready


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
        return not_found(arn, metadata)
    return None if status == READY else not_ready(arn, status, metadata)


def _stores(backend: Backend, has_time: HasTime) -> Iterator[Mapping[str, Any]]:
    page: Mapping[str, str] = {}
    while has_time():
        stores = backend.list_key_value_stores(**page).get("KeyValueStoreList", {})
        yield from stores.get("Items", ())
        if not (marker := stores.get("NextMarker")):
            return
        page = {"Marker": marker}
    raise MalformedResponseError  # not all stores were read, so that a missing one cannot be told
