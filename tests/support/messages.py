"""Messages that several tests send or return."""

from __future__ import annotations

from cloudfront_facade.v1.key_value_store_data_service_pb2 import KeyChange, KeyValue, ListKeysResponse
from cloudfront_facade_server import page_tokens


def put(key: str, value: str = "v") -> KeyChange:
    """Returns a change that sets a key."""
    return KeyChange(put=KeyValue(key=key, value=value))


def keys(*names: str, next_token: str = "") -> ListKeysResponse:
    """Returns a page of keys."""
    return ListKeysResponse(items=[KeyValue(key=name, value="v") for name in names], next_page_token=next_token)


def token(list_name: str) -> str:
    """Returns the token of the page of a list at the marker `m`."""
    return page_tokens.encode(list_name, "m")
