"""The comments of the contract state the limits of every field of a request, and examples of the errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from cloudfront_facade.v1.error_reason_pb2 import ErrorReason
from cloudfront_facade_server import limits
from cloudfront_facade_server.errors.aws_codes import TABLE
from cloudfront_facade_server.errors.status_error import CLOUDFRONT_DOMAIN, FACADE_DOMAIN
from cloudfront_facade_server.settings.serve import ServeSettings
from protos.descriptors import comment
from protos.field_limits import LIMITS, LIMITS_OF_ONE_FIELD, WITHOUT_LIMIT, limits_of
from support.rpcs import RPCS

MAX_CHANGES: Final = f"{ServeSettings.model_fields['max_changes'].default:,}"

AS_ELSEWHERE: Final = re.compile(r", as in (\w+Request)\b")
"""The phrase in a comment without a number that refers to the limits of the same field of another request."""

LIMIT: Final = re.compile(r"\d{2}")
NUMBER: Final = re.compile(r"\d[\d,]*\d|\d")

WITHOUT_SIZE: Final = (FieldDescriptor.CPPTYPE_BOOL, FieldDescriptor.CPPTYPE_ENUM, FieldDescriptor.CPPTYPE_MESSAGE)


def limited_fields(message: Descriptor) -> Iterator[tuple[str, str]]:
    """Yields the full and the short name of each string, number and list in a request."""
    for field in message.fields:
        if field.message_type:
            yield from limited_fields(field.message_type)
        if field.is_repeated or field.cpp_type not in WITHOUT_SIZE:
            yield f"{message.name}.{field.name}", field.name


FIELDS: Final = dict(names for rpc in RPCS.values() for names in limited_fields(rpc.input_type))
"""The short name of each field of a request by its full name."""

REASONS: Final = [name for name in ErrorReason.keys() if name != "ERROR_REASON_UNSPECIFIED"]  # noqa: SIM118


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field not in WITHOUT_LIMIT])
def test_the_comment_of_a_field_states_its_limits(name: str) -> None:
    field = FIELDS[name]
    numbers = limits_of(name)
    assert numbers, f"add the limits of {name} to LIMITS, or the reason why it does not have any to WITHOUT_LIMIT"
    text = comment(name)
    for _ in RPCS:  # bounded, because references could form a cycle
        elsewhere = AS_ELSEWHERE.search(text)
        if LIMIT.search(text) or not elsewhere:
            break
        text = comment(f"{elsewhere[1]}.{field}")
    assert {f"{number:,}" for number in numbers} <= set(NUMBER.findall(text)), text


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field in WITHOUT_LIMIT])
def test_the_comment_of_a_field_without_a_limit_states_none(name: str) -> None:
    stated = {"request_id": {"36"}, "changes": {MAX_CHANGES, "4", "1", "1200"}}
    assert set(NUMBER.findall(comment(name))) <= stated.get(FIELDS[name], set())


@pytest.mark.parametrize("message", ["UpdateKeysRequest", "ImportKeysRequest"])
def test_the_comment_of_changes_states_the_default_of_the_setting(message: str) -> None:
    assert f"at most {MAX_CHANGES}" in comment(f"{message}.changes")


def test_every_listed_field_exists() -> None:
    assert LIMITS.keys() | WITHOUT_LIMIT.keys() <= set(FIELDS.values())
    assert LIMITS_OF_ONE_FIELD.keys() <= FIELDS.keys()


def test_the_comment_of_update_keys_states_the_size_of_a_batch() -> None:
    assert str(limits.UPDATE_KEYS_MAX_KEYS) in comment("KeyValueStoreDataService.UpdateKeys")


@pytest.mark.parametrize("name", REASONS)
def test_the_example_of_a_reason_is_what_the_server_sends(name: str) -> None:
    meaning, _, text = comment(f"ErrorReason.{name}").partition(" Example: ")
    example: dict[str, Any] = json.loads(text)
    metadata = example["metadata"]
    assert example.keys() == {"reason", "domain", "metadata"}
    assert example["reason"] == name.removeprefix("ERROR_REASON_")
    assert example["domain"] in (FACADE_DOMAIN, CLOUDFRONT_DOMAIN)
    assert metadata["operation"]
    assert metadata["outcome"] in ("not_applied", "partial", "unknown")
    if row := TABLE.get(metadata.get("aws_code", "")):
        associated = example["reason"] == "KEY_VALUE_STORE_NOT_READY"  # CloudFront has no separate code for it
        assert associated or row.reason == example["reason"]
        assert associated or meaning.startswith(f"{row.code.name}: ")
        assert example["domain"] == CLOUDFRONT_DOMAIN
        assert metadata.keys() >= {"aws_http_status", "key_value_store_arn" if associated else "name"}
