"""Key value stores: messages to arguments of boto3, and its responses to messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from google.protobuf.message import Message

from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.translation import key_value_stores as translation
from support.messages import token
from support.values import MOMENT, STORE_ARN, TIMESTAMP

STORE: Any = {"Name": "s", "Id": "id", "Comment": "", "ARN": STORE_ARN, "Status": "READY", "LastModifiedTime": MOMENT}
STORE_MESSAGE = stores.KeyValueStore(
    name="s", id="id", comment="", arn=STORE_ARN, status="READY", last_modified_time=TIMESTAMP
)


REQUESTS: list[tuple[Callable[[Any], Any], Message, dict[str, Any]]] = [
    (translation.describe_key_value_store_to_boto, stores.DescribeKeyValueStoreRequest(name="s"), {"Name": "s"}),
    (
        translation.update_key_value_store_to_boto,
        stores.UpdateKeyValueStoreRequest(name="s", etag="E1"),
        {"Name": "s", "IfMatch": "E1", "Comment": ""},
    ),
    (
        translation.delete_key_value_store_to_boto,
        stores.DeleteKeyValueStoreRequest(name="s", etag="E1"),
        {"Name": "s", "IfMatch": "E1"},
    ),
    (translation.list_key_value_stores_to_boto, stores.ListKeyValueStoresRequest(), {}),
    (
        translation.list_key_value_stores_to_boto,
        stores.ListKeyValueStoresRequest(
            status="READY", page_size=7, page_token=token(page_tokens.key_value_stores_list("READY"))
        ),
        {"Status": "READY", "MaxItems": "7", "Marker": "m"},
    ),
    (translation.wait_for_key_value_store_to_boto, stores.WaitForKeyValueStoreRequest(name="s"), {"Name": "s"}),
]

RESPONSES: list[tuple[Callable[..., Any], dict[str, Any], Message]] = [
    (
        translation.describe_key_value_store_from_boto,
        {"KeyValueStore": STORE, "ETag": "E1"},
        stores.DescribeKeyValueStoreResponse(key_value_store=STORE_MESSAGE, etag="E1"),
    ),
    (
        translation.update_key_value_store_from_boto,
        {"KeyValueStore": STORE, "ETag": "E1"},
        stores.UpdateKeyValueStoreResponse(key_value_store=STORE_MESSAGE, etag="E1"),
    ),
    (
        translation.wait_for_key_value_store_from_boto,
        {"KeyValueStore": STORE, "ETag": "E1"},
        stores.WaitForKeyValueStoreResponse(key_value_store=STORE_MESSAGE, etag="E1"),
    ),
    (translation.delete_key_value_store_from_boto, {"ResponseMetadata": {}}, stores.DeleteKeyValueStoreResponse()),
]


@pytest.mark.parametrize(("translate", "request_", "expected"), REQUESTS)
def test_a_request_becomes_the_arguments_of_boto3(
    translate: Callable[[Any], Any], request_: Message, expected: dict[str, Any]
) -> None:
    assert translate(request_) == expected


@pytest.mark.parametrize(("translate", "response", "expected"), RESPONSES)
def test_a_response_of_boto3_becomes_a_message(
    translate: Callable[..., Any], response: dict[str, Any], expected: Message
) -> None:
    assert translate(response) == expected


def test_an_absent_comment_is_distinct_from_an_empty_one() -> None:
    assert translation.create_key_value_store_to_boto(stores.CreateKeyValueStoreRequest(name="s")) == {"Name": "s"}
    assert translation.create_key_value_store_to_boto(stores.CreateKeyValueStoreRequest(name="s", comment="")) == {
        "Name": "s",
        "Comment": "",
    }


def test_an_import_source_becomes_an_argument() -> None:
    source = stores.ImportSource(
        source_type=stores.ImportSourceType.IMPORT_SOURCE_TYPE_S3, source_arn="arn:aws:s3:::b/k"
    )
    request = stores.CreateKeyValueStoreRequest(name="s", import_source=source, tags=[Tag(key="a")])
    assert translation.create_key_value_store_to_boto(request) == {
        "Name": "s",
        "ImportSource": {"SourceType": "S3", "SourceARN": "arn:aws:s3:::b/k"},
        "Tags": {"Items": [{"Key": "a"}]},
    }


def test_every_member_of_a_created_store_is_returned_and_an_absent_comment_stays_absent() -> None:
    store: Any = {"Name": "s", "Id": "i", "ARN": STORE_ARN, "Status": "READY", "LastModifiedTime": MOMENT}
    created: Any = {"KeyValueStore": store, "ETag": "E1", "Location": "l"}
    response = translation.create_key_value_store_from_boto(created)
    assert (response.etag, response.location) == ("E1", "l")
    assert not response.key_value_store.HasField("comment")
    assert response.key_value_store.last_modified_time.ToDatetime(UTC) == MOMENT
    with_comment: Any = {"KeyValueStore": {**store, "Comment": ""}}
    commented = translation.create_key_value_store_from_boto(with_comment)
    assert commented.key_value_store.HasField("comment")
    assert commented.key_value_store.comment == ""


def test_an_empty_response_becomes_an_empty_message() -> None:
    empty: Any = {}
    assert translation.create_key_value_store_from_boto(empty) == stores.CreateKeyValueStoreResponse()


def test_a_page_of_stores_returns_the_token_of_the_next_page_of_its_status() -> None:
    request = stores.ListKeyValueStoresRequest(status="READY")
    page: Any = {"KeyValueStoreList": {"NextMarker": "next", "Quantity": 1, "Items": [STORE]}}
    response = translation.list_key_value_stores_from_boto(page, request)
    assert list(response.key_value_stores) == [STORE_MESSAGE]
    assert page_tokens.decode(page_tokens.key_value_stores_list("READY"), response.next_page_token) == "next"
    last_page: Any = {"KeyValueStoreList": {"Quantity": 0}}
    assert translation.list_key_value_stores_from_boto(last_page, request) == stores.ListKeyValueStoresResponse()
