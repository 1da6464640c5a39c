"""The facade sends the same bytes for a create as plain boto3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    ImportSource,
    ImportSourceType,
)
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.upstream.request_tag import KEY
from support.cloudfront.wire import installed_wire
from support.facade import REQUEST_ID
from support.values import STORE_ARN
from wire.equality import assert_same
from wire.leaves import leaves_of_message, leaves_of_shape, leaves_of_value
from wire.side_by_side import SideBySide

V1: Final = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0
V2: Final = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
S3: Final = ImportSourceType.IMPORT_SOURCE_TYPE_S3
SPECIAL: Final = """<a href="x">&amp; ' \t\n ]]> <!-- -->"""
UNICODE: Final = "東京 é½\u00a0"
EVERY_BYTE: Final = bytes(range(256))

FUNCTION_MEMBERS: Final = {
    "Name": "name",
    "FunctionConfig.Comment": "function_config.comment",
    "FunctionConfig.Runtime": "function_config.runtime",
    "FunctionConfig.KeyValueStoreAssociations.Items.KeyValueStoreARN": (
        "function_config.key_value_store_associations.key_value_store_arn"
    ),
    "FunctionCode": "function_code",
    "Tags.Items.Key": "tags.key",
    "Tags.Items.Value": "tags.value",
}

STORE_MEMBERS: Final = {
    "Name": "name",
    "Comment": "comment",
    "ImportSource.SourceType": "import_source.source_type",
    "ImportSource.SourceARN": "import_source.source_arn",
    "Tags.Items.Key": "tags.key",
    "Tags.Items.Value": "tags.value",
}

FACADE_ONLY: Final[Mapping[str, set[str]]] = {
    "CreateFunction": {"request_id", "validate_only"},
    "CreateKeyValueStore": {"request_id", "validate_only"},
}
"""The fields of each create that are not sent to CloudFront under their own name."""

TAGS: Final[Mapping[str, tuple[list[Tag], dict[str, Any]]]] = {
    "no tags": ([], {}),
    "one tag": ([Tag(key="team", value="edge")], {"Tags": {"Items": [{"Key": "team", "Value": "edge"}]}}),
    "an empty value": ([Tag(key="empty", value="")], {"Tags": {"Items": [{"Key": "empty", "Value": ""}]}}),
    "an absent value": ([Tag(key="absent")], {"Tags": {"Items": [{"Key": "absent"}]}}),
    "every character": (
        [Tag(key="Az09 _-.:/=+@", value=" aws: =@+ ")],
        {"Tags": {"Items": [{"Key": "Az09 _-.:/=+@", "Value": " aws: =@+ "}]}},
    ),
    "characters beyond ASCII": (
        [Tag(key=UNICODE, value="\U00020000")],
        {"Tags": {"Items": [{"Key": UNICODE, "Value": "\U00020000"}]}},
    ),
    "the maximum lengths": (
        [Tag(key="k" * 128, value="é" * 256)],
        {"Tags": {"Items": [{"Key": "k" * 128, "Value": "é" * 256}]}},
    ),
    "fifty tags in order": (
        [Tag(key=f"k{number}", value=str(number)) for number in range(50, 0, -1)],
        {"Tags": {"Items": [{"Key": f"k{number}", "Value": str(number)} for number in range(50, 0, -1)]}},
    ),
}

MINIMAL_FUNCTION: Final[dict[str, Any]] = {
    "name": "f",
    "function_config": FunctionConfig(runtime=V1),
    "function_code": b"x",
}
MINIMAL_FUNCTION_SENT: Final[dict[str, Any]] = {
    "Name": "f",
    "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-1.0"},
    "FunctionCode": b"x",
}

FUNCTIONS: Final[Mapping[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "the minimum": ({}, {}),
    "the longest name": ({"name": "A-z_09" + "n" * 58}, {"Name": "A-z_09" + "n" * 58}),
    "code of every byte": ({"function_code": EVERY_BYTE}, {"FunctionCode": EVERY_BYTE}),
    "code that looks like XML": ({"function_code": SPECIAL.encode()}, {"FunctionCode": SPECIAL.encode()}),
    "the maximum code size": ({"function_code": EVERY_BYTE * 160}, {"FunctionCode": EVERY_BYTE * 160}),
    "a comment of special characters": (
        {"function_config": FunctionConfig(runtime=V1, comment=SPECIAL)},
        {"FunctionConfig": {"Comment": SPECIAL, "Runtime": "cloudfront-js-1.0"}},
    ),
    "a comment beyond ASCII": (
        {"function_config": FunctionConfig(runtime=V2, comment=UNICODE + "\U0001f600\u2028")},
        {"FunctionConfig": {"Comment": UNICODE + "\U0001f600\u2028", "Runtime": "cloudfront-js-2.0"}},
    ),
    "everything": (
        {
            "function_config": FunctionConfig(
                comment="all",
                runtime=V2,
                key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)],
            ),
            "tags": [Tag(key="team", value="edge"), Tag(key="absent")],
        },
        {
            "FunctionConfig": {
                "Comment": "all",
                "Runtime": "cloudfront-js-2.0",
                "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]},
            },
            "Tags": {"Items": [{"Key": "team", "Value": "edge"}, {"Key": "absent"}]},
        },
    ),
    **{f"with {name}": ({"tags": tags}, sent) for name, (tags, sent) in TAGS.items()},
}

