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
from cloudfront_facade_server.backends.protocol import Backend
from cloudfront_facade_server.function_runtime import Run

# CloudFront leaves these out where they were not given, whatever the model says.
MAY_BE_ABSENT = {("KeyValueStore", "Comment")}
SCALARS: Mapping[str, type] = {"string": str, "integer": int, "long": int, "boolean": bool, "timestamp": datetime}
# Only in some answers: the last page has no token, and a good store no reason.
SOMETIMES = {"NextToken", "FailureReason"}


class Runner:
    """Runs nothing."""

    def run(self, code: bytes, *_: object) -> Run:
        return Run(None, "thrown", ["a", "b"], 7) if code == b"throw" else Run('{"request":{}}', None, [], 7)


@pytest.fixture(scope="module")
def model() -> Any:
    return botocore.session.get_session().get_service_model("cloudfront")


@pytest.fixture(scope="module")
def data_model() -> Any:
    return botocore.session.get_session().get_service_model("cloudfront-keyvaluestore")


@pytest.fixture
def backend() -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, runner=Runner())) as backend:
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
    output = operation_model.output_shape
    metadata = answer["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == operation_model.http["responseCode"]
    if output is None:
        assert members == {}
        return
    # All that CloudFront answers is there: the control plane's model requires nothing at the top.
    assert members.keys() | SOMETIMES == output.members.keys() | SOMETIMES
    check(members, output, operation)
    for member, shape in output.members.items():
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


@pytest.mark.parametrize("full", [True, False])
def test_every_answer_to_a_change_of_a_function_has_the_shape_of_boto3s(
    model: Any, backend: EmbeddedBackend, full: bool
) -> None:
    store_arn = backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"]
    config: dict[str, Any] = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    if full:
        config["KeyValueStoreAssociations"] = {"Quantity": 1, "Items": [{"KeyValueStoreARN": store_arn}]}
    version = backend.create_function(Name="f", FunctionConfig=config, FunctionCode=b"x")["ETag"]
    code = b"return" if full else b"throw"
    answer = backend.update_function(Name="f", IfMatch=version, FunctionConfig=config, FunctionCode=code)
    check_answer(model, "UpdateFunction", answer)
    version = answer["ETag"]
    tested = backend.test_function(Name="f", IfMatch=version, EventObject=b"{}")
    check_answer(model, "TestFunction", tested)
    assert tested["TestResult"].keys() == model.shape_for("TestResult").members.keys()
    check_answer(model, "PublishFunction", backend.publish_function(Name="f", IfMatch=version))
    check_answer(model, "DescribeFunction", backend.describe_function(Name="f", Stage="LIVE"))
    check_answer(model, "ListFunctions", backend.list_functions(MaxItems="1" if full else "2"))
    check_answer(model, "ListDistributions", backend.list_distributions())
    check_answer(model, "DeleteFunction", backend.delete_function(Name="f", IfMatch=version))
    check_answer(model, "ListFunctions", backend.list_functions(Stage="LIVE"))


def test_every_answer_to_a_change_of_a_store_or_tags_has_the_shape_of_boto3s(
    model: Any, backend: EmbeddedBackend
) -> None:
    created = backend.create_key_value_store(Name="s")
    arn, version = created["KeyValueStore"]["ARN"], created["ETag"]
    tags = {"Items": [{"Key": "k"}, {"Key": "l", "Value": ""}]}
    check_answer(model, "TagResource", backend.tag_resource(Resource=arn, Tags=tags))
    check_answer(model, "UntagResource", backend.untag_resource(Resource=arn, TagKeys={"Items": ["k"]}))
    answer = backend.update_key_value_store(Name="s", Comment="", IfMatch=version)
    check_answer(model, "UpdateKeyValueStore", answer)
    answer = backend.delete_key_value_store(Name="s", IfMatch=answer["ETag"])
    check_answer(model, "DeleteKeyValueStore", answer)


def test_every_answer_of_the_data_plane_has_the_shape_of_boto3s(data_model: Any, backend: EmbeddedBackend) -> None:
    arn = backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"]
    answer = backend.describe_key_value_store_data(KvsARN=arn)
    check_answer(data_model, "DescribeKeyValueStore", answer)
    check_answer(data_model, "ListKeys", backend.list_keys(KvsARN=arn))
    answer = backend.put_key(KvsARN=arn, Key="k", Value="", IfMatch=answer["ETag"])
    check_answer(data_model, "PutKey", answer)
    puts = [{"Key": "l", "Value": "v"}]
    answer = backend.update_keys(KvsARN=arn, Puts=puts, IfMatch=answer["ETag"])
    check_answer(data_model, "UpdateKeys", answer)
    check_answer(data_model, "GetKey", backend.get_key(KvsARN=arn, Key="k"))
    page = backend.list_keys(KvsARN=arn, MaxResults=1)
    assert "NextToken" in page
    check_answer(data_model, "ListKeys", page)
    check_answer(data_model, "DeleteKey", backend.delete_key(KvsARN=arn, Key="k", IfMatch=answer["ETag"]))


def test_a_failed_import_is_described_in_the_shape_of_boto3s(data_model: Any, backend: EmbeddedBackend) -> None:
    source = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/key"}
    arn = backend.create_key_value_store(Name="s", ImportSource=source)["KeyValueStore"]["ARN"]
    answer = backend.describe_key_value_store_data(KvsARN=arn)
    assert "FailureReason" in answer
    check_answer(data_model, "DescribeKeyValueStore", answer)


def test_every_operation_of_the_protocol_is_there(model: Any, data_model: Any, backend: EmbeddedBackend) -> None:
    as_backend: Backend = backend
    names = {name for name in vars(Backend) if not name.startswith("_") and callable(getattr(Backend, name))}
    assert all(callable(getattr(as_backend, name)) for name in names)
    camel = {"".join(word.capitalize() for word in name.split("_")) for name in names - {"close"}}
    known = {*model.operation_names, *data_model.operation_names, "DescribeKeyValueStoreData"}
    assert camel <= known


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
        ("InvalidIfMatchVersion", 400),
        ("PreconditionFailed", 412),
        ("CannotDeleteEntityWhileInUse", 409),
        ("TestFunctionFailed", 500),
    ],
)
def test_the_refusals_that_the_tests_expect_are_in_the_model(model: Any, code: str, status: int) -> None:
    assert model.shape_for(code).metadata["error"]["httpStatusCode"] == status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ConflictException", 409),
        ("ResourceNotFoundException", 404),
        ("ServiceQuotaExceededException", 402),
        ("ValidationException", 400),
    ],
)
def test_the_data_planes_refusals_that_the_tests_expect_are_in_the_model(
    data_model: Any, code: str, status: int
) -> None:
    assert data_model.shape_for(code).metadata["error"]["httpStatusCode"] == status


