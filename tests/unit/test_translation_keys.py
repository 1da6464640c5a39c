"""Keys and values: messages to arguments of boto3, and its responses to messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.message import Message

from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.translation import key_value_store_data as translation
from support.messages import token
from support.values import MOMENT, STORE_ARN, TIMESTAMP

if TYPE_CHECKING:
    from types_boto3_cloudfront_keyvaluestore import type_defs as boto

SIZE = {"ItemCount": 3, "TotalSizeInBytes": 5_000_000_000}
WRITTEN: dict[str, Any] = {"item_count": 3, "total_size_in_bytes": 5_000_000_000, "etag": "E2"}


REQUESTS: list[tuple[Callable[[Any], Any], Message, dict[str, Any]]] = [
    (
        translation.describe_key_value_store_data_to_boto,
        data.DescribeKeyValueStoreDataRequest(kvs_arn=STORE_ARN),
        {"KvsARN": STORE_ARN},
    ),
    (
        translation.get_key_to_boto,
        data.GetKeyRequest(kvs_arn=STORE_ARN, key="a/b"),
        {"KvsARN": STORE_ARN, "Key": "a/b"},
    ),
    (
        translation.put_key_to_boto,
        data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v", etag="E1"),
        {"KvsARN": STORE_ARN, "Key": "k", "Value": "v", "IfMatch": "E1"},
    ),
    (
        translation.put_key_to_boto,
        data.PutKeyRequest(kvs_arn=STORE_ARN, key="k"),
        {"KvsARN": STORE_ARN, "Key": "k", "Value": ""},
    ),
    (
        translation.delete_key_to_boto,
        data.DeleteKeyRequest(kvs_arn=STORE_ARN, key="k", etag="E1"),
        {"KvsARN": STORE_ARN, "Key": "k", "IfMatch": "E1"},
    ),
    (
        translation.delete_key_to_boto,
        data.DeleteKeyRequest(kvs_arn=STORE_ARN, key="k"),
        {"KvsARN": STORE_ARN, "Key": "k"},
    ),
    (translation.list_keys_to_boto, data.ListKeysRequest(kvs_arn=STORE_ARN), {"KvsARN": STORE_ARN}),
    (
        translation.list_keys_to_boto,
        data.ListKeysRequest(kvs_arn=STORE_ARN, page_size=51, page_token=token(page_tokens.keys_list(STORE_ARN))),
        {"KvsARN": STORE_ARN, "MaxResults": 50, "NextToken": "m"},
    ),
    (
        translation.update_keys_to_boto,
        data.UpdateKeysRequest(kvs_arn=STORE_ARN, etag="E1"),
        {"KvsARN": STORE_ARN, "IfMatch": "E1"},
    ),
    (translation.import_keys_to_boto, data.ImportKeysRequest(kvs_arn=STORE_ARN), {"KvsARN": STORE_ARN}),
]

RESPONSES: list[tuple[Callable[..., Any], dict[str, Any], Message]] = [
    (
        translation.describe_key_value_store_data_from_boto,
        {**SIZE, "ETag": "E2", "KvsARN": STORE_ARN, "Created": MOMENT, "LastModified": MOMENT, "Status": "READY"},
        data.DescribeKeyValueStoreDataResponse(
            **WRITTEN, kvs_arn=STORE_ARN, created=TIMESTAMP, last_modified=TIMESTAMP, status="READY"
        ),
    ),
    (
        translation.get_key_from_boto,
        {**SIZE, "Key": "k", "Value": "v"},
        data.GetKeyResponse(key="k", value="v", item_count=3, total_size_in_bytes=5_000_000_000),
    ),
    (translation.put_key_from_boto, {**SIZE, "ETag": "E2"}, data.PutKeyResponse(**WRITTEN)),
    (translation.delete_key_from_boto, {**SIZE, "ETag": "E2"}, data.DeleteKeyResponse(**WRITTEN)),
    (translation.update_keys_from_boto, {**SIZE, "ETag": "E2"}, data.UpdateKeysResponse(**WRITTEN)),
    (
        lambda response: translation.import_keys_from_boto(response, 7),
        {**SIZE, "ETag": "E2"},
        data.ImportKeysResponse(applied_changes=7, **WRITTEN),
    ),
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


def test_a_page_of_keys_returns_the_token_of_the_next_page_of_its_store() -> None:
    request = data.ListKeysRequest(kvs_arn=STORE_ARN)
    page: Any = {"NextToken": "next", "Items": [{"Key": "a", "Value": "1"}, {"Key": "b"}]}
    response = translation.list_keys_from_boto(page, request)
    assert [(item.key, item.value) for item in response.items] == [("a", "1"), ("b", "")]
    assert page_tokens.decode(page_tokens.keys_list(STORE_ARN), response.next_page_token) == "next"
    empty: Any = {}
    assert translation.list_keys_from_boto(empty, request) == data.ListKeysResponse()


def test_changes_keep_their_order_and_a_deletion_is_distinct_from_an_empty_value() -> None:
    changes = [
        data.KeyChange(put=data.KeyValue(key="a", value="1")),
        data.KeyChange(delete="a"),
        data.KeyChange(put=data.KeyValue(key="a")),
    ]
    assert list(translation.changes_to_boto(changes)) == [("a", "1"), ("a", None), ("a", "")]


def test_the_arguments_of_a_write_with_an_etag_have_the_types_of_boto3() -> None:
    put = translation.put_key_to_boto(data.PutKeyRequest(kvs_arn=STORE_ARN, key="k"))
    delete = translation.delete_key_to_boto(data.DeleteKeyRequest(kvs_arn=STORE_ARN, key="k"))
    update = translation.update_keys_to_boto(data.UpdateKeysRequest(kvs_arn=STORE_ARN))
    # mypy compares the names of the members.
    full_put: boto.PutKeyRequestTypeDef = {**put, "IfMatch": "E1"}
    full_delete: boto.DeleteKeyRequestTypeDef = {**delete, "IfMatch": "E1"}
    full_update: boto.UpdateKeysRequestTypeDef = {**update, "IfMatch": "E1", "Deletes": [], "Puts": []}
    assert full_put == {"KvsARN": STORE_ARN, "Key": "k", "Value": "", "IfMatch": "E1"}
    assert full_delete == {"KvsARN": STORE_ARN, "Key": "k", "IfMatch": "E1"}
    assert full_update == {"KvsARN": STORE_ARN, "IfMatch": "E1", "Deletes": [], "Puts": []}
