"""The control plane of key value stores in the embedded backend."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends.embedded_resources import store_names
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.clock import Clock
from support.errors import error_of, error_with_exception


def status_of(backend: EmbeddedBackend, name: str) -> str:
    status: str = backend.describe_key_value_store(Name=name)["KeyValueStore"]["Status"]
    return status


def test_a_new_store_is_provisioning(backend: EmbeddedBackend) -> None:
    response = backend.create_key_value_store(Name="s", Comment="what it holds")
    store = response["KeyValueStore"]
    assert re.fullmatch("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", store["Id"])
    assert store == {
        "Name": "s",
        "Id": store["Id"],
        "Comment": "what it holds",
        "ARN": f"arn:aws:cloudfront::000000000000:key-value-store/{store['Id']}",
        "Status": "PROVISIONING",
        "LastModifiedTime": datetime(2026, 5, 5, 12, 0, 0, 123_000, tzinfo=UTC),
    }
    assert response["Location"] == "https://cloudfront.amazonaws.com/2020-05-31/key-value-store/s"
    assert re.fullmatch("E[A-Z0-9]{13}", response["ETag"])
    metadata = response["ResponseMetadata"]
    assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (201, 0)
    assert metadata["HTTPHeaders"] == {
        "date": "Tue, 05 May 2026 12:00:00 GMT",
        "x-amzn-requestid": metadata["RequestId"],
        "etag": response["ETag"],
        "location": response["Location"],
    }


def test_a_new_store_is_ready_at_the_next_read(backend: EmbeddedBackend) -> None:
    created = backend.create_key_value_store(Name="s")
    described = backend.describe_key_value_store(Name="s")
    assert described["KeyValueStore"] == {**created["KeyValueStore"], "Status": "READY"}
    assert described["ETag"] == created["ETag"] == described["ResponseMetadata"]["HTTPHeaders"]["etag"]
    assert described["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert "Location" not in described


def test_setting_the_clock_back_does_not_delay_ready(backend: EmbeddedBackend, clock: Clock) -> None:
    backend.create_key_value_store(Name="s")
    clock.now -= timedelta(hours=1)
    assert status_of(backend, "s") == "READY"


def test_provisioning_takes_the_configured_time_even_across_a_restart(tmp_path: Path, clock: Clock) -> None:
    path = str(tmp_path / "db")
    with closing(EmbeddedBackend(path=path, s3_dir=None, clock=clock, provisioning_seconds=1.5)) as backend:
        backend.create_key_value_store(Name="s")
        clock.now += timedelta(seconds=1.4)
        assert status_of(backend, "s") == "PROVISIONING"
    with closing(EmbeddedBackend(path=path, s3_dir=None, clock=clock)) as backend:
        assert status_of(backend, "s") == "PROVISIONING"
        clock.now += timedelta(seconds=0.1)
        assert status_of(backend, "s") == "READY"


def test_an_absent_and_an_empty_comment_differ(backend: EmbeddedBackend) -> None:
    assert "Comment" not in backend.create_key_value_store(Name="absent")["KeyValueStore"]
    assert backend.create_key_value_store(Name="empty", Comment="")["KeyValueStore"]["Comment"] == ""
    assert "Comment" not in backend.describe_key_value_store(Name="absent")["KeyValueStore"]
    assert backend.describe_key_value_store(Name="empty")["KeyValueStore"]["Comment"] == ""


def test_a_second_store_with_the_same_name_is_rejected(backend: EmbeddedBackend) -> None:
    first = backend.create_key_value_store(Name="s", Comment="first")
    code, status, error = error_with_exception(backend.create_key_value_store, Name="s", Comment="second")
    assert (code, status, error.operation_name) == ("EntityAlreadyExists", 409, "CreateKeyValueStore")
    assert backend.describe_key_value_store(Name="s")["ETag"] == first["ETag"]


def test_a_store_and_a_function_may_have_the_same_name(backend: EmbeddedBackend) -> None:
    backend.create_key_value_store(Name="same")
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    backend.create_function(Name="same", FunctionConfig=config, FunctionCode=b"x")


def test_the_quota_of_stores_is_enforced() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, max_key_value_stores=1)) as backend:
        backend.create_key_value_store(Name="s0")
        assert error_of(backend.create_key_value_store, Name="s1") == ("EntityLimitExceeded", 400)
        assert error_of(backend.create_key_value_store, Name="s0")[0] == "EntityAlreadyExists"
        assert store_names(backend) == ["s0"]


def test_an_unknown_store_is_not_found(backend: EmbeddedBackend) -> None:
    code, status, error = error_with_exception(backend.describe_key_value_store, Name="s")
    assert (code, status, error.operation_name) == ("EntityNotFound", 404, "DescribeKeyValueStore")


def test_an_empty_list_has_one_page(backend: EmbeddedBackend) -> None:
    response = backend.list_key_value_stores()
    assert response["KeyValueStoreList"] == {"MaxItems": 100, "Quantity": 0, "Items": []}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_list_has_the_same_summaries_as_describe(backend: EmbeddedBackend) -> None:
    backend.create_key_value_store(Name="b")
    backend.create_key_value_store(Name="a", Comment="first")
    items = backend.list_key_value_stores()["KeyValueStoreList"]["Items"]
    assert items == [backend.describe_key_value_store(Name=name)["KeyValueStore"] for name in "ab"]


def test_pages_contain_every_store_once(backend: EmbeddedBackend) -> None:
    names = [f"s{number:03}" for number in range(7)]
    for name in reversed(names):
        backend.create_key_value_store(Name=name)
    listed_names = []
    arguments = {"MaxItems": "3"}
    for size, more in [(3, True), (3, True), (1, False)]:
        page = backend.list_key_value_stores(**arguments)["KeyValueStoreList"]
        assert (page["MaxItems"], page["Quantity"], "NextMarker" in page) == (3, size, more)
        listed_names += [item["Name"] for item in page["Items"]]
        arguments["Marker"] = page.get("NextMarker", "")
    assert listed_names == names


def test_the_last_page_has_no_marker(backend: EmbeddedBackend) -> None:
    backend.create_key_value_store(Name="s")
    assert "NextMarker" not in backend.list_key_value_stores(MaxItems="1")["KeyValueStoreList"]


def test_creates_between_pages_cause_no_duplicates(backend: EmbeddedBackend) -> None:
    for name in ("b", "d"):
        backend.create_key_value_store(Name=name)
    marker = backend.list_key_value_stores(MaxItems="1")["KeyValueStoreList"]["NextMarker"]
    for name in ("a", "c"):
        backend.create_key_value_store(Name=name)
    assert store_names(backend, Marker=marker) == ["c", "d"]


def test_a_page_has_at_most_100_items() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend:
        for number in range(101):
            backend.create_key_value_store(Name=f"s{number:03}")
        for arguments in ({}, {"MaxItems": "101"}, {"MaxItems": "999999999"}):
            page = backend.list_key_value_stores(**arguments)["KeyValueStoreList"]
            assert (page["MaxItems"], page["Quantity"], page["NextMarker"]) == (100, 100, "s099")


@pytest.mark.parametrize("max_items", ["0", "-1", "", "x", "1.5", " 1", "1\n", "\u0663", "9" * 5000])
def test_a_page_size_that_is_not_positive_is_rejected(backend: EmbeddedBackend, max_items: str) -> None:
    code, status = error_of(backend.list_key_value_stores, MaxItems=max_items)
    assert (code, status) == ("InvalidArgument", 400)


def test_a_list_is_filtered_by_status(clock: Clock) -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, clock=clock, provisioning_seconds=10)) as backend:
        backend.create_key_value_store(Name="old")
        clock.now += timedelta(seconds=10)
        backend.create_key_value_store(Name="new")
        assert store_names(backend) == ["new", "old"]
        assert store_names(backend, Status="READY") == ["old"]
        assert store_names(backend, Status="PROVISIONING") == ["new"]
        assert store_names(backend, Status="ready") == []
