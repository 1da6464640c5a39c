"""The embedded backend answers as boto3 would with CloudFront: checked against botocore's service model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

import botocore.session
import pytest
from botocore.response import StreamingBody

from cloudfront_facade_server.backends.embedded import EmbeddedBackend

# CloudFront leaves these out where they were not given, whatever the model says.
MAY_BE_ABSENT = {("KeyValueStore", "Comment")}
SCALARS: Mapping[str, type] = {"string": str, "integer": int, "timestamp": datetime}


@pytest.fixture(scope="module")
def model() -> Any:
    return botocore.session.get_session().get_service_model("cloudfront")


@pytest.fixture
def backend() -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend:
        yield backend


def check(value: object, shape: Any, where: str) -> None:
    """Fails unless the value has the type of the shape, down to the last member."""
    if shape.type_name == "structure":
        assert type(value) is dict, where
        assert value.keys() <= shape.members.keys(), where
        absent = {member for member in shape.required_members if member not in value}
        assert {(shape.name, member) for member in absent} <= MAY_BE_ABSENT, where
        for member, content in value.items():
            check(content, shape.members[member], f"{where}.{member}")
    elif shape.type_name == "list":
        assert type(value) is list, where
        for index, item in enumerate(value):
            check(item, shape.member, f"{where}[{index}]")
    elif shape.type_name == "blob":
        # The only blob is a payload, which boto3 leaves as a stream.
        assert isinstance(value, StreamingBody), where
    else:
        assert type(value) is SCALARS[shape.type_name], where
        if isinstance(value, datetime):
            assert value.utcoffset() is not None, where
        if isinstance(value, str) and "enum" in shape.metadata:
            assert value in shape.metadata["enum"], where
        if isinstance(value, str) and "pattern" in shape.metadata and "\\p" not in shape.metadata["pattern"]:
            assert re.fullmatch(shape.metadata["pattern"], value), where


def check_answer(model: Any, operation: str, answer: Mapping[str, Any]) -> None:
    operation_model = model.operation_model(operation)
    members = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    # All that CloudFront answers is there: the model requires nothing at the top.
    assert members.keys() == operation_model.output_shape.members.keys()
    check(members, operation_model.output_shape, operation)
    metadata = answer["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == operation_model.http["responseCode"]
    for member, shape in operation_model.output_shape.members.items():
        if shape.serialization.get("location") == "header":
            assert metadata["HTTPHeaders"][shape.serialization["name"].lower()] == answer[member]
    assert all(name == name.lower() and type(value) is str for name, value in metadata["HTTPHeaders"].items())


@pytest.mark.parametrize("full", [True, False])
def test_every_answer_has_the_shape_of_boto3s(model: Any, backend: EmbeddedBackend, full: bool) -> None:
    tags = {"Tags": {"Items": [{"Key": "k"}, {"Key": "l", "Value": ""}]}} if full else {}
    comment = {"Comment": "c"} if full else {}
    answer = backend.create_key_value_store(Name="s", **comment, **tags)
    check_answer(model, "CreateKeyValueStore", answer)
    store_arn = answer["KeyValueStore"]["ARN"]
    check_answer(model, "DescribeKeyValueStore", backend.describe_key_value_store(Name="s"))
    associations = {"Quantity": 1, "Items": [{"KeyValueStoreARN": store_arn}]}
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    if full:
        config["KeyValueStoreAssociations"] = associations  # type: ignore[assignment]
    answer = backend.create_function(Name="f", FunctionConfig=config, FunctionCode=b"x", **tags)
    check_answer(model, "CreateFunction", answer)
    function_arn = answer["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    check_answer(model, "DescribeFunction", backend.describe_function(Name="f"))
    check_answer(model, "GetFunction", backend.get_function(Name="f"))
    for arn in (store_arn, function_arn):
        check_answer(model, "ListTagsForResource", backend.list_tags_for_resource(Resource=arn))
    backend.create_key_value_store(Name="t")
    check_answer(model, "ListKeyValueStores", backend.list_key_value_stores(MaxItems="1" if full else "2"))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("FunctionAlreadyExists", 409),
        ("FunctionSizeLimitExceeded", 413),
        ("InvalidArgument", 400),
        ("TooManyFunctions", 400),
        ("NoSuchFunctionExists", 404),
        ("EntityAlreadyExists", 409),
        ("EntityLimitExceeded", 400),
        ("EntitySizeLimitExceeded", 413),
        ("EntityNotFound", 404),
        ("InvalidTagging", 400),
        ("NoSuchResource", 404),
    ],
)
def test_the_refusals_that_the_tests_expect_are_in_the_model(model: Any, code: str, status: int) -> None:
    assert model.shape_for(code).metadata["error"]["httpStatusCode"] == status
