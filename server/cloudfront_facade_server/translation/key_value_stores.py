"""The messages of KeyValueStoreService."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    DeleteKeyValueStoreRequest,
    DescribeKeyValueStoreRequest,
    DescribeKeyValueStoreResponse,
    ImportSourceType,
    KeyValueStore,
    ListKeyValueStoresRequest,
    ListKeyValueStoresResponse,
    UpdateKeyValueStoreRequest,
    UpdateKeyValueStoreResponse,
    WaitForKeyValueStoreRequest,
    WaitForKeyValueStoreResponse,
)

from .. import page_tokens
from .common import page_to_boto, tags_to_boto, timestamp

_SOURCE_TYPES = {ImportSourceType.IMPORT_SOURCE_TYPE_S3: "S3"}
_PAGE_MAX = 100
"""Stores of one answer. API reference, ListKeyValueStores."""


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


def describe_key_value_store_to_boto(
    request: DescribeKeyValueStoreRequest | WaitForKeyValueStoreRequest,
) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `describe_key_value_store`."""
    return {"Name": request.name}


def describe_key_value_store_from_boto(response: Mapping[str, Any]) -> DescribeKeyValueStoreResponse:
    """Makes the response of a describe."""
    return DescribeKeyValueStoreResponse(**_versioned(response))


def update_key_value_store_to_boto(request: UpdateKeyValueStoreRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `update_key_value_store`, which requires the comment."""
    return {"Name": request.name, "Comment": request.comment, "IfMatch": request.etag}


def update_key_value_store_from_boto(response: Mapping[str, Any]) -> UpdateKeyValueStoreResponse:
    """Makes the response of an update."""
    return UpdateKeyValueStoreResponse(**_versioned(response))


def delete_key_value_store_to_boto(request: DeleteKeyValueStoreRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `delete_key_value_store`."""
    return {"Name": request.name, "IfMatch": request.etag}


def list_key_value_stores_to_boto(request: ListKeyValueStoresRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `list_key_value_stores`."""
    status = {"Status": request.status} if request.status else {}
    marker = page_tokens.decode(page_tokens.key_value_stores_list(request.status), request.page_token)
    return {**status, **page_to_boto(request.page_size, _PAGE_MAX, marker)}


def list_key_value_stores_from_boto(
    response: Mapping[str, Any], request: ListKeyValueStoresRequest
) -> ListKeyValueStoresResponse:
    """Makes the response to a list request."""
    page = response["KeyValueStoreList"]
    return ListKeyValueStoresResponse(
        key_value_stores=map(_store_from_boto, page.get("Items", ())),
        next_page_token=page_tokens.encode(page_tokens.key_value_stores_list(request.status), page.get("NextMarker")),
    )


def wait_for_key_value_store_from_boto(response: Mapping[str, Any]) -> WaitForKeyValueStoreResponse:
    """Makes the response of a wait, of that of the describe that ended it."""
    return WaitForKeyValueStoreResponse(**_versioned(response))


def _versioned(response: Mapping[str, Any]) -> dict[str, Any]:
    return {"key_value_store": _store_from_boto(response["KeyValueStore"]), "etag": response.get("ETag", "")}


def _store_from_boto(store: Mapping[str, Any]) -> KeyValueStore:
    return KeyValueStore(
        name=store["Name"],
        id=store.get("Id", ""),
        comment=store.get("Comment"),
        arn=store.get("ARN", ""),
        status=store.get("Status", ""),
        last_modified_time=timestamp(store.get("LastModifiedTime")),
    )
