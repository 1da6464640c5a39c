"""The data plane of the embedded backend: which stores have one, and its initial content."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backends.embedded_store import Store
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.clock import Clock
from support.errors import error_of

NO_STORE = "arn:aws:cloudfront::000000000000:key-value-store/00000000-0000-0000-0000-000000000000"


READS = {
    "DescribeKeyValueStore": lambda backend, arn: backend.describe_key_value_store_data(KvsARN=arn),
    "GetKey": lambda backend, arn: backend.get_key(KvsARN=arn, Key="k"),
    "ListKeys": lambda backend, arn: backend.list_keys(KvsARN=arn),
}
VERSION = {"IfMatch": "KV0123456789ABC"}
WRITES = {
    "PutKey": lambda backend, arn: backend.put_key(KvsARN=arn, Key="k", Value="v", **VERSION),
    "DeleteKey": lambda backend, arn: backend.delete_key(KvsARN=arn, Key="k", **VERSION),
    "UpdateKeys": lambda backend, arn: backend.update_keys(KvsARN=arn, Deletes=[{"Key": "k"}], **VERSION),
}
OPERATIONS: dict[str, Callable[[EmbeddedBackend, str], object]] = {**READS, **WRITES}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_store_is_reported_in_the_data_planes_format(
    backend: EmbeddedBackend, clock: Clock, operation: str
) -> None:
    with pytest.raises(ClientError) as caught:
        OPERATIONS[operation](backend, NO_STORE)
    assert caught.value.operation_name == operation
    metadata = caught.value.response["ResponseMetadata"]
    # botocore parses JSON errors without a Type, which only XML has.
    assert caught.value.response["Error"] == {
        "Message": "No key value store has this ARN.",
        "Code": "ResourceNotFoundException",
    }
    assert metadata["HTTPStatusCode"] == 404
    assert metadata["HTTPHeaders"] == {
        "date": "Tue, 05 May 2026 12:00:00 GMT",
        "x-amzn-requestid": metadata["RequestId"],
        "x-amzn-errortype": "ResourceNotFoundException",
    }


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("failed", [False, True])
def test_a_store_that_is_not_ready_can_only_be_described(clock: Clock, operation: str, failed: bool) -> None:
    imported = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/key"}
    source: dict[str, Any] = {"ImportSource": imported} if failed else {}
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, clock=clock, provisioning_seconds=5)) as backend:
        store = Store(backend, **source)
        assert store.describe()["Status"] == ("FAILED" if failed else "PROVISIONING")
        if operation != "DescribeKeyValueStore":
            assert error_of(OPERATIONS[operation], backend, store.arn) == ("ConflictException", 409)
        clock.now += timedelta(seconds=5)
        if failed:
            assert store.describe()["Status"] == "FAILED"
            assert error_of(store.put, "k", "v") == ("ConflictException", 409)
        else:
            assert store.describe()["Status"] == "READY"
            store.put("k", "v")


def test_stores_have_separate_keys(backend: EmbeddedBackend) -> None:
    first, second = Store(backend, "first"), Store(backend, "second")
    first.put("k", "1")
    etag = second.describe()["ETag"]
    second.put("k", "22")
    first.delete("k")
    assert (first.content(), second.content()) == ({}, {"k": "22"})
    assert second.describe()["ETag"] != etag
    assert (first.describe()["TotalSizeInBytes"], second.describe()["TotalSizeInBytes"]) == (0, 3)


def test_imported_keys_are_in_the_data_plane(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket/key").write_bytes(b'{"data":[{"key":"a","value":"1"},{"key":"b","value":"\xc3\xa9"}]}')
    with closing(EmbeddedBackend(path=":memory:", s3_dir=tmp_path)) as backend:
        store = Store(backend, ImportSource={"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/key"})
        assert store.content() == {"a": "1", "b": "\u00e9"}
        assert (store.describe()["ItemCount"], store.describe()["TotalSizeInBytes"]) == (2, 5)


def test_an_etag_of_data_in_the_control_planes_format_is_accepted(tmp_path: Path) -> None:
    with closing(EmbeddedBackend(path=str(tmp_path / "db"), s3_dir=None)) as backend:
        store = Store(backend)
        with backend._database.writing() as connection:
            connection.execute("UPDATE key_value_stores SET data_etag = 'E0123456789ABC'")
        store.put("k", "v")
