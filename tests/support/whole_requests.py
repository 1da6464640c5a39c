"""Requests in which every field is set, and the same with another valid value of one field."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from cloudfront_facade.v1.function_service_pb2 import FunctionStage
from cloudfront_facade_server import page_tokens

from .rpcs import RPCS
from .values import STORE_ARN

Path = tuple[FieldDescriptor, ...]

OTHER_ARN: Final = STORE_ARN.replace("1111", "9999")

VALUES: Final[Mapping[str, tuple[Any, Any]]] = {
    "name": ("rewrite", "redirect"),
    "comment": ("first", "second"),
    "etag": ("E1", "E2"),
    "function_code": (b"first", b"second"),
    "event_object": (b"{}", b'{"version": "1.0"}'),
    "key_value_store_arn": (STORE_ARN, OTHER_ARN),
    "kvs_arn": (STORE_ARN, OTHER_ARN),
    "resource": (STORE_ARN, OTHER_ARN),
    "source_arn": ("arn:aws:s3:::bucket/first", "arn:aws:s3:::bucket/second"),
    "key": ("first", "second"),
    "value": ("first", "second"),
    "delete": ("first", "second"),
    "tag_keys": (["first"], ["second"]),
    "request_id": ("", "0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f"),
    "status": ("READY", "PROVISIONING"),
    "page_size": (7, 8),
}
"""Two valid values of each string, bytes, number and list of values, by the field's name. Requests have the first."""

PAGE_TOKENS: Final[Mapping[str, str]] = {
    "ListFunctions": page_tokens.encode(page_tokens.functions_list(FunctionStage.FUNCTION_STAGE_LIVE), "marker"),
    "ListKeyValueStores": page_tokens.encode(page_tokens.key_value_stores_list("READY"), "marker"),
    "ListKeys": page_tokens.encode(page_tokens.keys_list(STORE_ARN), "marker"),
}
"""The token of the second page of each list. Requests have none, because a token belongs to one list."""


def paths(message: Descriptor, parents: Path = ()) -> Iterator[Path]:
    """Yields the path of each field of a request: of each value, and of each list of messages."""
    for field in message.fields:
        path = (*parents, field)
        if field.message_type:
            yield from paths(field.message_type, path)
        if field.is_repeated or not field.message_type:
            yield path


def path_name(path: Path) -> str:
    """Returns a path as violations name it, with the first element of each list."""
    parents = [f"{field.name}[0]" if field.is_repeated else field.name for field in path[:-1]]
    return ".".join([*parents, path[-1].name])


FIELDS: Final = {
    f"{rpc.name}.{path_name(path)}": (rpc, path) for rpc in RPCS.values() for path in paths(rpc.input_type)
}
"""The rpc and the path of each field of every request."""


def two_values(rpc: MethodDescriptor, field: FieldDescriptor) -> tuple[Any, Any]:
    """Returns two values of a field: both are valid, except the second one of an enum with only one valid value."""
    if field.cpp_type == field.CPPTYPE_BOOL:
        return False, True
    if field.enum_type:
        numbers = [value.number for value in field.enum_type.values]
        return numbers[-1], numbers[-2]
    if field.name == "page_token":
        return "", PAGE_TOKENS[rpc.name]
    assert field.name in VALUES, f"add two valid values of {field.full_name} to VALUES"
    return VALUES[field.name]


def whole_request(rpc: MethodDescriptor) -> Any:
    """Returns a valid request with every field set; of a oneof, its first field."""
    request = GetMessageClass(rpc.input_type)()
    _fill(rpc, request)
    return request


def with_field(rpc: MethodDescriptor, path: Path, value: Any) -> Any:
    """Returns the whole request with a value of one field."""
    request = message = whole_request(rpc)
    for field in path[:-1]:
        child = getattr(message, field.name)
        message = child[0] if field.is_repeated else child
    _set(message, path[-1], value)
    return request


def _fill(rpc: MethodDescriptor, message: Message) -> None:
    field: Any
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof and oneof.fields[0] is not field:
            continue
        if field.message_type:
            child = getattr(message, field.name)
            _fill(rpc, child.add() if field.is_repeated else child)
        else:
            _set(message, field, two_values(rpc, field)[0])


def _set(message: Message, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:
        message.ClearField(field.name)
        getattr(message, field.name).extend(copy.copy(value))
    else:
        setattr(message, field.name, value)
