"""Explains why a function cannot be associated with its key value store. CloudFront has no code for the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...backends.protocol import Arguments
from ...call_context import CallContext
from ...errors.aws_codes import MalformedResponseError
from ...errors.classify import UPSTREAM_ERRORS, UpstreamFailure, aws_message
from ...errors.status_error import StatusError
from ...errors.translate import upstream_metadata
from ..client import UpstreamClient
from .store_status import PROVISIONING, READY, import_failed, not_found, not_ready

_TOO_EARLY: Final = "cannot be associated before the resource is provisioned"


def explain(
    client: UpstreamClient, call: CallContext, arguments: Arguments, failure: UpstreamFailure
) -> StatusError | None:
    """Returns the error for a rejection that the state of the function's store explains, or else None.

    CloudFront's text for an association that is too early is certain: reads may show the store as READY already.
    """
    is_too_early = _TOO_EARLY in aws_message(failure.error)
    if failure.aws_code != "InvalidArgument" and not is_too_early:
        return None
    metadata = upstream_metadata(failure)
    error = check(client, call, arguments, metadata)
    arn = _arn(arguments)
    if arn and is_too_early and (error is None or error.reason == "KEY_VALUE_STORE_NOT_FOUND"):
        return not_ready(arn, PROVISIONING, metadata)
    return error


def check(
    client: UpstreamClient, call: CallContext, arguments: Arguments, metadata: Mapping[str, str]
) -> StatusError | None:
    """Returns the error for a store that is missing, failed or not READY; None if it is READY or not readable now."""
    arn = _arn(arguments)
    if not arn:
        return None
    try:
        stores = _stores(client, call)
        status = next((store.get("Status", "") for store in stores if store.get("ARN") == arn), None)
    except UPSTREAM_ERRORS:
        return None
    if status is None:
        return not_found(arn, metadata)
    data = client.probe(call, lambda: client.backend.describe_key_value_store_data(KvsARN=arn)) or {}
    if error := import_failed(arn, data, arguments, {**metadata, "key_value_store_arn": arn}):
        return error
    return None if status == READY else not_ready(arn, status, metadata)


def _arn(arguments: Arguments) -> str:
    """Returns the ARN of the store to associate, or empty."""
    associations = arguments.get("FunctionConfig", {}).get("KeyValueStoreAssociations", {}).get("Items", ())
    return str(associations[0]["KeyValueStoreARN"]) if associations else ""


def _stores(client: UpstreamClient, call: CallContext) -> Iterator[Mapping[str, Any]]:
    page: dict[str, Any] = {}
    while client.has_time_to_read(call):
        stores = client.backend.list_key_value_stores(**page).get("KeyValueStoreList", {})
        yield from stores.get("Items", ())
        if not (marker := stores.get("NextMarker")):
            return
        page = {"Marker": marker}
    raise MalformedResponseError  # Not all pages were read, so the store may exist.
