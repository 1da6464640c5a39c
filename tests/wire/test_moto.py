"""The command on moto, an independent implementation of CloudFront, verified with plain boto3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionResponse,
    FunctionConfig,
    FunctionRuntime,
    FunctionStage,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, CreateKeyValueStoreResponse
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade.v1.tag_pb2 import Tag
from support.cloudfront.fixtures import AWS_VARIABLES
from support.facade import ANOTHER_ID, CODE, REQUEST_ID, failing, function
from support.process import FacadeProcess

EXAMPLES: Final = sorted((Path(__file__).parents[2] / "examples" / "functions").glob("*.js"))
RUNTIME: Final = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
REQUEST_TAG: Final = "cloudfront-facade:request"


@pytest.fixture(scope="module")
def channel(moto: str) -> Iterator[grpc.Channel]:
    """A channel to the command, which uses moto as CloudFront."""
    arguments = ("--backend", "aws", "--endpoint-url", moto, "--drain-delay", "0")
    with FacadeProcess(*arguments) as process, grpc.insecure_channel(process.address) as channel:
        yield channel


@pytest.fixture(scope="module")
def functions(channel: grpc.Channel) -> FunctionServiceStub:
    return FunctionServiceStub(channel)


@pytest.fixture(scope="module")
def stores(channel: grpc.Channel) -> KeyValueStoreServiceStub:
    return KeyValueStoreServiceStub(channel)


@pytest.fixture
def reader(moto: str, aws_environment: None) -> Iterator[Any]:
    """Plain boto3."""
    client = boto3.client(
        "cloudfront",
        region_name="us-east-1",
        endpoint_url=moto,
        aws_access_key_id=AWS_VARIABLES["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=AWS_VARIABLES["AWS_SECRET_ACCESS_KEY"],
    )
    yield client
    client.close()


def tags_of(reader: Any, arn: str) -> list[dict[str, str]]:
    items: list[dict[str, str]] = reader.list_tags_for_resource(Resource=arn)["Tags"]["Items"]
    return items


def assert_equals_description(reader: Any, created: CreateFunctionResponse) -> None:
    """Asserts that every field of a create's response equals that of DescribeFunction in plain boto3."""
    described = reader.describe_function(Name=created.function_summary.name, Stage="DEVELOPMENT")
    summary, metadata = described["FunctionSummary"], described["FunctionSummary"]["FunctionMetadata"]
    ours, our_metadata = created.function_summary, created.function_summary.function_metadata
    assert (ours.name, ours.status, created.etag) == (summary["Name"], summary["Status"], described["ETag"])
    assert ours.function_config.comment == summary["FunctionConfig"]["Comment"]
    assert (ours.function_config.runtime, summary["FunctionConfig"]["Runtime"]) == (RUNTIME, "cloudfront-js-2.0")
    assert [association.key_value_store_arn for association in ours.function_config.key_value_store_associations] == [
        item["KeyValueStoreARN"]
        for item in summary["FunctionConfig"].get("KeyValueStoreAssociations", {}).get("Items", ())
    ]
    assert our_metadata.function_arn == metadata["FunctionARN"]
    assert (our_metadata.stage, metadata["Stage"]) == (FunctionStage.FUNCTION_STAGE_DEVELOPMENT, "DEVELOPMENT")
    for time, field in (("CreatedTime", "created_time"), ("LastModifiedTime", "last_modified_time")):
        assert getattr(our_metadata, field).ToDatetime(tzinfo=metadata[time].tzinfo) == metadata[time]


def test_there_are_five_example_functions() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_function_is_read_back_as_it_was_created(
    functions: FunctionServiceStub, reader: Any, example: Path
) -> None:
    code = example.read_bytes()
    tags = [
        Tag(key="example", value=example.stem),
        Tag(key="Cost Center", value="a+b=c@d/e"),
        Tag(key="empty", value=""),
    ]
    config = FunctionConfig(runtime=RUNTIME, comment=f"<{example.stem}> & 'friends' é")

    created = functions.CreateFunction(
        function(example.stem, function_config=config, function_code=code, tags=tags, request_id=REQUEST_ID)
    )

    assert_equals_description(reader, created)
    assert created.function_summary.function_config == config
    assert created.location.endswith(f"/function/{example.stem}")
    assert reader.get_function(Name=example.stem)["FunctionCode"].read() == code
    *callers, request_tag = tags_of(reader, created.function_summary.function_metadata.function_arn)
    assert callers == [{"Key": tag.key, "Value": tag.value} for tag in tags]
    assert request_tag["Key"] == REQUEST_TAG
    assert request_tag["Value"].startswith(f"{REQUEST_ID}/")


