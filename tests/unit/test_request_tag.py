"""The request tag, which makes a create idempotent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.translation.functions import create_function_to_boto
from cloudfront_facade_server.translation.key_value_stores import create_key_value_store_to_boto
from cloudfront_facade_server.upstream import request_tag
from cloudfront_facade_server.upstream.ownership import Ownership, classify_owner
from support.facade import ANOTHER_ID, REQUEST_ID, function

FUNCTION = {
    "Name": "rewrite",
    "FunctionConfig": {"Comment": "é", "Runtime": "cloudfront-js-2.0"},
    "FunctionCode": b"\x00\xff",
    "Tags": {"Items": [{"Key": "b"}, {"Key": "a", "Value": ""}]},
}


def test_the_fingerprint_is_the_same_in_every_release() -> None:
    # During a rollout, two releases run side by side; changed values would break retries of creates in flight.
    assert request_tag.fingerprint(FUNCTION) == "c74e0f61c1608129adcedde1fdd70377"
    assert request_tag.fingerprint({"Name": "redirects"}) == "9588ed95e29802942944d3acf5bd9280"


def test_the_fingerprint_depends_on_everything_except_the_order_of_tags() -> None:
    original = request_tag.fingerprint(FUNCTION)
    reordered = {**FUNCTION, "Tags": {"Items": [{"Key": "a", "Value": ""}, {"Key": "b"}]}}
    assert request_tag.fingerprint(reordered) == original
    others: list[dict[str, Any]] = [
        {**FUNCTION, "Name": "other"},
        {**FUNCTION, "FunctionCode": b"\x00"},
        {**FUNCTION, "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"}},
        {**FUNCTION, "Tags": {"Items": [{"Key": "b"}, {"Key": "a"}]}},
        {name: value for name, value in FUNCTION.items() if name != "Tags"},
    ]
    fingerprints = {request_tag.fingerprint(other) for other in others}
    assert len(fingerprints) == len(others)
    assert original not in fingerprints


def test_the_fingerprint_excludes_request_id_and_validate_only() -> None:
    plain, with_options = function(), function(request_id=REQUEST_ID, validate_only=True)
    assert create_function_to_boto(plain) == create_function_to_boto(with_options)
    store = CreateKeyValueStoreRequest(name="redirects", request_id=REQUEST_ID, validate_only=True)
    assert create_key_value_store_to_boto(store) == {"Name": "redirects"}


def test_the_tag_is_added_last_and_the_callers_arguments_are_unchanged() -> None:
    value = request_tag.value(REQUEST_ID.upper(), FUNCTION)
    added = request_tag.add(FUNCTION, value)
    assert value == f"{REQUEST_ID}/{request_tag.fingerprint(FUNCTION)}"
    assert added["Tags"]["Items"][-1] == {"Key": "cloudfront-facade:request", "Value": value}
    assert added["Tags"]["Items"][:-1] == FUNCTION["Tags"]["Items"]  # type: ignore[index]
    assert len(FUNCTION["Tags"]["Items"]) == 2  # type: ignore[index]
    assert request_tag.add({"Name": "x"}, value)["Tags"]["Items"] == added["Tags"]["Items"][-1:]


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ([], Ownership.UNDECIDED),
        ([{"Key": "team", "Value": "edge"}], Ownership.FOREIGN),
        ([{"Key": "cloudfront-facade:request"}], Ownership.FOREIGN),
        ([{"Key": "cloudfront-facade:request", "Value": f"{REQUEST_ID}/aa"}], Ownership.OURS),
        ([{"Key": "a"}, {"Key": "cloudfront-facade:request", "Value": f"{REQUEST_ID}/aa"}], Ownership.OURS),
        ([{"Key": "cloudfront-facade:request", "Value": f"{REQUEST_ID}/bb"}], Ownership.REQUEST_ID_REUSED),
        ([{"Key": "cloudfront-facade:request", "Value": f"{ANOTHER_ID}/aa"}], Ownership.FOREIGN),
    ],
)
def test_the_tags_identify_the_owner_of_a_resource(tags: list[dict[str, str]], owner: Ownership) -> None:
    assert classify_owner(tags, f"{REQUEST_ID}/aa") is owner


def test_a_create_without_a_request_id_owns_nothing() -> None:
    tags = [{"Key": "cloudfront-facade:request", "Value": f"{REQUEST_ID}/aa"}]
    assert classify_owner(tags, "") is Ownership.FOREIGN
    assert classify_owner([], "") is Ownership.UNDECIDED


@given(st.binary(max_size=200), st.text(max_size=20))
def test_the_value_follows_the_tag_rules(code: bytes, comment: str) -> None:
    arguments = create_function_to_boto(function(function_code=code, tags=[Tag(key="a", value=comment)]))
    value = request_tag.value(REQUEST_ID, arguments)
    assert len(value) == 69
    assert set(value) <= set("0123456789abcdef-/")