STORES: Final[Mapping[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "the minimum": ({}, {}),
    "an empty comment": ({"comment": ""}, {"Comment": ""}),
    "a comment of special characters": ({"comment": SPECIAL}, {"Comment": SPECIAL}),
    "a comment beyond ASCII": ({"comment": UNICODE}, {"Comment": UNICODE}),
    "the longest comment": ({"comment": "c" * 128}, {"Comment": "c" * 128}),
    "an import of special characters": (
        {"import_source": ImportSource(source_type=S3, source_arn=f"arn:aws:s3:::bucket/{SPECIAL}{UNICODE}")},
        {"ImportSource": {"SourceType": "S3", "SourceARN": f"arn:aws:s3:::bucket/{SPECIAL}{UNICODE}"}},
    ),
    "everything": (
        {
            "comment": "all",
            "import_source": ImportSource(source_type=S3, source_arn="arn:aws:s3:::bucket/key.json"),
            "tags": [Tag(key="team", value="edge"), Tag(key="absent")],
        },
        {
            "Comment": "all",
            "ImportSource": {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/key.json"},
            "Tags": {"Items": [{"Key": "team", "Value": "edge"}, {"Key": "absent"}]},
        },
    ),
    **{f"with {name}": ({"tags": tags}, sent) for name, (tags, sent) in TAGS.items()},
}


@pytest.mark.parametrize(("fields", "arguments"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_the_create_of_a_function_equals_that_of_plain_boto3(
    side_by_side: SideBySide, fields: dict[str, Any], arguments: dict[str, Any]
) -> None:
    ours = side_by_side.sent_by_facade(CreateFunctionRequest(**MINIMAL_FUNCTION | fields))

    assert_same(ours, side_by_side.sent_by_boto3("CreateFunction", **MINIMAL_FUNCTION_SENT | arguments))


@pytest.mark.parametrize(("fields", "arguments"), STORES.values(), ids=STORES)
def test_the_create_of_a_store_equals_that_of_plain_boto3(
    side_by_side: SideBySide, fields: dict[str, Any], arguments: dict[str, Any]
) -> None:
    ours = side_by_side.sent_by_facade(CreateKeyValueStoreRequest(**{"name": "s"} | fields))

    assert_same(ours, side_by_side.sent_by_boto3("CreateKeyValueStore", **{"Name": "s"} | arguments))


def test_an_absent_comment_of_a_store_is_not_sent_and_an_empty_one_is(side_by_side: SideBySide) -> None:
    absent = side_by_side.sent_by_facade(CreateKeyValueStoreRequest(name="s"))
    empty = side_by_side.sent_by_facade(CreateKeyValueStoreRequest(name="s", comment=""))

    assert b"Comment" not in absent.body
    assert b"<Comment />" in empty.body


@pytest.mark.parametrize("tags", [[], [Tag(key="z"), Tag(key="a", value="")]], ids=["without tags", "with tags"])
def test_with_a_request_id_the_request_tag_follows_the_callers_tags(side_by_side: SideBySide, tags: list[Tag]) -> None:
    items = [{"Key": "z"}, {"Key": "a", "Value": ""}][: len(tags)]
    function = CreateFunctionRequest(**MINIMAL_FUNCTION, tags=tags, request_id=REQUEST_ID)
    store = CreateKeyValueStoreRequest(name="s", tags=tags, request_id=REQUEST_ID)

    for request, operation, arguments in (
        (function, "CreateFunction", MINIMAL_FUNCTION_SENT),
        (store, "CreateKeyValueStore", {"Name": "s"}),
    ):
        ours = side_by_side.sent_by_facade(request)
        value = ours.arguments["Tags"]["Items"][-1]["Value"]
        assert re.fullmatch(rf"{REQUEST_ID}/[0-9a-f]{{32}}", value)
        tagged = {**arguments, "Tags": {"Items": [*items, {"Key": KEY, "Value": value}]}}
        assert_same(ours, side_by_side.sent_by_boto3(operation, **tagged))


@pytest.mark.parametrize(
    ("operation", "message", "members", "everything"),
    [
        ("CreateFunction", CreateFunctionRequest, FUNCTION_MEMBERS, MINIMAL_FUNCTION_SENT | FUNCTIONS["everything"][1]),
        ("CreateKeyValueStore", CreateKeyValueStoreRequest, STORE_MEMBERS, {"Name": "s"} | STORES["everything"][1]),
    ],
)
def test_every_member_of_the_service_model_has_a_field_and_is_tested(
    operation: str, message: Any, members: Mapping[str, str], everything: dict[str, Any]
) -> None:
    shape = installed_wire().model.operation_model(operation).input_shape

    assert set(leaves_of_shape(shape)) == members.keys(), "the protos lack a member that CloudFront has"
    assert set(leaves_of_message(message.DESCRIPTOR)) == {*members.values(), *FACADE_ONLY[operation]}
    assert set(leaves_of_value(everything)) == members.keys()
