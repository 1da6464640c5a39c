"""The AWS backend and plain boto3 return the same from moto, for the operations that moto supports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.aws import AwsBackend
from support.aws_backend import new_aws_backend
from support.cloudfront.samples import FULL_FUNCTION, code_and_status, plain_client
from support.event_loop import waiting

pytestmark = pytest.mark.usefixtures("aws_environment")

TAGS = [{"Key": "team", "Value": "edge"}, {"Key": "Cost Center", "Value": "a+b=c@d/e"}, {"Key": "empty", "Value": ""}]


@pytest.fixture
def reader(moto: str) -> Iterator[Any]:
    """Plain boto3."""
    with plain_client(moto) as client:
        yield client


@pytest.fixture
def backend(moto: str, aws_environment: None) -> Iterator[AwsBackend]:
    with closing(waiting(new_aws_backend(endpoint_url=moto))) as backend:
        yield backend


def content(response: Any) -> dict[str, Any]:
    """Returns a response without its metadata."""
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}


def create(backend: AwsBackend, name: str) -> dict[str, Any]:
    return dict(backend.create_function(**{**FULL_FUNCTION, "Name": name, "Tags": {"Items": TAGS}}))


def test_reads_of_a_function_equal_those_of_plain_boto3(backend: AwsBackend, reader: Any) -> None:
    created = create(backend, "read")

    for stage in ("DEVELOPMENT", None):
        arguments = {"Name": "read", **({"Stage": stage} if stage else {})}
        assert content(backend.describe_function(**arguments)) == content(reader.describe_function(**arguments))
        ours, plain = backend.get_function(**arguments), reader.get_function(**arguments)
        assert ours["FunctionCode"].read() == plain["FunctionCode"].read() == FULL_FUNCTION["FunctionCode"]
        assert ours["ETag"] == plain["ETag"] == created["ETag"]
    listed = backend.list_functions(Stage="DEVELOPMENT")
    assert content(listed) == content(reader.list_functions(Stage="DEVELOPMENT"))
    assert "read" in [item["Name"] for item in listed["FunctionList"]["Items"]]


def test_reads_of_a_store_equal_those_of_plain_boto3(backend: AwsBackend, reader: Any) -> None:
    backend.create_key_value_store(Name="read", Comment="<old> & new é")

    described = backend.describe_key_value_store(Name="read")
    assert content(described) == content(reader.describe_key_value_store(Name="read"))
    assert described["KeyValueStore"]["Comment"] == "<old> & new é"
    listed = backend.list_key_value_stores(MaxItems="100")
    assert content(listed) == content(reader.list_key_value_stores(MaxItems="100"))
    assert "read" in [item["Name"] for item in listed["KeyValueStoreList"]["Items"]]


def test_the_list_of_distributions_equals_that_of_plain_boto3(backend: AwsBackend, reader: Any) -> None:
    assert content(backend.list_distributions()) == content(reader.list_distributions())


def test_a_deleted_function_and_a_deleted_store_are_not_found(backend: AwsBackend, reader: Any) -> None:
    etag = create(backend, "gone")["ETag"]
    store = backend.create_key_value_store(Name="gone")["ETag"]

    backend.delete_function(Name="gone", IfMatch=etag)
    backend.delete_key_value_store(Name="gone", IfMatch=store)

    for read, code in (
        (reader.describe_function, "NoSuchFunctionExists"),
        (reader.describe_key_value_store, "EntityNotFound"),
    ):
        with pytest.raises(ClientError) as caught:
            read(Name="gone")
        assert code_and_status(caught.value) == (code, 404)
    for delete, code in (
        (backend.delete_function, "NoSuchFunctionExists"),
        (backend.delete_key_value_store, "EntityNotFound"),
    ):
        with pytest.raises(ClientError) as caught:
            delete(Name="gone", IfMatch=etag)
        assert code_and_status(caught.value) == (code, 404)


@pytest.mark.parametrize("kind", ["function", "store"])
def test_tags_are_added_changed_and_removed(backend: AwsBackend, reader: Any, kind: str) -> None:
    if kind == "function":
        arn = create(backend, "tagged")["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    else:
        created = backend.create_key_value_store(Name="tagged", Tags={"Items": TAGS})
        arn = created["KeyValueStore"]["ARN"]

    backend.tag_resource(Resource=arn, Tags={"Items": [{"Key": "team", "Value": "core"}, {"Key": "new", "Value": "é"}]})
    backend.untag_resource(Resource=arn, TagKeys={"Items": ["Cost Center", "missing"]})

    ours, plain = backend.list_tags_for_resource(Resource=arn), reader.list_tags_for_resource(Resource=arn)
    assert content(ours) == content(plain)
    assert {tag["Key"]: tag["Value"] for tag in ours["Tags"]["Items"]} == {"team": "core", "empty": "", "new": "é"}
