"""Responses of the embedded backend have the shapes of botocore's service model."""

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
from support.rpcs import BACKEND_METHODS

# Members that the model requires, but that CloudFront omits if the request did not set them.
MAY_BE_ABSENT = {("KeyValueStore", "Comment")}
SCALARS: Mapping[str, type] = {"string": str, "integer": int, "long": int, "boolean": bool, "timestamp": datetime}
# Members of only some responses: the last page has no token, and most stores have no failure reason.
OPTIONAL = {"NextToken", "FailureReason"}


class FixedRunner:
    """Returns a fixed result."""

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
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, runner=FixedRunner())) as backend:
        yield backend


def check(value: object, shape: Any, path: str) -> None:
    """Checks that the value and all its members have the types of the shape."""
    if shape.type_name == "structure":
        assert type(value) is dict, path
        assert value.keys() <= shape.members.keys(), path
        absent = {member for member in shape.required_members if member not in value}
        assert {(shape.name, member) for member in absent} <= MAY_BE_ABSENT, path
        for member, content in value.items():
            check(content, shape.members[member], f"{path}.{member}")
    elif shape.type_name == "list":
        assert type(value) is list, path
        for index, item in enumerate(value):
            check(item, shape.member, f"{path}[{index}]")
    elif shape.type_name == "blob":
        # The only blob is a payload, which boto3 leaves as a stream.
        assert isinstance(value, StreamingBody), path
    else:
        assert type(value) is SCALARS[shape.type_name], path
        if isinstance(value, datetime):
            assert value.utcoffset() is not None, path
        if isinstance(value, str) and "enum" in shape.metadata:
            assert value in shape.metadata["enum"], path
        if isinstance(value, str) and "pattern" in shape.metadata and "\\p" not in shape.metadata["pattern"]:
            assert re.fullmatch(shape.metadata["pattern"], value), path


def check_response(model: Any, operation: str, response: Mapping[str, Any]) -> None:
    operation_model = model.operation_model(operation)
    members = {name: value for name, value in response.items() if name != "ResponseMetadata"}
    output = operation_model.output_shape
    metadata = response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == operation_model.http["responseCode"]
    if output is None:
        assert members == {}
        return
    # The control plane's model requires no top-level member, so every member is expected here.
    assert members.keys() | OPTIONAL == output.members.keys() | OPTIONAL
    check(members, output, operation)
    for member, shape in output.members.items():
        if shape.serialization.get("location") == "header":
            assert metadata["HTTPHeaders"][shape.serialization["name"].lower()] == response[member]
    assert all(name == name.lower() and type(value) is str for name, value in metadata["HTTPHeaders"].items())


