"""Updates and deletes of key value stores in the embedded backend, and their associations."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backends.embedded_resources import CONFIG, associated_with, store_names
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.clock import Clock
from support.errors import error_of, error_with_exception


def create(backend: EmbeddedBackend, name: str = "s", **arguments: Any) -> tuple[str, str]:
    """Creates a store, and returns its ARN and its etag."""
    response = backend.create_key_value_store(Name=name, **arguments)
    return response["KeyValueStore"]["ARN"], response["ETag"]


def associate(backend: EmbeddedBackend, name: str, *arns: str) -> str:
    """Creates or updates a function, and returns its etag."""
    config = {**CONFIG, **(associated_with(*arns) if arns else {})}
    arguments = {"Name": name, "FunctionConfig": config, "FunctionCode": b"x"}
    try:
        etag: str = backend.create_function(**arguments)["ETag"]
    except ClientError:
        etag = backend.describe_function(Name=name)["ETag"]
        etag = backend.update_function(IfMatch=etag, **arguments)["ETag"]
    return etag


@pytest.mark.parametrize("before", [{}, {"Comment": "before"}])
@pytest.mark.parametrize("comment", ["after", ""])
def test_an_update_changes_only_the_comment(
    backend: EmbeddedBackend, clock: Clock, before: dict[str, str], comment: str
) -> None:
    arn, etag = create(backend, **before)
    create(backend, "other", **before)
    clock.now += timedelta(seconds=5)
    response = backend.update_key_value_store(Name="s", Comment=comment, IfMatch=etag)
    assert response["KeyValueStore"] == {
        "Name": "s",
        "Id": arn.rpartition("/")[2],
        "Comment": comment,
        "ARN": arn,
        "Status": "READY",
        "LastModifiedTime": datetime(2026, 5, 5, 12, 0, 5, 123_000, tzinfo=UTC),
    }
    assert response["ETag"] != etag
    assert response["ETag"] == response["ResponseMetadata"]["HTTPHeaders"]["etag"]
    described = backend.describe_key_value_store(Name="s")
    assert (described["KeyValueStore"], described["ETag"]) == (response["KeyValueStore"], response["ETag"])
    other = backend.describe_key_value_store(Name="other")["KeyValueStore"]
    assert other.get("Comment") == before.get("Comment")


def test_the_two_planes_have_separate_etags(backend: EmbeddedBackend) -> None:
    arn, etag = create(backend)
    data_etag = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
    assert re.fullmatch("KV[A-Z0-9]{13}", data_etag)
    etag = backend.update_key_value_store(Name="s", Comment="c", IfMatch=etag)["ETag"]
    assert backend.describe_key_value_store_data(KvsARN=arn)["ETag"] == data_etag
    backend.put_key(KvsARN=arn, Key="k", Value="v", IfMatch=data_etag)
    assert backend.describe_key_value_store(Name="s")["ETag"] == etag


def test_a_delete_removes_the_keys_and_frees_the_name(backend: EmbeddedBackend) -> None:
    arn, etag = create(backend)
    other_arn, _ = create(backend, "other")
    for store_arn in (arn, other_arn):
        data_etag = backend.describe_key_value_store_data(KvsARN=store_arn)["ETag"]
        backend.put_key(KvsARN=store_arn, Key="k", Value="v", IfMatch=data_etag)
    response = backend.delete_key_value_store(Name="s", IfMatch=etag)
    assert response.keys() == {"ResponseMetadata"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert error_of(backend.describe_key_value_store, Name="s")[0] == "EntityNotFound"
    assert error_of(backend.describe_key_value_store_data, KvsARN=arn)[0] == "ResourceNotFoundException"
    assert store_names(backend) == ["other"]
    assert backend.get_key(KvsARN=other_arn, Key="k")["Value"] == "v"
    new_arn, _ = create(backend)
    assert new_arn != arn
    assert backend.describe_key_value_store_data(KvsARN=new_arn)["ItemCount"] == 0


@pytest.mark.parametrize("stage", ["DEVELOPMENT", "LIVE", "both"])
def test_a_store_associated_with_a_function_cannot_be_deleted(backend: EmbeddedBackend, stage: str) -> None:
    arn, etag = create(backend)
    function_etag = associate(backend, "f", arn)
    if stage != "DEVELOPMENT":
        backend.publish_function(Name="f", IfMatch=function_etag)
    if stage == "LIVE":
        function_etag = associate(backend, "f")
    code, status, error = error_with_exception(backend.delete_key_value_store, Name="s", IfMatch=etag)
    assert (code, status) == ("CannotDeleteEntityWhileInUse", 409)
    assert error.operation_name == "DeleteKeyValueStore"
    assert backend.describe_key_value_store(Name="s")["ETag"] == etag
    backend.delete_function(Name="f", IfMatch=function_etag)
    backend.delete_key_value_store(Name="s", IfMatch=etag)


def test_a_store_no_longer_associated_can_be_deleted(backend: EmbeddedBackend) -> None:
    arn, etag = create(backend)
    associate(backend, "f", arn)
    associate(backend, "f")
    backend.delete_key_value_store(Name="s", IfMatch=etag)


def test_a_store_can_be_updated_and_deleted_before_it_is_ready() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, provisioning_seconds=60)) as backend:
        _, etag = create(backend)
        response = backend.update_key_value_store(Name="s", Comment="c", IfMatch=etag)
        assert response["KeyValueStore"]["Status"] == "PROVISIONING"
        backend.delete_key_value_store(Name="s", IfMatch=response["ETag"])


def test_a_deleted_store_does_not_count_towards_the_quota() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, max_key_value_stores=1)) as backend:
        _, etag = create(backend)
        backend.delete_key_value_store(Name="s", IfMatch=etag)
        create(backend, "t")


def test_deletes_between_pages_cause_no_missing_stores(backend: EmbeddedBackend) -> None:
    etags = {name: create(backend, name)[1] for name in "abcd"}
    marker = backend.list_key_value_stores(MaxItems="2")["KeyValueStoreList"]["NextMarker"]
    for name in "bc":
        backend.delete_key_value_store(Name=name, IfMatch=etags[name])
    assert store_names(backend, Marker=marker) == ["d"]
