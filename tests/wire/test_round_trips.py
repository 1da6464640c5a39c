"""Every valid create reaches CloudFront through boto3, and its response the caller, without loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

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
from cloudfront_facade_server import limits
from cloudfront_facade_server.upstream.request_tag import KEY
from support.values import STORE_ARN
from wire.side_by_side import SideBySide

RUNTIMES: Final = {
    "cloudfront-js-1.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
    "cloudfront-js-2.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
}

xml = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from(
    "\t\n<>&'\"]\u0085\u009f\x7f"
)
names = st.from_regex(rf"[a-zA-Z0-9_-]{{1,{limits.NAME_MAX_LENGTH}}}", fullmatch=True)
comments = st.text(xml, max_size=limits.COMMENT_MAX_LENGTH)
tag_characters = st.characters(categories=["L", "N", "Zs"]) | st.sampled_from("_.:/=+-@ aws")
tag_keys = st.text(tag_characters, min_size=1, max_size=limits.TAG_KEY_MAX_LENGTH).filter(
    lambda key: not key.lower().startswith((limits.TAG_RESERVED_PREFIX, limits.TAG_FACADE_PREFIX))
)
tag_values = st.none() | st.just("") | st.text(tag_characters, max_size=limits.TAG_VALUE_MAX_LENGTH)
# A request_id takes one of the tags.
tags = st.dictionaries(tag_keys, tag_values, max_size=limits.TAGS_MAX - 1).map(
    lambda pairs: [Tag(key=key, value=value) for key, value in pairs.items()]
)
request_ids = st.just("") | st.uuids().map(str)

functions = st.builds(
    CreateFunctionRequest,
    name=names,
    function_config=st.builds(FunctionConfig, comment=comments, runtime=st.sampled_from(list(RUNTIMES.values())))
    | st.builds(
        FunctionConfig,
        comment=comments,
        runtime=st.just(RUNTIMES["cloudfront-js-2.0"]),
        key_value_store_associations=st.just([KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)]),
    ),
    function_code=st.binary(min_size=1, max_size=2000),
    tags=tags,
    request_id=request_ids,
)

stores = st.builds(
    CreateKeyValueStoreRequest,
    name=names,
    comment=st.none() | st.just("") | comments,
    import_source=st.none()
    | st.builds(
        ImportSource,
        source_type=st.just(ImportSourceType.IMPORT_SOURCE_TYPE_S3),
        source_arn=st.text(xml, min_size=1, max_size=200).map("arn:aws:s3:::bucket/{}".format),
    ),
    tags=tags,
    request_id=request_ids,
)

# No deadline: an example sends two requests on real sockets, and machines can be slow.
examples = settings(max_examples=100, deadline=None)


@given(functions)
@examples
def test_a_function_is_created_without_loss_and_sent_like_plain_boto3(
    side_by_side: SideBySide, request: CreateFunctionRequest
) -> None:
    response = side_by_side.create(request)

    received = side_by_side.cloudfront.requests[-1]
    assert requested_function(received.arguments) == request
    assert side_by_side.sent_by_boto3("CreateFunction", **received.arguments).body == received.body
    assert response.function_summary.name == request.name
    assert response.function_summary.function_config == request.function_config


@given(stores)
@examples
def test_a_store_is_created_without_loss_and_sent_like_plain_boto3(
    side_by_side: SideBySide, request: CreateKeyValueStoreRequest
) -> None:
    response = side_by_side.create(request)

    received = side_by_side.cloudfront.requests[-1]
    assert requested_store(received.arguments) == request
    assert side_by_side.sent_by_boto3("CreateKeyValueStore", **received.arguments).body == received.body
    store = response.key_value_store
    assert store.name == request.name
    assert (store.HasField("comment"), store.comment) == (request.HasField("comment"), request.comment)


def requested_function(arguments: Mapping[str, Any]) -> CreateFunctionRequest:
    """Returns the request from which boto3's arguments were built."""
    config = arguments["FunctionConfig"]
    associations = config.get("KeyValueStoreAssociations", {"Quantity": 0, "Items": []})
    assert associations["Quantity"] == len(associations["Items"])
    return CreateFunctionRequest(
        name=arguments["Name"],
        function_config=FunctionConfig(
            comment=config["Comment"],
            runtime=RUNTIMES[config["Runtime"]],
            key_value_store_associations=[
                KeyValueStoreAssociation(key_value_store_arn=item["KeyValueStoreARN"]) for item in associations["Items"]
            ],
        ),
        function_code=arguments["FunctionCode"],
        **requested_tags(arguments),
    )


def requested_store(arguments: Mapping[str, Any]) -> CreateKeyValueStoreRequest:
    """Returns the request from which boto3's arguments were built."""
    source = arguments.get("ImportSource")
    if source:
        assert source["SourceType"] == "S3"
    return CreateKeyValueStoreRequest(
        name=arguments["Name"],
        comment=arguments.get("Comment"),
        import_source=ImportSource(source_type=ImportSourceType.IMPORT_SOURCE_TYPE_S3, source_arn=source["SourceARN"])
        if source
        else None,
        **requested_tags(arguments),
    )


def requested_tags(arguments: Mapping[str, Any]) -> dict[str, Any]:
    items = list(arguments["Tags"]["Items"]) if "Tags" in arguments else []
    assert items or "Tags" not in arguments, "without tags, Tags must be absent"
    is_repeatable = bool(items) and items[-1]["Key"] == KEY
    request_id = items.pop()["Value"].split("/")[0] if is_repeatable else ""
    return {"tags": [Tag(key=item["Key"], value=item.get("Value")) for item in items], "request_id": request_id}
