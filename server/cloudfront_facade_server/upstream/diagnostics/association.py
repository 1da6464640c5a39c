"""Explains why a function cannot be associated with its key value store. CloudFront has no code for the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...backends.protocol import Arguments
from ...call_context import CallContext
from ...errors.aws_codes import MalformedResponseError
from ...errors.classify import UPSTREAM_ERRORS, UpstreamFailure
from ...errors.status_error import StatusError
from ...errors.translate import upstream_metadata
from ..client import UpstreamClient
from .store_status import READY, not_found, not_ready


def explain(
    client: UpstreamClient, call: CallContext, arguments: Arguments, failure: UpstreamFailure
) -> StatusError | None:
    """Returns the error for an InvalidArgument that the state of the function's store explains, or else None."""
    if failure.aws_code != "InvalidArgument":
        return None
    return check(client, call, arguments, upstream_metadata(failure))


def check(
    client: UpstreamClient, call: CallContext, arguments: Arguments, metadata: Mapping[str, str]
) -> StatusError | None:
    """Returns the error for a store that is missing or not READY; None if it is READY or there is no time to read."""
    associations = arguments.get("FunctionConfig", {}).get("KeyValueStoreAssociations", {}).get("Items", ())
    if not associations:
        return None
    arn = associations[0]["KeyValueStoreARN"]
    try:
        stores = _stores(client, call)
        status = next((store.get("Status", "") for store in stores if store.get("ARN") == arn), None)
    except UPSTREAM_ERRORS:
        return None
    if status is None:
        return not_found(arn, metadata)
    return None if status == READY else not_ready(arn, status, metadata)


def _stores(client: UpstreamClient, call: CallContext) -> Iterator[Mapping[str, Any]]:
    page: dict[str, Any] = {}
    while client.has_time_to_read(call):
        stores = client.backend.list_key_value_stores(**page).get("KeyValueStoreList", {})
        yield from stores.get("Items", ())
        if not (marker := stores.get("NextMarker")):
            return
        page = {"Marker": marker}
    raise MalformedResponseError  # Not all pages were read, so the store may exist.
