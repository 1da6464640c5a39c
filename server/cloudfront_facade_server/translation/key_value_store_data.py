"""Keys and values: the messages of KeyValueStoreDataService."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NotRequired, TypedDict

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

from .. import limits, page_tokens
from .common import timestamp

if TYPE_CHECKING:
    from types_boto3_cloudfront_keyvaluestore import type_defs as boto


class PutKeyArguments(TypedDict):
    """PutKeyRequestTypeDef, except that `IfMatch` is absent if the request has no etag."""

    KvsARN: str
    Key: str
    Value: str
    IfMatch: NotRequired[str]


class DeleteKeyArguments(TypedDict):
    """DeleteKeyRequestTypeDef, except that `IfMatch` is absent if the request has no etag."""

    KvsARN: str
    Key: str
    IfMatch: NotRequired[str]


class UpdateKeysArguments(TypedDict):
    """UpdateKeysRequestTypeDef without the changes; `IfMatch` is absent if the request has no etag."""

    KvsARN: str
    IfMatch: NotRequired[str]


def describe_key_value_store_data_to_boto(
    request: DescribeKeyValueStoreDataRequest,
) -> boto.DescribeKeyValueStoreRequestTypeDef:
    """Returns the arguments of boto3's data-plane `describe_key_value_store`."""
    return {"KvsARN": request.kvs_arn}


def describe_key_value_store_data_from_boto(
    response: boto.DescribeKeyValueStoreResponseTypeDef,
) -> DescribeKeyValueStoreDataResponse:
    """Returns the response with the size and state of the store."""
    return DescribeKeyValueStoreDataResponse(
        etag=response.get("ETag", ""),
        item_count=response.get("ItemCount", 0),
        total_size_in_bytes=response.get("TotalSizeInBytes", 0),
        kvs_arn=response.get("KvsARN", ""),
        created=timestamp(response.get("Created")),
        last_modified=timestamp(response.get("LastModified")),
        status=response.get("Status", ""),
        failure_reason=response.get("FailureReason", ""),
    )


def get_key_to_boto(request: GetKeyRequest) -> boto.GetKeyRequestTypeDef:
    """Returns the arguments of boto3's `get_key`."""
    return {"KvsARN": request.kvs_arn, "Key": request.key}


def get_key_from_boto(response: boto.GetKeyResponseTypeDef) -> GetKeyResponse:
    """Returns the response with the value."""
    return GetKeyResponse(
        key=response.get("Key", ""),
        value=response.get("Value", ""),
        item_count=response.get("ItemCount", 0),
        total_size_in_bytes=response.get("TotalSizeInBytes", 0),
    )


def put_key_to_boto(request: PutKeyRequest) -> PutKeyArguments:
    """Returns the arguments of boto3's `put_key`."""
    arguments: PutKeyArguments = {"KvsARN": request.kvs_arn, "Key": request.key, "Value": request.value}
    if request.etag:
        arguments["IfMatch"] = request.etag
    return arguments


def put_key_from_boto(response: boto.PutKeyResponseTypeDef) -> PutKeyResponse:
    """Returns the response with the size of the store and its new etag."""
    return PutKeyResponse(
        item_count=response.get("ItemCount", 0),
        total_size_in_bytes=response.get("TotalSizeInBytes", 0),
        etag=response.get("ETag", ""),
    )


def delete_key_to_boto(request: DeleteKeyRequest) -> DeleteKeyArguments:
    """Returns the arguments of boto3's `delete_key`."""
    arguments: DeleteKeyArguments = {"KvsARN": request.kvs_arn, "Key": request.key}
    if request.etag:
        arguments["IfMatch"] = request.etag
    return arguments


def delete_key_from_boto(response: boto.DeleteKeyResponseTypeDef) -> DeleteKeyResponse:
    """Returns the response with the size of the store and its new etag."""
    return DeleteKeyResponse(
        item_count=response.get("ItemCount", 0),
        total_size_in_bytes=response.get("TotalSizeInBytes", 0),
        etag=response.get("ETag", ""),
    )


def list_keys_to_boto(request: ListKeysRequest) -> boto.ListKeysRequestTypeDef:
    """Returns the arguments of boto3's `list_keys`."""
    arguments: boto.ListKeysRequestTypeDef = {"KvsARN": request.kvs_arn}
    if request.page_size:
        arguments["MaxResults"] = min(request.page_size, limits.KEYS_PAGE_MAX)
    if marker := page_tokens.decode(page_tokens.keys_list(request.kvs_arn), request.page_token):
        arguments["NextToken"] = marker
    return arguments


def list_keys_from_boto(response: boto.ListKeysResponseTypeDef, request: ListKeysRequest) -> ListKeysResponse:
    """Returns the response with a page of keys."""
    items = [KeyValue(key=item["Key"], value=item.get("Value", "")) for item in response.get("Items", ())]
    next_page = page_tokens.encode(page_tokens.keys_list(request.kvs_arn), response.get("NextToken"))
    return ListKeysResponse(items=items, next_page_token=next_page)


def update_keys_to_boto(request: UpdateKeysRequest) -> UpdateKeysArguments:
    """Returns the arguments of boto3's `update_keys` without the changes, which are sent in batches."""
    return _update_arguments(request.kvs_arn, request.etag)


def changes_to_boto(changes: Iterable[KeyChange]) -> Iterator[tuple[str, str | None]]:
    """Yields the key and the new value of each change; None deletes the key."""
    for change in changes:
        yield (change.put.key, change.put.value) if change.HasField("put") else (change.delete, None)


def stream_to_boto(requests: Iterable[ImportKeysRequest]) -> Iterator[tuple[str, str | None]]:
    """Yields the changes of a stream of requests as `changes_to_boto` does, and keeps no request that it has read."""
    for request in requests:
        yield from changes_to_boto(request.changes)
        del request  # otherwise it would take memory until the next one arrives


def update_keys_from_boto(response: boto.UpdateKeysResponseTypeDef) -> UpdateKeysResponse:
    """Returns the response, with the sizes and the etag after the last batch."""
    return UpdateKeysResponse(
        item_count=response.get("ItemCount", 0),
        total_size_in_bytes=response.get("TotalSizeInBytes", 0),
        etag=response.get("ETag", ""),
    )


def import_keys_to_boto(request: ImportKeysRequest) -> UpdateKeysArguments:
    """Returns the arguments of boto3's `update_keys` without the changes, from the first request of the stream."""
    return _update_arguments(request.kvs_arn, request.etag)


def import_keys_from_boto(response: boto.UpdateKeysResponseTypeDef, applied_changes: int) -> ImportKeysResponse:
    """Returns the response, with the sizes and the etag after the last batch."""
    return ImportKeysResponse(
        applied_changes=applied_changes,
        item_count=response.get("ItemCount", 0),
        total_size_in_bytes=response.get("TotalSizeInBytes", 0),
        etag=response.get("ETag", ""),
    )


def _update_arguments(arn: str, etag: str) -> UpdateKeysArguments:
    arguments: UpdateKeysArguments = {"KvsARN": arn}
    if etag:
        arguments["IfMatch"] = etag
    return arguments
