"""The messages of KeyValueStoreDataService."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    DeleteKeyRequest,
    DeleteKeyResponse,
    DescribeKeyValueStoreDataRequest,
    DescribeKeyValueStoreDataResponse,
    GetKeyRequest,
    GetKeyResponse,
    ImportKeysRequest,
    ImportKeysResponse,
    KeyChange,
    KeyValue,
    ListKeysRequest,
    ListKeysResponse,
    PutKeyRequest,
    PutKeyResponse,
    UpdateKeysRequest,
    UpdateKeysResponse,
)

from .. import page_tokens
from .common import timestamp

_PAGE_MAX = 50
"""Keys of one answer. Service model, ListKeysRequestMaxResultsInteger."""


def describe_data_to_boto(request: DescribeKeyValueStoreDataRequest) -> dict[str, Any]:
    """Makes the keyword arguments of the data plane's `describe_key_value_store`."""
    return {"KvsARN": request.kvs_arn}


def describe_data_from_boto(response: Mapping[str, Any]) -> DescribeKeyValueStoreDataResponse:
    """Makes the response of a describe."""
    return DescribeKeyValueStoreDataResponse(
        etag=response.get("ETag", ""),
        **_size(response),
        kvs_arn=response.get("KvsARN", ""),
        created=timestamp(response.get("Created")),
        last_modified=timestamp(response.get("LastModified")),
        status=response.get("Status", ""),
        failure_reason=response.get("FailureReason", ""),
    )


def get_key_to_boto(request: GetKeyRequest) -> dict[str, Any]:
    """Makes the keyword arguments of `get_key`."""
    return {"KvsARN": request.kvs_arn, "Key": request.key}


def get_key_from_boto(response: Mapping[str, Any]) -> GetKeyResponse:
    """Makes the response of a get."""
    return GetKeyResponse(key=response.get("Key", ""), value=response.get("Value", ""), **_size(response))


def put_key_to_boto(request: PutKeyRequest) -> dict[str, Any]:
    """Makes the keyword arguments of `put_key`; no `IfMatch` where the request names no version."""
    return {"KvsARN": request.kvs_arn, "Key": request.key, "Value": request.value, **_if_match(request.etag)}


def put_key_from_boto(response: Mapping[str, Any]) -> PutKeyResponse:
    """Makes the response of a put."""
    return PutKeyResponse(**_written(response))


def delete_key_to_boto(request: DeleteKeyRequest) -> dict[str, Any]:
    """Makes the keyword arguments of `delete_key`; no `IfMatch` where the request names no version."""
    return {"KvsARN": request.kvs_arn, "Key": request.key, **_if_match(request.etag)}


def delete_key_from_boto(response: Mapping[str, Any]) -> DeleteKeyResponse:
    """Makes the response of a delete."""
    return DeleteKeyResponse(**_written(response))


def list_keys_to_boto(request: ListKeysRequest) -> dict[str, Any]:
    """Makes the keyword arguments of `list_keys`."""
    arguments: dict[str, Any] = {"KvsARN": request.kvs_arn}
    if request.page_size:
        arguments["MaxResults"] = min(request.page_size, _PAGE_MAX)
    if marker := page_tokens.decode(page_tokens.keys_list(request.kvs_arn), request.page_token):
        arguments["NextToken"] = marker
    return arguments


def list_keys_from_boto(response: Mapping[str, Any], request: ListKeysRequest) -> ListKeysResponse:
    """Makes the response to a list request."""
    items = [KeyValue(key=item["Key"], value=item.get("Value", "")) for item in response.get("Items", ())]
    next_page = page_tokens.encode(page_tokens.keys_list(request.kvs_arn), response.get("NextToken"))
    return ListKeysResponse(items=items, next_page_token=next_page)


def update_keys_to_boto(request: UpdateKeysRequest | ImportKeysRequest) -> dict[str, Any]:
    """Makes the keyword arguments of `update_keys` but for the changes; no `IfMatch` where no version is named."""
    return {"KvsARN": request.kvs_arn, **_if_match(request.etag)}


def changes_to_boto(changes: Iterable[KeyChange]) -> Iterator[tuple[str, str | None]]:
    """Gives the key of each change, and its new value; None where it is deleted."""
    for change in changes:
        yield (change.put.key, change.put.value) if change.HasField("put") else (change.delete, None)


def update_keys_from_boto(response: Mapping[str, Any]) -> UpdateKeysResponse:
    """Makes the response of an update, of that of its last batch."""
    return UpdateKeysResponse(**_written(response))


def import_keys_from_boto(response: Mapping[str, Any], applied_changes: int) -> ImportKeysResponse:
    """Makes the response of an import, of that of its last batch."""
    return ImportKeysResponse(applied_changes=applied_changes, **_written(response))


def _if_match(etag: str) -> dict[str, str]:
    return {"IfMatch": etag} if etag else {}


def _size(response: Mapping[str, Any]) -> dict[str, Any]:
    return {"item_count": response.get("ItemCount", 0), "total_size_in_bytes": response.get("TotalSizeInBytes", 0)}


def _written(response: Mapping[str, Any]) -> dict[str, Any]:
    return {**_size(response), "etag": response.get("ETag", "")}
