"""The server reads every field of every request, and enforces every limit that a comment states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, Final

import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor

from cloudfront_facade.v1.function_service_pb2 import KeyValueStoreAssociation
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import limits
from cloudfront_facade_server.services.function_service import FunctionService
from cloudfront_facade_server.services.key_value_store_data_service import KeyValueStoreDataService
from cloudfront_facade_server.services.key_value_store_service import KeyValueStoreService
from cloudfront_facade_server.services.tag_service import TagService
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules
from protos.field_limits import limits_of
from support.requests import apply
from support.rules import broken_rules
from support.values import STORE_ARN
from support.whole_requests import FIELDS, Path, path_name, two_values, with_field

REDUCED: Final = ".page_size"
"""The field whose larger values are valid, and sent as the maximum."""


class Sent(Exception):  # noqa: N818 (not an error)
    """What a servicer passes to the layer below it."""


class Below:
    """The layer below a servicer, of which every method raises Sent with its arguments."""

    def __getattr__(self, name: str) -> Any:
        def send(*arguments: Any, **keywords: Any) -> None:
            raise Sent(name, [list(a) if isinstance(a, Iterator) else a for a in arguments], keywords)

        return send


class NoRules:
    """Accepts every request, so that only the servicer and the translation read it."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None

    def import_keys(self, requests: Iterator[Any], _checkpoint: Any) -> tuple[Any, Iterator[Any]]:
        first = next(requests)
        return first, chain((first,), requests)


RULES: Final[Any] = NoRules()
BELOW: Final[Any] = Below()
SERVICERS: Final[dict[str, Any]] = {
    "FunctionService": FunctionService(RULES, BELOW, BELOW),
    "KeyValueStoreService": KeyValueStoreService(RULES, BELOW, BELOW, BELOW),
    "KeyValueStoreDataService": KeyValueStoreDataService(RULES, BELOW),
    "TagService": TagService(RULES, BELOW),
}


def sent(rpc: MethodDescriptor, request: Any) -> Any:
    """Returns what the servicer passes on; None if the request has a value that is not translated."""
    method = getattr(SERVICERS[rpc.containing_service.name], rpc.name)
    with suppress(KeyError):
        try:
            method(iter([request]) if rpc.client_streaming else request, None)
        except Sent as passed_on:
            return passed_on.args
    return None


def value_of_size(field: FieldDescriptor, size: int) -> Any:
    """Returns a value of a field with a number of characters, bytes or elements, which breaks no other rule."""
    match field.name:
        case "key_value_store_associations":
            return [KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)] * size
        case "tags":
            return [Tag(key=f"k{number}") for number in range(size)]
        case "tag_keys":
            return [f"k{number}" for number in range(size)]
        case "kvs_arn" | "key_value_store_arn":
            return STORE_ARN.ljust(size, "1")
        case "source_arn":
            return "arn:aws:s3:::bucket/" + "k" * size
        case "event_object":
            return b"{}".ljust(size)
        case "status":
            return "X" * size
    return b"x" * size if field.type == field.TYPE_BYTES else "x" * size


def broken_at(rpc: MethodDescriptor, path: Path, request: Any, limit: int) -> list[str]:
    """Returns the rules that a request breaks, those of other fields with the name of the field."""
    is_code = path[-1].name == "function_code"
    rules = Rules(TagRules(), max_function_code_bytes=limit if is_code else limits.FUNCTION_CODE_QUOTA)
    broken = broken_rules(lambda sent: apply(rules, rpc, sent), request)
    return [rule if field == path_name(path) else f"{field}: {rule}" for field, rule in broken]


VALUES: Final = [name for name, (_, path) in FIELDS.items() if not path[-1].message_type]
LIMITS: Final = {
    name: limits_of(path[-1].full_name.removeprefix("cloudfront_facade.v1.")) for name, (_, path) in FIELDS.items()
}
ENFORCED: Final = [(name, limit) for name, numbers in LIMITS.items() for limit in numbers if not name.endswith(REDUCED)]
PAGE_SIZES: Final = [name for name in LIMITS if name.endswith(REDUCED)]


@pytest.mark.parametrize("name", VALUES)
def test_a_field_changes_what_the_servicer_passes_on(name: str) -> None:
    rpc, path = FIELDS[name]
    first, second = (sent(rpc, with_field(rpc, path, value)) for value in two_values(rpc, path[-1]))

    assert first is not None
    assert first != second, "no code in services/ or translation/ reads the field"


@pytest.mark.parametrize(("name", "limit"), ENFORCED)
def test_a_limit_is_enforced(name: str, limit: int) -> None:
    rpc, path = FIELDS[name]
    allowed, too_large = (with_field(rpc, path, value_of_size(path[-1], size)) for size in (limit, limit + 1))

    assert broken_at(rpc, path, allowed, limit) == []
    assert len(broken_at(rpc, path, too_large, limit)) == 1


@pytest.mark.parametrize("name", PAGE_SIZES)
def test_a_page_size_above_the_maximum_is_sent_as_the_maximum(name: str) -> None:
    rpc, path = FIELDS[name]
    maximum = max(LIMITS[name])
    smaller, largest, larger = (sent(rpc, with_field(rpc, path, maximum + more)) for more in (-1, 0, 1))

    assert smaller != largest == larger
