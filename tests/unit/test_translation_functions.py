"""Functions: messages to arguments of boto3, and its responses to messages."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

import pytest
from google.protobuf.message import Message

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.translation import functions as translation
from support.facade import function
from support.messages import token
from support.values import MOMENT, STORE_ARN, TIMESTAMP

LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
V1 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0
V2 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0

SUMMARY: Any = {
    "Name": "rewrite",
    "Status": "DEPLOYED",
    "FunctionConfig": {"Comment": "c", "Runtime": "cloudfront-js-2.0"},
    "FunctionMetadata": {"FunctionARN": "an-arn", "Stage": "LIVE", "CreatedTime": MOMENT, "LastModifiedTime": MOMENT},
}
SUMMARY_MESSAGE = functions.FunctionSummary(
    name="rewrite",
    status="DEPLOYED",
    function_config=functions.FunctionConfig(comment="c", runtime=V2),
    function_metadata=functions.FunctionMetadata(
        function_arn="an-arn", stage=LIVE, created_time=TIMESTAMP, last_modified_time=TIMESTAMP
    ),
)


REQUESTS: list[tuple[Callable[[Any], Any], Message, dict[str, Any]]] = [
    (
        translation.describe_function_to_boto,
        functions.DescribeFunctionRequest(name="f"),
        {"Name": "f", "Stage": "DEVELOPMENT"},
    ),
    (
        translation.get_function_to_boto,
        functions.GetFunctionRequest(name="f", stage=LIVE),
        {"Name": "f", "Stage": "LIVE"},
    ),
    (
        translation.update_function_to_boto,
        functions.UpdateFunctionRequest(
            name="f",
            etag="E1",
            function_config=functions.FunctionConfig(
                runtime=V2,
                key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)],
            ),
            function_code=b"\x00\xff\r\n",
        ),
        {
            "Name": "f",
            "IfMatch": "E1",
            "FunctionConfig": {
                "Comment": "",
                "Runtime": "cloudfront-js-2.0",
                "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]},
            },
            "FunctionCode": b"\x00\xff\r\n",
        },
    ),
    (
        translation.publish_function_to_boto,
        functions.PublishFunctionRequest(name="f", etag="E1"),
        {"Name": "f", "IfMatch": "E1"},
    ),
    (
        translation.delete_function_to_boto,
        functions.DeleteFunctionRequest(name="f", etag="E1"),
        {"Name": "f", "IfMatch": "E1"},
    ),
    (
        translation.test_function_to_boto,
        functions.TestFunctionRequest(name="f", etag="E1", event_object=b"{}"),
        {"Name": "f", "IfMatch": "E1", "Stage": "DEVELOPMENT", "EventObject": b"{}"},
    ),
    (translation.list_functions_to_boto, functions.ListFunctionsRequest(), {"Stage": "DEVELOPMENT"}),
    (
        translation.list_functions_to_boto,
        functions.ListFunctionsRequest(stage=LIVE, page_size=10**9, page_token=token(page_tokens.functions_list(LIVE))),
        {"Stage": "LIVE", "MaxItems": "100", "Marker": "m"},
    ),
]

RESPONSES: list[tuple[Callable[..., Any], dict[str, Any], Message]] = [
    (
        translation.describe_function_from_boto,
        {"FunctionSummary": SUMMARY, "ETag": "E1"},
        functions.DescribeFunctionResponse(function_summary=SUMMARY_MESSAGE, etag="E1"),
    ),
    (
        translation.get_function_from_boto,
        {"FunctionCode": io.BytesIO(b"\x00\xff"), "ETag": "E1", "ContentType": "application/octet-stream"},
        functions.GetFunctionResponse(function_code=b"\x00\xff", etag="E1", content_type="application/octet-stream"),
    ),
    (
        translation.update_function_from_boto,
        {"FunctionSummary": SUMMARY, "ETag": "E2"},
        functions.UpdateFunctionResponse(function_summary=SUMMARY_MESSAGE, etag="E2"),
    ),
    (
        translation.publish_function_from_boto,
        {"FunctionSummary": SUMMARY},
        functions.PublishFunctionResponse(function_summary=SUMMARY_MESSAGE),
    ),
    (
        translation.test_function_from_boto,
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
    (translation.delete_function_from_boto, {"ResponseMetadata": {}}, functions.DeleteFunctionResponse()),
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


def test_a_create_becomes_the_arguments_of_boto3() -> None:
    request = function(
        function_config=functions.FunctionConfig(
            comment="c",
            runtime=V2,
            key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)],
        ),
        function_code=b"\x00\xff\r\n",
        tags=[Tag(key="a", value="1"), Tag(key="b", value=""), Tag(key="c")],
    )
    assert translation.create_function_to_boto(request) == {
        "Name": "rewrite",
        "FunctionConfig": {
            "Comment": "c",
            "Runtime": "cloudfront-js-2.0",
            "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]},
        },
        "FunctionCode": b"\x00\xff\r\n",
        "Tags": {"Items": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}, {"Key": "c"}]},
    }


def test_empty_fields_are_not_sent_except_the_comment() -> None:
    assert translation.create_function_to_boto(function(function_code=b"x")) == {
        "Name": "rewrite",
        "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
        "FunctionCode": b"x",
    }


def test_every_member_of_a_created_function_is_returned() -> None:
    created: Any = {
        "FunctionSummary": {
            "Name": "rewrite",
            "Status": "UNPUBLISHED",
            "FunctionConfig": {
                "Comment": "c",
                "Runtime": "cloudfront-js-1.0",
                "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]},
            },
            "FunctionMetadata": {
                "FunctionARN": "arn",
                "Stage": "LIVE",
                "CreatedTime": MOMENT,
                "LastModifiedTime": MOMENT.astimezone(timezone(timedelta(hours=-8))),
            },
        },
        "Location": "https://example.com",
        "ETag": "E1",
    }
    response = translation.create_function_from_boto(created)
    assert (response.location, response.etag) == ("https://example.com", "E1")
    summary = response.function_summary
    assert (summary.name, summary.status) == ("rewrite", "UNPUBLISHED")
    assert summary.function_config == functions.FunctionConfig(
        comment="c",
        runtime=V1,
        key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)],
    )
    metadata = summary.function_metadata
    assert (metadata.function_arn, metadata.stage) == ("arn", functions.FunctionStage.FUNCTION_STAGE_LIVE)
    assert metadata.created_time.ToJsonString() == "2026-05-05T12:30:15.123Z"
    assert metadata.last_modified_time == metadata.created_time


def test_an_enum_value_that_the_protos_lack_becomes_unspecified_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    config, metadata = {"Runtime": "cloudfront-js-9.0"}, {"Stage": "TEST"}
    created: Any = {"FunctionSummary": {"Name": "a", "FunctionConfig": config, "FunctionMetadata": metadata}}
    with caplog.at_level(logging.WARNING):
        response = translation.create_function_from_boto(created).function_summary
    assert response.function_config.runtime == functions.FunctionRuntime.FUNCTION_RUNTIME_UNSPECIFIED
    assert response.function_metadata.stage == functions.FunctionStage.FUNCTION_STAGE_UNSPECIFIED
    assert not response.function_metadata.HasField("created_time")
    assert (
        'CloudFront returned "cloudfront-js-9.0"; known values: "cloudfront-js-1.0", "cloudfront-js-2.0"' in caplog.text
    )
    assert "TEST" in caplog.text


def test_an_empty_response_becomes_an_empty_message() -> None:
    empty: Any = {}
    assert translation.create_function_from_boto(empty) == functions.CreateFunctionResponse()


def test_a_page_of_functions_returns_the_token_of_the_next_page_of_its_stage() -> None:
    request = functions.ListFunctionsRequest(stage=LIVE)
    page: Any = {"FunctionList": {"NextMarker": "next", "Quantity": 1, "Items": [SUMMARY]}}
    response = translation.list_functions_from_boto(page, request)
    assert list(response.functions) == [SUMMARY_MESSAGE]
    assert page_tokens.decode(page_tokens.functions_list(LIVE), response.next_page_token) == "next"
    last_page: Any = {"FunctionList": {"Quantity": 0}}
    assert translation.list_functions_from_boto(last_page, request) == functions.ListFunctionsResponse()


@pytest.mark.parametrize("value", [None, "", "many", "-1", "1.5", "9" * 20])
def test_a_compute_utilization_that_is_not_a_number_is_omitted(
    value: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    tested: Any = {"TestResult": {} if value is None else {"ComputeUtilization": value}}
    response = translation.test_function_from_boto(tested)
    assert not response.test_result.HasField("compute_utilization")
    assert caplog.messages == (
        [f'CloudFront returned the ComputeUtilization "{value}", which is not a number'] if value is not None else []
    )
