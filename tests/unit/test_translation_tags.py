"""Tags: messages to arguments of boto3, and its responses to messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.translation import tags as translation
from support.values import STORE_ARN

REQUESTS: list[tuple[Callable[[Any], Any], Message, dict[str, Any]]] = [
    (
        translation.tag_resource_to_boto,
        tags.TagResourceRequest(resource=STORE_ARN, tags=[Tag(key="a", value=""), Tag(key="b")]),
        {"Resource": STORE_ARN, "Tags": {"Items": [{"Key": "a", "Value": ""}, {"Key": "b"}]}},
    ),
    (
        translation.untag_resource_to_boto,
        tags.UntagResourceRequest(resource=STORE_ARN, tag_keys=["a", "b"]),
        {"Resource": STORE_ARN, "TagKeys": {"Items": ["a", "b"]}},
    ),
    (
        translation.list_tags_for_resource_to_boto,
        tags.ListTagsForResourceRequest(resource=STORE_ARN),
        {"Resource": STORE_ARN},
    ),
]

RESPONSES: list[tuple[Callable[..., Any], dict[str, Any], Message]] = [
    (
        translation.list_tags_for_resource_from_boto,
        {"Tags": {"Items": [{"Key": "a", "Value": ""}, {"Key": "b"}]}},
        tags.ListTagsForResourceResponse(tags=[Tag(key="a", value=""), Tag(key="b")]),
    ),
    (translation.list_tags_for_resource_from_boto, {}, tags.ListTagsForResourceResponse()),
    (translation.tag_resource_from_boto, {"ResponseMetadata": {}}, tags.TagResourceResponse()),
    (translation.untag_resource_from_boto, {"ResponseMetadata": {}}, tags.UntagResourceResponse()),
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
