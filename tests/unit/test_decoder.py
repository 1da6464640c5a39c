"""How the fields of an encoded message are counted before it is decoded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade.v1.key_value_store_data_service_pb2 import KeyChange, UpdateKeysRequest
from cloudfront_facade_server.grpc_server.decoder import has_more_fields


@pytest.mark.parametrize(("changes", "more"), [(98, False), (99, True), (1000, True)])
def test_fields_are_counted_exactly(changes: int, *, more: bool) -> None:
    request = UpdateKeysRequest(kvs_arn="a" * 300, etag="e", changes=[KeyChange(delete="key")] * changes)
    assert has_more_fields(request.SerializeToString(), 100) is more


def test_unknown_fields_of_every_type_count_too() -> None:
    varint, fixed64, length_delimited, fixed32 = b"\x78\xff\x01", b"\x79" + bytes(8), b"\x7a\x01x", b"\x7d" + bytes(4)
    message = (varint + fixed64 + length_delimited + fixed32) * 5
    assert has_more_fields(message, 19)
    assert not has_more_fields(message, 20)


def test_groups_hide_no_fields() -> None:
    start, end, change = b"\x7b", b"\x7c", b"\x12\x00"
    for group in (start + end, start, end, start * 50 + end * 50, start + b"\x08\x01" + end):
        assert has_more_fields(group + change * 2_097_142, 10_100)
        assert not has_more_fields(group + change * 100, 10_100)


def test_a_large_message_is_read_no_further_than_needed() -> None:
    assert has_more_fields(b"\x12\x00" * 10 + b"\xff" * 1000, 9)


@given(st.binary(max_size=300), st.integers(0, 20))
def test_malformed_messages_never_raise(message: bytes, limit: int) -> None:
    has_more_fields(message, limit)
