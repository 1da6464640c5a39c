"""Key value stores: the messages of KeyValueStoreService."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    DeleteKeyValueStoreRequest,
    DeleteKeyValueStoreResponse,
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
from .common import set_page, timestamp
from .tags import tags_to_boto

if TYPE_CHECKING:
    from types_boto3_cloudfront import type_defs as boto
    from types_boto3_cloudfront.literals import ImportSourceTypeType

_SOURCE_TYPES: dict[ImportSourceType.ValueType, ImportSourceTypeType] = {ImportSourceType.IMPORT_SOURCE_TYPE_S3: "S3"}


def create_key_value_store_to_boto(request: CreateKeyValueStoreRequest) -> boto.CreateKeyValueStoreRequestTypeDef:
    """Returns the arguments of boto3's `create_key_value_store`."""
    arguments: boto.CreateKeyValueStoreRequestTypeDef = {"Name": request.name}
    if request.HasField("comment"):
        arguments["Comment"] = request.comment
    if request.HasField("import_source"):
        source = request.import_source
        arguments["ImportSource"] = {
            "SourceType": _SOURCE_TYPES[source.source_type],
            "SourceARN": source.source_arn,
        }
    if request.tags:
        arguments["Tags"] = tags_to_boto(request.tags)
    return arguments


def create_key_value_store_from_boto(response: boto.CreateKeyValueStoreResultTypeDef) -> CreateKeyValueStoreResponse:
    """Returns the response; an empty one for validate_only, whose boto3 response is empty."""
    store = response.get("KeyValueStore")
    return CreateKeyValueStoreResponse(
        key_value_store=_store_from_boto(store) if store else None,
        etag=response.get("ETag", ""),
        location=response.get("Location", ""),
    )


def describe_key_value_store_to_boto(
    request: DescribeKeyValueStoreRequest,
) -> boto.DescribeKeyValueStoreRequestTypeDef:
    """Returns the arguments of boto3's `describe_key_value_store`."""
    return {"Name": request.name}


def describe_key_value_store_from_boto(
    response: boto.DescribeKeyValueStoreResultTypeDef,
) -> DescribeKeyValueStoreResponse:
    """Returns the response with the store."""
    return DescribeKeyValueStoreResponse(
        key_value_store=_store_from_boto(response["KeyValueStore"]), etag=response.get("ETag", "")
    )


def update_key_value_store_to_boto(request: UpdateKeyValueStoreRequest) -> boto.UpdateKeyValueStoreRequestTypeDef:
    """Returns the arguments of boto3's `update_key_value_store`, which requires the comment."""
    return {"Name": request.name, "Comment": request.comment, "IfMatch": request.etag}


def update_key_value_store_from_boto(response: boto.UpdateKeyValueStoreResultTypeDef) -> UpdateKeyValueStoreResponse:
    """Returns the response with the updated store."""
    return UpdateKeyValueStoreResponse(
        key_value_store=_store_from_boto(response["KeyValueStore"]), etag=response.get("ETag", "")
    )


def delete_key_value_store_to_boto(request: DeleteKeyValueStoreRequest) -> boto.DeleteKeyValueStoreRequestTypeDef:
    """Returns the arguments of boto3's `delete_key_value_store`."""
    return {"Name": request.name, "IfMatch": request.etag}


def delete_key_value_store_from_boto(_response: boto.EmptyResponseMetadataTypeDef) -> DeleteKeyValueStoreResponse:
    """Returns the response, which is empty."""
    return DeleteKeyValueStoreResponse()


def list_key_value_stores_to_boto(request: ListKeyValueStoresRequest) -> boto.ListKeyValueStoresRequestTypeDef:
    """Returns the arguments of boto3's `list_key_value_stores`."""
    marker = page_tokens.decode(page_tokens.key_value_stores_list(request.status), request.page_token)
    arguments: boto.ListKeyValueStoresRequestTypeDef = {"Status": request.status} if request.status else {}
    set_page(arguments, request.page_size, marker)
    return arguments


def list_key_value_stores_from_boto(
    response: boto.ListKeyValueStoresResultTypeDef, request: ListKeyValueStoresRequest
) -> ListKeyValueStoresResponse:
    """Returns the response with a page of stores."""
    page = response["KeyValueStoreList"]
    return ListKeyValueStoresResponse(
        key_value_stores=map(_store_from_boto, page.get("Items", ())),
        next_page_token=page_tokens.encode(page_tokens.key_value_stores_list(request.status), page.get("NextMarker")),
    )


def wait_for_key_value_store_to_boto(
    request: WaitForKeyValueStoreRequest,
) -> boto.DescribeKeyValueStoreRequestTypeDef:
    """Returns the arguments of boto3's `describe_key_value_store`, which polls until the store is READY."""
    return {"Name": request.name}


def wait_for_key_value_store_from_boto(
    response: boto.DescribeKeyValueStoreResultTypeDef,
) -> WaitForKeyValueStoreResponse:
    """Returns the response with the last description of the store."""
    return WaitForKeyValueStoreResponse(
        key_value_store=_store_from_boto(response["KeyValueStore"]), etag=response.get("ETag", "")
    )


def _store_from_boto(store: boto.KeyValueStoreTypeDef) -> KeyValueStore:
    return KeyValueStore(
        name=store["Name"],
        id=store.get("Id", ""),
        comment=store.get("Comment"),
        arn=store.get("ARN", ""),
        status=store.get("Status", ""),
        last_modified_time=timestamp(store.get("LastModifiedTime")),
    )