def test_a_store_and_a_function_that_uses_it_are_read_back_as_they_were_created(
    functions: FunctionServiceStub, stores: KeyValueStoreServiceStub, reader: Any
) -> None:
    tags = [Tag(key="team", value="edge"), Tag(key="empty", value="")]
    created: CreateKeyValueStoreResponse = stores.CreateKeyValueStore(
        CreateKeyValueStoreRequest(name="redirects", comment="<old> & new é", tags=tags)
    )

    ours = created.key_value_store
    described = reader.describe_key_value_store(Name="redirects")
    theirs = described["KeyValueStore"]
    assert (ours.name, ours.comment) == ("redirects", "<old> & new é")
    assert (ours.name, ours.id, ours.comment, ours.arn, ours.status, created.etag) == (
        theirs["Name"],
        theirs["Id"],
        theirs["Comment"],
        theirs["ARN"],
        theirs["Status"],
        described["ETag"],
    )
    assert ours.last_modified_time.ToDatetime(tzinfo=theirs["LastModifiedTime"].tzinfo) == theirs["LastModifiedTime"]
    assert created.location
    assert tags_of(reader, ours.arn) == [{"Key": "team", "Value": "edge"}, {"Key": "empty", "Value": ""}]

    association = KeyValueStoreAssociation(key_value_store_arn=ours.arn)
    config = FunctionConfig(runtime=RUNTIME, key_value_store_associations=[association])
    assert_equals_description(reader, functions.CreateFunction(function("associated", function_config=config)))


def test_a_create_without_a_request_id_has_no_tag_of_the_facade(functions: FunctionServiceStub, reader: Any) -> None:
    created = functions.CreateFunction(function("untagged"))

    assert tags_of(reader, created.function_summary.function_metadata.function_arn) == []


def test_code_of_every_byte_is_read_back_as_it_was_created(functions: FunctionServiceStub, reader: Any) -> None:
    functions.CreateFunction(function("every-byte", function_code=bytes(range(256))))

    assert reader.get_function(Name="every-byte")["FunctionCode"].read() == bytes(range(256))


def test_a_name_that_exists_is_rejected(
    functions: FunctionServiceStub, stores: KeyValueStoreServiceStub, reader: Any
) -> None:
    created = functions.CreateFunction(function("taken", request_id=REQUEST_ID))
    stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="taken", request_id=REQUEST_ID))

    for request_id in ("", ANOTHER_ID):
        other = function("taken", function_code=b"other", request_id=request_id)
        failures = [
            failing(functions.CreateFunction, other),
            failing(stores.CreateKeyValueStore, CreateKeyValueStoreRequest(name="taken", request_id=request_id)),
        ]
        assert [failure.code for failure in failures] == [grpc.StatusCode.ALREADY_EXISTS] * 2
        assert [failure.reason for failure in failures] == ["FUNCTION_ALREADY_EXISTS", "KEY_VALUE_STORE_ALREADY_EXISTS"]
        assert {failure.outcome for failure in failures} == {"not_applied"}

    assert reader.get_function(Name="taken")["FunctionCode"].read() == CODE
    assert reader.describe_function(Name="taken")["ETag"] == created.etag


def test_a_repeated_create_with_the_same_request_id_succeeds_without_creating_anything(
    functions: FunctionServiceStub, stores: KeyValueStoreServiceStub, reader: Any
) -> None:
    request = function("repeated", request_id=REQUEST_ID, tags=[Tag(key="b", value="1"), Tag(key="a", value="")])
    store = CreateKeyValueStoreRequest(name="repeated", request_id=REQUEST_ID)
    first, first_store = functions.CreateFunction(request), stores.CreateKeyValueStore(store)

    again, again_store = functions.CreateFunction(request), stores.CreateKeyValueStore(store)

    assert again.function_summary == first.function_summary
    assert again.etag == first.etag
    assert (again_store.key_value_store, again_store.etag) == (first_store.key_value_store, first_store.etag)
    names = [item["Name"] for item in reader.list_functions()["FunctionList"]["Items"]]
    assert names.count("repeated") == 1


def test_the_same_request_id_with_other_content_is_rejected(functions: FunctionServiceStub, reader: Any) -> None:
    functions.CreateFunction(function("reused", request_id=REQUEST_ID))

    failure = failing(functions.CreateFunction, function("reused", request_id=REQUEST_ID, function_code=b"other"))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    assert reader.get_function(Name="reused")["FunctionCode"].read() == CODE
