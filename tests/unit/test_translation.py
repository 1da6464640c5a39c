"""Messages to boto3 arguments and boto3 responses to messages."""

from __future__ import annotations

import ast
import logging
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionResponse,
    FunctionConfig,
    FunctionRuntime,
    FunctionStage,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    ImportSource,
    ImportSourceType,
)
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import translation
from cloudfront_facade_server.translation.functions import create_function_from_boto, create_function_to_boto
from cloudfront_facade_server.translation.key_value_stores import (
    create_key_value_store_from_boto,
    create_key_value_store_to_boto,
)
from support.facade import function

ARN = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"
WHEN = datetime(2026, 5, 5, 12, 30, 15, 123000, tzinfo=UTC)


def test_a_function_becomes_the_arguments_of_boto3() -> None:
    request = function(
        function_config=FunctionConfig(
            comment="c",
            runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
            key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=ARN)],
        ),
        function_code=b"\x00\xff\r\n",
        tags=[Tag(key="a", value="1"), Tag(key="b", value=""), Tag(key="c")],
    )
    assert create_function_to_boto(request) == {
        "Name": "rewrite",
        "FunctionConfig": {
            "Comment": "c",
            "Runtime": "cloudfront-js-2.0",
            "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": ARN}]},
        },
        "FunctionCode": b"\x00\xff\r\n",
        "Tags": {"Items": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}, {"Key": "c"}]},
    }


def test_what_is_empty_is_not_sent_but_for_the_comment_that_cloudfront_requires() -> None:
    assert create_function_to_boto(function(function_code=b"x")) == {
        "Name": "rewrite",
        "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
        "FunctionCode": b"x",
    }


def test_an_absent_and_an_empty_comment_of_a_store_differ() -> None:
    assert create_key_value_store_to_boto(CreateKeyValueStoreRequest(name="s")) == {"Name": "s"}
    assert create_key_value_store_to_boto(CreateKeyValueStoreRequest(name="s", comment="")) == {
        "Name": "s",
        "Comment": "",
    }


def test_an_import_source_becomes_an_argument() -> None:
    source = ImportSource(source_type=ImportSourceType.IMPORT_SOURCE_TYPE_S3, source_arn="arn:aws:s3:::b/k")
    request = CreateKeyValueStoreRequest(name="s", import_source=source, tags=[Tag(key="a")])
    assert create_key_value_store_to_boto(request) == {
        "Name": "s",
        "ImportSource": {"SourceType": "S3", "SourceARN": "arn:aws:s3:::b/k"},
        "Tags": {"Items": [{"Key": "a"}]},
    }


def test_a_function_comes_back_whole() -> None:
    answer = create_function_from_boto(
        {
            "FunctionSummary": {
                "Name": "rewrite",
                "Status": "UNPUBLISHED",
                "FunctionConfig": {
                    "Comment": "c",
                    "Runtime": "cloudfront-js-1.0",
                    "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": ARN}]},
                },
                "FunctionMetadata": {
                    "FunctionARN": "arn",
                    "Stage": "LIVE",
                    "CreatedTime": WHEN,
                    "LastModifiedTime": WHEN.astimezone(timezone(timedelta(hours=-8))),
                },
            },
            "Location": "https://example.com",
            "ETag": "E1",
        }
    )
    assert (answer.location, answer.etag) == ("https://example.com", "E1")
    summary = answer.function_summary
    assert (summary.name, summary.status) == ("rewrite", "UNPUBLISHED")
    assert summary.function_config == FunctionConfig(
        comment="c",
        runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
        key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=ARN)],
    )
    metadata = summary.function_metadata
    assert (metadata.function_arn, metadata.stage) == ("arn", FunctionStage.FUNCTION_STAGE_LIVE)
    assert metadata.created_time.ToJsonString() == "2026-05-05T12:30:15.123Z"
    assert metadata.last_modified_time == metadata.created_time


def test_a_store_comes_back_whole_and_without_a_comment_where_it_has_none() -> None:
    store = {"Name": "s", "Id": "i", "ARN": ARN, "Status": "READY", "LastModifiedTime": WHEN}
    answer = create_key_value_store_from_boto({"KeyValueStore": store, "ETag": "E1", "Location": "l"})
    assert (answer.etag, answer.location) == ("E1", "l")
    assert not answer.key_value_store.HasField("comment")
    assert answer.key_value_store.last_modified_time.ToDatetime(UTC) == WHEN
    commented = create_key_value_store_from_boto({"KeyValueStore": {**store, "Comment": ""}})
    assert commented.key_value_store.HasField("comment")
    assert commented.key_value_store.comment == ""


def test_an_empty_answer_becomes_an_empty_message() -> None:
    assert create_function_from_boto({}) == CreateFunctionResponse()
    assert create_key_value_store_from_boto({}) == CreateKeyValueStoreResponse()


def test_a_value_newer_than_the_protos_becomes_unspecified_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    summary = {"Name": "a", "FunctionConfig": {"Runtime": "cloudfront-js-9.0"}, "FunctionMetadata": {"Stage": "TEST"}}
    with caplog.at_level(logging.WARNING):
        answer = create_function_from_boto({"FunctionSummary": summary}).function_summary
    assert answer.function_config.runtime == FunctionRuntime.FUNCTION_RUNTIME_UNSPECIFIED
    assert answer.function_metadata.stage == FunctionStage.FUNCTION_STAGE_UNSPECIFIED
    assert not answer.function_metadata.HasField("created_time")
    assert "cloudfront-js-9.0" in caplog.text
    assert "TEST" in caplog.text


@pytest.mark.parametrize("path", sorted(Path(translation.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_translation_knows_neither_grpc_nor_boto3(path: Path) -> None:
    imported = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not {name for name in imported if name.split(".")[0] in ("grpc", "boto3", "botocore")}
    assert not {name for name in imported if name.endswith("_pb2_grpc")}
