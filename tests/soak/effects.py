"""What identifies a change: in a caller's request, and in what CloudFront applied.

Every caller chooses contents that no other request of it or of others has, so that an effect belongs to one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import Message

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    DeleteFunctionRequest,
    PublishFunctionRequest,
    UpdateFunctionRequest,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2 import DeleteKeyRequest, PutKeyRequest, UpdateKeysRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    DeleteKeyValueStoreRequest,
    UpdateKeyValueStoreRequest,
)
from cloudfront_facade.v1.tag_service_pb2 import TagResourceRequest, UntagResourceRequest

REQUEST_TAG: Final = "cloudfront-facade:request"

CREATES: Final = ("CreateFunction", "CreateKeyValueStore")
DELETIONS: Final = ("DeleteFunction", "DeleteKeyValueStore")
KEY_WRITES: Final = ("PutKey", "DeleteKey", "UpdateKeys")

Effect = tuple[str, ...]
"""The operation, the resource, and the content or the version. For a key, "put" with the value, or "delete"."""


def operation_of(request: Message) -> str:
    """Returns the operation that a request is for."""
    return type(request).__name__.removesuffix("Request")


def effects_of_request(request: Message) -> frozenset[Effect]:
    """Returns what a request changes; empty if it only reads."""
    operation = operation_of(request)
    match request:
        case CreateFunctionRequest() | CreateKeyValueStoreRequest():
            return frozenset({(operation, request.name, request.request_id)})
        case UpdateFunctionRequest():
            return frozenset({(operation, request.name, request.function_code.decode())})
        case UpdateKeyValueStoreRequest():
            return frozenset({(operation, request.name, request.comment)})
        case PublishFunctionRequest() | DeleteFunctionRequest() | DeleteKeyValueStoreRequest():
            return frozenset({(operation, request.name, request.etag)})
        case TagResourceRequest():
            return frozenset((operation, request.resource, tag.key, tag.value) for tag in request.tags)
        case UntagResourceRequest():
            return frozenset((operation, request.resource, key) for key in request.tag_keys)
        case PutKeyRequest():
            return frozenset({_put(request.key, request.value)})
        case DeleteKeyRequest():
            return frozenset({_deletion(request.key)})
        case UpdateKeysRequest():
            puts = {_put(change.put.key, change.put.value) for change in request.changes if change.HasField("put")}
            deletions = {_deletion(change.delete) for change in request.changes if change.HasField("delete")}
            return frozenset(puts | deletions)
    return frozenset()


def effects_of_arguments(operation: str, arguments: Mapping[str, Any]) -> frozenset[Effect]:
    """Returns what an operation of CloudFront changes; empty if it only reads."""
    match operation:
        case "CreateFunction" | "CreateKeyValueStore":
            return frozenset({(operation, arguments["Name"], _request_id(arguments))})
        case "UpdateFunction":
            return frozenset({(operation, arguments["Name"], arguments["FunctionCode"].decode())})
        case "UpdateKeyValueStore":
            return frozenset({(operation, arguments["Name"], arguments["Comment"])})
        case "PublishFunction" | "DeleteFunction" | "DeleteKeyValueStore":
            return frozenset({(operation, arguments["Name"], arguments["IfMatch"])})
        case "TagResource":
            tags = arguments["Tags"]["Items"]
            return frozenset((operation, arguments["Resource"], tag["Key"], tag["Value"]) for tag in tags)
        case "UntagResource":
            return frozenset((operation, arguments["Resource"], key) for key in arguments["TagKeys"]["Items"])
        case "PutKey":
            return frozenset({_put(arguments["Key"], arguments["Value"])})
        case "DeleteKey":
            return frozenset({_deletion(arguments["Key"])})
        case "UpdateKeys":
            puts = {_put(change["Key"], change["Value"]) for change in arguments.get("Puts", ())}
            return frozenset(puts | {_deletion(change["Key"]) for change in arguments.get("Deletes", ())})
    return frozenset()


def _put(key: str, value: str) -> Effect:
    return ("put", key, value)


def _deletion(key: str) -> Effect:
    return ("delete", key)


def _request_id(arguments: Mapping[str, Any]) -> str:
    """Returns the request id in the tag of a create; empty if it has none."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in arguments.get("Tags", {}).get("Items", ())}
    return str(tags.get(REQUEST_TAG, "")).partition("/")[0]
