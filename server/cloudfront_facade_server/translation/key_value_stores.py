"""The messages of KeyValueStoreService."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    ImportSourceType,
    KeyValueStore,
)

from .common import tags_to_boto, timestamp

_SOURCE_TYPES = {ImportSourceType.IMPORT_SOURCE_TYPE_S3: "S3"}


def create_key_value_store_to_boto(request: CreateKeyValueStoreRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `create_key_value_store`."""
    arguments: dict[str, Any] = {"Name": request.name}
    if request.HasField("comment"):
        arguments["Comment"] = request.comment
    if request.HasField("import_source"):
        source = request.import_source
        arguments["ImportSource"] = {
            "SourceType": _SOURCE_TYPES[source.source_type],
            "SourceARN": source.source_arn,
        }
    return arguments | tags_to_boto(request.tags)


def create_key_value_store_from_boto(response: Mapping[str, Any]) -> CreateKeyValueStoreResponse:
    """Makes the response of a create; an empty one of an empty mapping."""
    store = response.get("KeyValueStore")
    return CreateKeyValueStoreResponse(
        key_value_store=_store_from_boto(store) if store else None,
        etag=response.get("ETag", ""),
        location=response.get("Location", ""),
    )


def _store_from_boto(store: Mapping[str, Any]) -> KeyValueStore:
    return KeyValueStore(
        name=store["Name"],
        id=store.get("Id", ""),
        comment=store.get("Comment"),
        arn=store.get("ARN", ""),
        status=store.get("Status", ""),
        last_modified_time=timestamp(store.get("LastModifiedTime")),
    )
