"""Each string and bytes field of each request with 4 MiB, the largest message: rejected quickly, in few words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from botocore import xform_name
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from cloudfront_facade_server.errors.violations import ValidationError, Violation
from support.rpcs import RPCS
from support.rules import RULES
from support.values import STORE_ARN

SIZE: Final = 4 * 2**20

MAX_SECONDS: Final = 0.05
"""One pass over 4 MiB takes a few milliseconds. The JSON of an unbounded page token took 400."""

TEXTS: Final = {"ASCII": "a" * SIZE, "not ASCII": "\u00e9" * (SIZE // 2), "NUL at the end": "a" * (SIZE - 1) + "\0"}

Path = tuple[FieldDescriptor, ...]


def paths(message: Descriptor, parents: Path = ()) -> Iterator[Path]:
    """Yields the path of each string and bytes field of a message."""
    for field in message.fields:
        if field.message_type:
            yield from paths(field.message_type, (*parents, field))
        elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
            yield (*parents, field)


FIELDS: Final = {
    f"{name}.{'.'.join(field.name for field in path)}": (rpc, path)
    for name, rpc in RPCS.items()
    for path in paths(rpc.input_type)
}


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


def violations(rpc: MethodDescriptor, request: Any) -> tuple[list[Violation], float]:
    """Returns the violations of a request, and the seconds until they were found."""
    check: Callable[..., Any] = getattr(RULES, xform_name(rpc.name))
    start = time.perf_counter()
    with pytest.raises(ValidationError) as caught:
        apply(check, rpc, request)
    return caught.value.violations, time.perf_counter() - start


def apply(check: Callable[..., Any], rpc: MethodDescriptor, request: Any) -> None:
    """Applies the rules of an rpc to a request, or to a stream with one request."""
    if rpc.client_streaming:
        list(check(iter([request]), lambda: None)[1])
    elif rpc.name == "UpdateKeys":
        check(request, lambda: None)
    else:
        check(request)


def test_the_walk_finds_the_fields_of_every_request() -> None:
    assert {name.partition(".")[0] for name in FIELDS} == set(RPCS)
    assert {
        "ListKeys.page_token",
        "CreateFunction.function_config.key_value_store_associations.key_value_store_arn",
        "ImportKeys.changes.put.value",
        "UntagResource.tag_keys",
    } <= set(FIELDS)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_4_mib_is_rejected_quickly_with_a_short_message(name: str, text: str) -> None:
    rpc, path = FIELDS[name]
    request = with_value(rpc, path, TEXTS[text])

    found, seconds = min((violations(rpc, request) for _ in range(2)), key=lambda result: result[1])

    about = [violation for violation in found if violation.field.endswith(path[-1].name) or path[-1].is_repeated]
    assert about, found
    assert all(len(violation.description) < 400 for violation in found)
    assert seconds < MAX_SECONDS