@pytest.mark.parametrize(
    ("operation", "codes"),
    [
        ("UpdateFunction", {"PreconditionFailed", "InvalidIfMatchVersion", "NoSuchFunctionExists", "InvalidArgument"}),
        ("PublishFunction", {"PreconditionFailed", "InvalidIfMatchVersion", "NoSuchFunctionExists"}),
        ("TestFunction", {"InvalidIfMatchVersion", "NoSuchFunctionExists", "InvalidArgument", "TestFunctionFailed"}),
        ("DeleteFunction", {"PreconditionFailed", "InvalidIfMatchVersion", "NoSuchFunctionExists"}),
        ("ListFunctions", {"InvalidArgument"}),
        ("ListDistributions", {"InvalidArgument"}),
        ("UpdateKeyValueStore", {"PreconditionFailed", "InvalidIfMatchVersion", "EntityNotFound"}),
        ("DeleteKeyValueStore", {"CannotDeleteEntityWhileInUse", "PreconditionFailed", "EntityNotFound"}),
        ("TagResource", {"InvalidTagging", "NoSuchResource"}),
        ("UntagResource", {"InvalidTagging", "NoSuchResource"}),
        ("GetKey", {"ConflictException", "ResourceNotFoundException"}),
        ("ListKeys", {"ConflictException", "ResourceNotFoundException", "ValidationException"}),
        ("PutKey", {"ConflictException", "ServiceQuotaExceededException", "ValidationException"}),
        ("DeleteKey", {"ConflictException", "ResourceNotFoundException", "ValidationException"}),
        ("UpdateKeys", {"ConflictException", "ServiceQuotaExceededException", "ValidationException"}),
    ],
)
def test_an_operation_is_refused_only_with_what_the_model_has_for_it(
    model: Any, data_model: Any, operation: str, codes: set[str]
) -> None:
    of = data_model if operation in data_model.operation_names else model
    assert codes <= {shape.name for shape in of.operation_model(operation).error_shapes}
