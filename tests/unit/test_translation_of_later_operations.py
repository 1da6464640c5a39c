"""Messages to boto3 arguments and back, of all rpcs but the creates."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tag_messages
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.translation import functions as of_functions
from cloudfront_facade_server.translation import key_value_store_data as of_data
from cloudfront_facade_server.translation import key_value_stores as of_stores
from cloudfront_facade_server.translation import tags as of_tags

ARN = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"
LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
V2 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
WHEN = datetime(2026, 5, 5, 12, 30, 15, 123000, tzinfo=UTC)
STAMP = Timestamp(seconds=int(WHEN.timestamp()), nanos=123_000_000)

SUMMARY = {
    "Name": "rewrite",
    "Status": "DEPLOYED",
    "FunctionConfig": {"Comment": "c", "Runtime": "cloudfront-js-2.0"},
    "FunctionMetadata": {"FunctionARN": "an-arn", "Stage": "LIVE", "CreatedTime": WHEN, "LastModifiedTime": WHEN},
}
SUMMARY_MESSAGE = functions.FunctionSummary(
    name="rewrite",
    status="DEPLOYED",
    function_config=functions.FunctionConfig(comment="c", runtime=V2),
    function_metadata=functions.FunctionMetadata(
        function_arn="an-arn", stage=LIVE, created_time=STAMP, last_modified_time=STAMP
    ),
)
STORE = {"Name": "s", "Id": "id", "Comment": "", "ARN": ARN, "Status": "READY", "LastModifiedTime": WHEN}
STORE_MESSAGE = stores.KeyValueStore(name="s", id="id", comment="", arn=ARN, status="READY", last_modified_time=STAMP)
SIZE = {"ItemCount": 3, "TotalSizeInBytes": 5_000_000_000}
WRITTEN: dict[str, Any] = {"item_count": 3, "total_size_in_bytes": 5_000_000_000, "etag": "E2"}


def token(which: str, marker: str = "m") -> str:
    return page_tokens.encode(which, marker)


REQUESTS: list[tuple[Callable[[Any], Any], Message, dict[str, Any]]] = [
    (
        of_functions.stage_to_boto,
        functions.DescribeFunctionRequest(name="f"),
        {"Name": "f", "Stage": "DEVELOPMENT"},
    ),
    (of_functions.stage_to_boto, functions.GetFunctionRequest(name="f", stage=LIVE), {"Name": "f", "Stage": "LIVE"}),
    (
        of_functions.update_function_to_boto,
        functions.UpdateFunctionRequest(
            name="f",
            etag="E1",
            function_config=functions.FunctionConfig(
                runtime=V2,
                key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=ARN)],
            ),
            function_code=b"\x00\xff\r\n",
        ),
        {
            "Name": "f",
            "IfMatch": "E1",
            "FunctionConfig": {
                "Comment": "",
                "Runtime": "cloudfront-js-2.0",
                "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": ARN}]},
            },
            "FunctionCode": b"\x00\xff\r\n",
        },
    ),
    (
        of_functions.version_to_boto,
        functions.PublishFunctionRequest(name="f", etag="E1"),
        {"Name": "f", "IfMatch": "E1"},
    ),
    (
        of_functions.version_to_boto,
        functions.DeleteFunctionRequest(name="f", etag="E1"),
        {"Name": "f", "IfMatch": "E1"},
    ),
    (
        of_functions.test_function_to_boto,
        functions.TestFunctionRequest(name="f", etag="E1", event_object=b"{}"),
        {"Name": "f", "IfMatch": "E1", "Stage": "DEVELOPMENT", "EventObject": b"{}"},
    ),
    (of_functions.list_functions_to_boto, functions.ListFunctionsRequest(), {"Stage": "DEVELOPMENT"}),
    (
        of_functions.list_functions_to_boto,
        functions.ListFunctionsRequest(stage=LIVE, page_size=10**9, page_token=token(page_tokens.functions_list(LIVE))),
        {"Stage": "LIVE", "MaxItems": "100", "Marker": "m"},
    ),
    (of_stores.describe_key_value_store_to_boto, stores.DescribeKeyValueStoreRequest(name="s"), {"Name": "s"}),
    (
        of_stores.update_key_value_store_to_boto,
        stores.UpdateKeyValueStoreRequest(name="s", etag="E1"),
        {"Name": "s", "IfMatch": "E1", "Comment": ""},
    ),
    (
        of_stores.delete_key_value_store_to_boto,
        stores.DeleteKeyValueStoreRequest(name="s", etag="E1"),
        {"Name": "s", "IfMatch": "E1"},
    ),
    (of_stores.list_key_value_stores_to_boto, stores.ListKeyValueStoresRequest(), {}),
    (
        of_stores.list_key_value_stores_to_boto,
        stores.ListKeyValueStoresRequest(
            status="READY", page_size=7, page_token=token(page_tokens.key_value_stores_list("READY"))
        ),
        {"Status": "READY", "MaxItems": "7", "Marker": "m"},
    ),
    (of_data.describe_data_to_boto, data.DescribeKeyValueStoreDataRequest(kvs_arn=ARN), {"KvsARN": ARN}),
    (of_data.get_key_to_boto, data.GetKeyRequest(kvs_arn=ARN, key="a/b"), {"KvsARN": ARN, "Key": "a/b"}),
    (
        of_data.put_key_to_boto,
        data.PutKeyRequest(kvs_arn=ARN, key="k", value="v", etag="E1"),
        {"KvsARN": ARN, "Key": "k", "Value": "v", "IfMatch": "E1"},
    ),
    (of_data.put_key_to_boto, data.PutKeyRequest(kvs_arn=ARN, key="k"), {"KvsARN": ARN, "Key": "k", "Value": ""}),
    (
        of_data.delete_key_to_boto,
        data.DeleteKeyRequest(kvs_arn=ARN, key="k", etag="E1"),
        {"KvsARN": ARN, "Key": "k", "IfMatch": "E1"},
    ),
    (of_data.delete_key_to_boto, data.DeleteKeyRequest(kvs_arn=ARN, key="k"), {"KvsARN": ARN, "Key": "k"}),
    (of_data.list_keys_to_boto, data.ListKeysRequest(kvs_arn=ARN), {"KvsARN": ARN}),
    (
        of_data.list_keys_to_boto,
        data.ListKeysRequest(kvs_arn=ARN, page_size=51, page_token=token(page_tokens.keys_list(ARN))),
        {"KvsARN": ARN, "MaxResults": 50, "NextToken": "m"},
    ),
    (
        of_data.update_keys_to_boto,
        data.UpdateKeysRequest(kvs_arn=ARN, etag="E1"),
        {"KvsARN": ARN, "IfMatch": "E1"},
    ),
    (of_data.update_keys_to_boto, data.ImportKeysRequest(kvs_arn=ARN), {"KvsARN": ARN}),
    (
        of_tags.tag_resource_to_boto,
        tag_messages.TagResourceRequest(resource=ARN, tags=[Tag(key="a", value=""), Tag(key="b")]),
        {"Resource": ARN, "Tags": {"Items": [{"Key": "a", "Value": ""}, {"Key": "b"}]}},
    ),
    (
        of_tags.untag_resource_to_boto,
        tag_messages.UntagResourceRequest(resource=ARN, tag_keys=["a", "b"]),
        {"Resource": ARN, "TagKeys": {"Items": ["a", "b"]}},
    ),
    (
        of_tags.list_tags_for_resource_to_boto,
        tag_messages.ListTagsForResourceRequest(resource=ARN),
        {"Resource": ARN},
    ),
]

ANSWERS: list[tuple[Callable[..., Any], dict[str, Any], Message]] = [
    (
        of_functions.describe_function_from_boto,
        {"FunctionSummary": SUMMARY, "ETag": "E1"},
        functions.DescribeFunctionResponse(function_summary=SUMMARY_MESSAGE, etag="E1"),
    ),
    (
        of_functions.get_function_from_boto,
        {"FunctionCode": io.BytesIO(b"\x00\xff"), "ETag": "E1", "ContentType": "application/octet-stream"},
        functions.GetFunctionResponse(function_code=b"\x00\xff", etag="E1", content_type="application/octet-stream"),
    ),
    (
        of_functions.update_function_from_boto,
        {"FunctionSummary": SUMMARY, "ETag": "E2"},
        functions.UpdateFunctionResponse(function_summary=SUMMARY_MESSAGE, etag="E2"),
    ),
    (
        of_functions.publish_function_from_boto,
        {"FunctionSummary": SUMMARY},
        functions.PublishFunctionResponse(function_summary=SUMMARY_MESSAGE),
    ),
    (
        of_functions.test_function_from_boto,
        {
            "TestResult": {
                "FunctionSummary": SUMMARY,
                "ComputeUtilization": "0",
                "FunctionExecutionLogs": ["a", "b"],
                "FunctionErrorMessage": "",
                "FunctionOutput": "{}",
            }
        },
        functions.TestFunctionResponse(
            test_result=functions.TestResult(
                function_summary=SUMMARY_MESSAGE,
                compute_utilization=0,
                function_execution_logs=["a", "b"],
                function_output="{}",
            )
        ),
    ),
    (
        of_stores.describe_key_value_store_from_boto,
        {"KeyValueStore": STORE, "ETag": "E1"},
        stores.DescribeKeyValueStoreResponse(key_value_store=STORE_MESSAGE, etag="E1"),
    ),
    (
        of_stores.update_key_value_store_from_boto,
        {"KeyValueStore": STORE, "ETag": "E1"},
        stores.UpdateKeyValueStoreResponse(key_value_store=STORE_MESSAGE, etag="E1"),
    ),
    (
        of_stores.wait_for_key_value_store_from_boto,
        {"KeyValueStore": STORE, "ETag": "E1"},
        stores.WaitForKeyValueStoreResponse(key_value_store=STORE_MESSAGE, etag="E1"),
    ),
    (
        of_data.describe_data_from_boto,
        {**SIZE, "ETag": "E2", "KvsARN": ARN, "Created": WHEN, "LastModified": WHEN, "Status": "READY"},
        data.DescribeKeyValueStoreDataResponse(
            **WRITTEN, kvs_arn=ARN, created=STAMP, last_modified=STAMP, status="READY"
        ),
    ),
    (
        of_data.get_key_from_boto,
        {**SIZE, "Key": "k", "Value": "v"},
        data.GetKeyResponse(key="k", value="v", item_count=3, total_size_in_bytes=5_000_000_000),
    ),
    (of_data.put_key_from_boto, {**SIZE, "ETag": "E2"}, data.PutKeyResponse(**WRITTEN)),
    (of_data.delete_key_from_boto, {**SIZE, "ETag": "E2"}, data.DeleteKeyResponse(**WRITTEN)),
    (of_data.update_keys_from_boto, {**SIZE, "ETag": "E2"}, data.UpdateKeysResponse(**WRITTEN)),
    (
        lambda response: of_data.import_keys_from_boto(response, 7),
        {**SIZE, "ETag": "E2"},
        data.ImportKeysResponse(applied_changes=7, **WRITTEN),
    ),
    (
        of_tags.list_tags_for_resource_from_boto,
        {"Tags": {"Items": [{"Key": "a", "Value": ""}, {"Key": "b"}]}},
        tag_messages.ListTagsForResourceResponse(tags=[Tag(key="a", value=""), Tag(key="b")]),
    ),
]


@pytest.mark.parametrize(("translate", "request_", "expected"), REQUESTS)
def test_a_request_becomes_the_arguments_of_boto3(
    translate: Callable[[Any], Any], request_: Message, expected: dict[str, Any]
) -> None:
    assert translate(request_) == expected


@pytest.mark.parametrize(("translate", "response", "expected"), ANSWERS)
def test_an_answer_of_boto3_becomes_a_response(
    translate: Callable[..., Any], response: dict[str, Any], expected: Message
) -> None:
    assert translate(response) == expected


def test_a_list_of_functions_tells_where_the_next_page_of_its_stage_begins() -> None:
    request = functions.ListFunctionsRequest(stage=LIVE)
    page = {"FunctionList": {"NextMarker": "next", "Quantity": 1, "Items": [SUMMARY]}}
    response = of_functions.list_functions_from_boto(page, request)
    assert list(response.functions) == [SUMMARY_MESSAGE]
    assert page_tokens.decode(page_tokens.functions_list(LIVE), response.next_page_token) == "next"
    last = of_functions.list_functions_from_boto({"FunctionList": {"Quantity": 0}}, request)
    assert last == functions.ListFunctionsResponse()


def test_a_list_of_stores_tells_where_the_next_page_of_its_status_begins() -> None:
    request = stores.ListKeyValueStoresRequest(status="READY")
    page = {"KeyValueStoreList": {"NextMarker": "next", "Quantity": 1, "Items": [STORE]}}
    response = of_stores.list_key_value_stores_from_boto(page, request)
    assert list(response.key_value_stores) == [STORE_MESSAGE]
    assert page_tokens.decode(page_tokens.key_value_stores_list("READY"), response.next_page_token) == "next"
    last = of_stores.list_key_value_stores_from_boto({"KeyValueStoreList": {"Quantity": 0}}, request)
    assert last == stores.ListKeyValueStoresResponse()


def test_a_list_of_keys_tells_where_the_next_page_of_its_store_begins() -> None:
    request = data.ListKeysRequest(kvs_arn=ARN)
    page = {"NextToken": "next", "Items": [{"Key": "a", "Value": "1"}, {"Key": "b"}]}
    response = of_data.list_keys_from_boto(page, request)
    assert [(item.key, item.value) for item in response.items] == [("a", "1"), ("b", "")]
    assert page_tokens.decode(page_tokens.keys_list(ARN), response.next_page_token) == "next"
    assert of_data.list_keys_from_boto({}, request) == data.ListKeysResponse()


def test_changes_keep_their_order_and_tell_a_deletion_from_an_empty_value() -> None:
    changes = [
        data.KeyChange(put=data.KeyValue(key="a", value="1")),
        data.KeyChange(delete="a"),
        data.KeyChange(put=data.KeyValue(key="a")),
    ]
    assert list(of_data.changes_to_boto(changes)) == [("a", "1"), ("a", None), ("a", "")]


@pytest.mark.parametrize("said", [None, "", "many", "-1", "1.5", "9" * 20])
def test_a_utilization_that_is_no_number_is_left_out(said: str | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    result = {} if said is None else {"ComputeUtilization": said}
    response = of_functions.test_function_from_boto({"TestResult": result})
    assert not response.test_result.HasField("compute_utilization")
    assert bool(caplog.messages) is (said is not None)
