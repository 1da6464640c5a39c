"""Requests in which one field is set, for tests of every field of every request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore import xform_name
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from cloudfront_facade_server.validation.rules import Rules

from .rpcs import RPCS
from .values import STORE_ARN

Path = tuple[FieldDescriptor, ...]


def _paths(message: Descriptor, parents: Path = ()) -> Iterator[Path]:
    for field in message.fields:
        if field.message_type:
            yield from _paths(field.message_type, (*parents, field))
        elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
            yield (*parents, field)


FIELDS: Final = {
    f"{name}.{'.'.join(field.name for field in path)}": (rpc, path)
    for name, rpc in RPCS.items()
    for path in _paths(rpc.input_type)
}
"""Every string and bytes field of every request: its rpc and its path."""


def with_value(rpc: MethodDescriptor, path: Path, text: str) -> Any:
    """Returns a request in which only one field is set; in a stream also the ARN, without which nothing is read."""
    request = message = GetMessageClass(rpc.input_type)(**{"kvs_arn": STORE_ARN} if rpc.client_streaming else {})
    for parent in path[:-1]:
        child = getattr(message, parent.name)
        message = child.add() if parent.is_repeated else child
        message.SetInParent()
    last = path[-1]
    value: Any = text.encode() if last.type == last.TYPE_BYTES else text
    if last.is_repeated:
        getattr(message, last.name).append(value)
    else:
        setattr(message, last.name, value)
    return request


def apply(rules: Rules, rpc: MethodDescriptor, request: Any) -> None:
    """Applies the rules of an rpc to a request, or to a stream with one request; raises ValidationError."""
    check: Callable[..., Any] = getattr(rules, xform_name(rpc.name))
    if rpc.client_streaming:
        list(check(iter([request]), lambda: None)[1])
    elif rpc.name == "UpdateKeys":
        check(request, lambda: None)
    else:
        check(request)