@pytest.mark.parametrize("full", [True, False])
def test_every_response_has_the_shape_of_the_model(model: Any, backend: EmbeddedBackend, full: bool) -> None:
    tags = {"Tags": {"Items": [{"Key": "k"}, {"Key": "l", "Value": ""}]}} if full else {}
    comment = {"Comment": "c"} if full else {}
    response = backend.create_key_value_store(Name="s", **comment, **tags)
    check_response(model, "CreateKeyValueStore", response)
    store_arn = response["KeyValueStore"]["ARN"]
    check_response(model, "DescribeKeyValueStore", backend.describe_key_value_store(Name="s"))
    associations = {"Quantity": 1, "Items": [{"KeyValueStoreARN": store_arn}]}
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    if full:
        config["KeyValueStoreAssociations"] = associations  # type: ignore[assignment]
    response = backend.create_function(Name="f", FunctionConfig=config, FunctionCode=b"x", **tags)
    check_response(model, "CreateFunction", response)
    function_arn = response["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    check_response(model, "DescribeFunction", backend.describe_function(Name="f"))
    check_response(model, "GetFunction", backend.get_function(Name="f"))
    for arn in (store_arn, function_arn):
        check_response(model, "ListTagsForResource", backend.list_tags_for_resource(Resource=arn))
    backend.create_key_value_store(Name="t")
    check_response(model, "ListKeyValueStores", backend.list_key_value_stores(MaxItems="1" if full else "2"))


@pytest.mark.parametrize("full", [True, False])
def test_every_response_to_a_change_of_a_function_has_the_shape_of_the_model(
    model: Any, backend: EmbeddedBackend, full: bool
) -> None:
    store_arn = backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"]
    config: dict[str, Any] = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    if full:
        config["KeyValueStoreAssociations"] = {"Quantity": 1, "Items": [{"KeyValueStoreARN": store_arn}]}
    etag = backend.create_function(Name="f", FunctionConfig=config, FunctionCode=b"x")["ETag"]
    code = b"return" if full else b"throw"
    response = backend.update_function(Name="f", IfMatch=etag, FunctionConfig=config, FunctionCode=code)
    check_response(model, "UpdateFunction", response)
    etag = response["ETag"]
    tested = backend.test_function(Name="f", IfMatch=etag, EventObject=b"{}")
    check_response(model, "TestFunction", tested)
    assert tested["TestResult"].keys() == model.shape_for("TestResult").members.keys()
    check_response(model, "PublishFunction", backend.publish_function(Name="f", IfMatch=etag))
    check_response(model, "DescribeFunction", backend.describe_function(Name="f", Stage="LIVE"))
    check_response(model, "ListFunctions", backend.list_functions(MaxItems="1" if full else "2"))
    check_response(model, "ListDistributions", backend.list_distributions())
    check_response(model, "DeleteFunction", backend.delete_function(Name="f", IfMatch=etag))
    check_response(model, "ListFunctions", backend.list_functions(Stage="LIVE"))


def test_every_response_to_a_change_of_a_store_or_tags_has_the_shape_of_the_model(
    model: Any, backend: EmbeddedBackend
) -> None:
    created = backend.create_key_value_store(Name="s")
    arn, etag = created["KeyValueStore"]["ARN"], created["ETag"]
    tags = {"Items": [{"Key": "k"}, {"Key": "l", "Value": ""}]}
    check_response(model, "TagResource", backend.tag_resource(Resource=arn, Tags=tags))
    check_response(model, "UntagResource", backend.untag_resource(Resource=arn, TagKeys={"Items": ["k"]}))
    response = backend.update_key_value_store(Name="s", Comment="", IfMatch=etag)
    check_response(model, "UpdateKeyValueStore", response)
    response = backend.delete_key_value_store(Name="s", IfMatch=response["ETag"])
    check_response(model, "DeleteKeyValueStore", response)


def test_every_response_of_the_data_plane_has_the_shape_of_the_model(data_model: Any, backend: EmbeddedBackend) -> None:
    arn = backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"]
    response = backend.describe_key_value_store_data(KvsARN=arn)
    check_response(data_model, "DescribeKeyValueStore", response)
    check_response(data_model, "ListKeys", backend.list_keys(KvsARN=arn))
    response = backend.put_key(KvsARN=arn, Key="k", Value="", IfMatch=response["ETag"])
    check_response(data_model, "PutKey", response)
    puts = [{"Key": "l", "Value": "v"}]
    response = backend.update_keys(KvsARN=arn, Puts=puts, IfMatch=response["ETag"])
    check_response(data_model, "UpdateKeys", response)
    check_response(data_model, "GetKey", backend.get_key(KvsARN=arn, Key="k"))
    page = backend.list_keys(KvsARN=arn, MaxResults=1)
    assert "NextToken" in page
    check_response(data_model, "ListKeys", page)
    check_response(data_model, "DeleteKey", backend.delete_key(KvsARN=arn, Key="k", IfMatch=response["ETag"]))


def test_a_failed_import_is_described_in_the_shape_of_the_model(data_model: Any, backend: EmbeddedBackend) -> None:
    source = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/key"}
    arn = backend.create_key_value_store(Name="s", ImportSource=source)["KeyValueStore"]["ARN"]
    response = backend.describe_key_value_store_data(KvsARN=arn)
    assert "FailureReason" in response
    check_response(data_model, "DescribeKeyValueStore", response)


def test_the_embedded_backend_defines_every_method_of_the_protocol(backend: EmbeddedBackend) -> None:
    as_backend: Backend = backend
    assert {method for method in BACKEND_METHODS if not callable(getattr(as_backend, method))} == set()


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
def test_the_errors_that_the_tests_expect_are_in_the_model(model: Any, code: str, status: int) -> None:
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
def test_the_data_planes_errors_that_the_tests_expect_are_in_the_model(data_model: Any, code: str, status: int) -> None:
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
def test_an_operation_returns_only_errors_that_the_model_lists(
    model: Any, data_model: Any, operation: str, codes: set[str]
) -> None:
    plane = data_model if operation in data_model.operation_names else model
    assert codes <= {shape.name for shape in plane.operation_model(operation).error_shapes}
