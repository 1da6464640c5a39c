"""The data plane of key value stores on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.protocol import Backend, Response
from contract.backends import MALFORMED, STALE_DATA, Backends, ready_store, status
from support.errors import error_of, error_with_exception

MISSING = ("ResourceNotFoundException", 404)
INVALID = ("ValidationException", 400)
NOT_READY = ("ConflictException", 409)
KEYS = ("a", "/", "a/../b", "%2F", " a b ", "+", "?x=1&y#z", "é", "e\u0301", "\U0001f600", "\u2028", "k" * 512)
VALUES = ("", "v", '{"a": "<&>"}', "é\r\n\t", "\U0001f600" * 256)


def etag_of(backend: Backend, arn: str) -> str:
    etag: str = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
    return etag


def put(backend: Backend, arn: str, key: str = "k", value: str = "v") -> str:
    etag: str = backend.put_key(KvsARN=arn, Key=key, Value=value, IfMatch=etag_of(backend, arn))["ETag"]
    return etag


def content(backend: Backend, arn: str, size: int = 50) -> dict[str, str]:
    """Reads all pages."""
    items: dict[str, str] = {}
    token: dict[str, str] = {}
    for _ in range(1000):
        listed = backend.list_keys(KvsARN=arn, MaxResults=size, **token)
        assert len(listed.get("Items", [])) <= size
        for item in listed.get("Items", []):
            assert item["Key"] not in items, "a key is on two pages"
            items[item["Key"]] = item["Value"]
        if not listed.get("NextToken"):
            return items
        token = {"NextToken": listed["NextToken"]}
    raise AssertionError("the list has no last page")


def test_a_new_store_is_empty(backend: Backend) -> None:
    arn = ready_store(backend)
    described = backend.describe_key_value_store_data(KvsARN=arn)

    assert status(described) == 200
    assert (described["KvsARN"], described["ItemCount"], described["TotalSizeInBytes"]) == (arn, 0, 0)
    assert described["Status"] == "READY"
    assert "FailureReason" not in described
    assert described["Created"] <= described["LastModified"]
    assert content(backend, arn) == {}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_with_any_characters_is_put_read_listed_and_deleted(backend: Backend, key: str) -> None:
    arn = ready_store(backend)
    etag = put(backend, arn, key, "v")

    got = backend.get_key(KvsARN=arn, Key=key)
    size = len(key.encode()) + 1
    assert (got["Key"], got["Value"], got["ItemCount"], got["TotalSizeInBytes"]) == (key, "v", 1, size)
    assert content(backend, arn) == {key: "v"}
    deleted = backend.delete_key(KvsARN=arn, Key=key, IfMatch=etag)
    assert (deleted["ItemCount"], deleted["TotalSizeInBytes"]) == (0, 0)
    assert error_of(backend.get_key, KvsARN=arn, Key=key) == MISSING


@pytest.mark.parametrize("value", VALUES)
def test_a_value_with_any_characters_is_returned_unchanged(backend: Backend, value: str) -> None:
    arn = ready_store(backend)
    put(backend, arn, "k", value)
    got = backend.get_key(KvsARN=arn, Key="k")
    assert (got["Value"], got["TotalSizeInBytes"]) == (value, 1 + len(value.encode()))


def test_every_change_sets_a_new_etag_for_the_whole_store(backend: Backend) -> None:
    arn = ready_store(backend)
    etags = [etag_of(backend, arn)]
    changes: list[tuple[Callable[..., Response], dict[str, Any]]] = [
        (backend.put_key, {"Key": "a", "Value": "1"}),
        (backend.put_key, {"Key": "a", "Value": "2"}),
        (backend.update_keys, {"Puts": [{"Key": "b", "Value": "3"}]}),
        (backend.delete_key, {"Key": "a"}),
    ]
    for call, change in changes:
        etags.append(call(KvsARN=arn, IfMatch=etags[-1], **change)["ETag"])
        assert etags[-1] == etag_of(backend, arn)
    assert len(set(etags)) == 5
    assert content(backend, arn) == {"b": "3"}


def changes(backend: Backend, arn: str, etag: str) -> list[tuple[Any, dict[str, Any]]]:
    return [
        (backend.put_key, {"KvsARN": arn, "Key": "k", "Value": "new", "IfMatch": etag}),
        (backend.delete_key, {"KvsARN": arn, "Key": "k", "IfMatch": etag}),
        (backend.update_keys, {"KvsARN": arn, "IfMatch": etag, "Puts": [{"Key": "k", "Value": "new"}]}),
        (backend.update_keys, {"KvsARN": arn, "IfMatch": etag, "Deletes": [{"Key": "k"}]}),
    ]


def test_a_change_with_an_outdated_etag_fails_and_changes_nothing(backend: Backend) -> None:
    arn = ready_store(backend)
    first = etag_of(backend, arn)
    etag = put(backend, arn, "k", "old")

    for stale in (first, STALE_DATA, backend.describe_key_value_store(Name="s")["ETag"]):
        for call, arguments in changes(backend, arn, stale):
            code, status, error = error_with_exception(call, **arguments)
            assert (code, status) == INVALID
            assert error.response["Error"]["Message"].startswith("Pre-Condition failed"), "as CloudFront's does"
    assert (content(backend, arn), etag_of(backend, arn)) == ({"k": "old"}, etag)


@pytest.mark.parametrize("etag", MALFORMED)
def test_a_change_with_a_malformed_etag_fails(backend: Backend, etag: str) -> None:
    arn = ready_store(backend)
    put(backend, arn, "k", "old")
    for call, arguments in changes(backend, arn, etag):
        assert error_of(call, **arguments) == INVALID


def test_a_missing_store_is_not_found(backend: Backend) -> None:
    arn = ready_store(backend)
    other = arn.replace(arn[-4:], "0000" if not arn.endswith("0000") else "1111")
    for call, arguments in (
        *changes(backend, other, STALE_DATA),
        (backend.get_key, {"KvsARN": other, "Key": "k"}),
        (backend.list_keys, {"KvsARN": other}),
        (backend.describe_key_value_store_data, {"KvsARN": other}),
    ):
        assert error_of(call, **arguments) == MISSING


def test_deleting_a_missing_key_fails_alone_but_succeeds_in_a_batch(backend: Backend) -> None:
    arn = ready_store(backend)
    etag = put(backend, arn)

    assert error_of(backend.delete_key, KvsARN=arn, Key="none", IfMatch=etag) == MISSING
    assert etag_of(backend, arn) == etag
    deletes: Any = [{"Key": "none"}, {"Key": "k"}]
    assert backend.update_keys(KvsARN=arn, IfMatch=etag, Deletes=deletes)["ItemCount"] == 0


def test_an_update_that_only_deletes_absent_keys_keeps_the_version(backend: Backend) -> None:
    arn = ready_store(backend)
    etag = put(backend, arn)
    before = backend.describe_key_value_store_data(KvsARN=arn)

    updated = backend.update_keys(KvsARN=arn, IfMatch=etag, Deletes=[{"Key": "none"}, {"Key": "neither"}])

    assert (updated["ETag"], updated["ItemCount"]) == (etag, 1)
    after = backend.describe_key_value_store_data(KvsARN=arn)
    assert (after["ETag"], after["LastModified"]) == (etag, before["LastModified"])
    assert backend.update_keys(KvsARN=arn, IfMatch=etag, Deletes=[{"Key": "none"}, {"Key": "k"}])["ETag"] != etag


def test_keys_are_put_and_deleted_together(backend: Backend) -> None:
    arn = ready_store(backend)
    etag = put(backend, arn, "gone", "x")
    puts: Any = [{"Key": f"k{n}", "Value": str(n)} for n in range(49)]

    updated = backend.update_keys(KvsARN=arn, IfMatch=etag, Puts=puts, Deletes=[{"Key": "gone"}])

    assert (status(updated), updated["ItemCount"]) == (200, 49)
    assert content(backend, arn) == {f"k{n}": str(n) for n in range(49)}


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"Puts": [], "Deletes": []},
        {"Puts": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
        {"Puts": [{"Key": f"k{n}", "Value": ""} for n in range(50)], "Deletes": [{"Key": "d"}]},
        {"Puts": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]},
        {"Puts": [{"Key": "a", "Value": "1"}], "Deletes": [{"Key": "a"}]},
        {"Puts": [{"Key": "a", "Value": "1"}, {"Key": "k" * 513, "Value": "2"}]},
        {"Puts": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "v" * 1025}]},
    ],
    ids=[
        "no changes",
        "empty lists",
        "51 puts",
        "51 in total",
        "two puts",
        "put and delete",
        "a long key",
        "a long value",
    ],
)
def test_a_failed_update_changes_nothing(backend: Backend, update: dict[str, Any]) -> None:
    arn = ready_store(backend)
    etag = put(backend, arn)

    assert error_of(backend.update_keys, KvsARN=arn, IfMatch=etag, **update) == INVALID
    assert (content(backend, arn), etag_of(backend, arn)) == ({"k": "v"}, etag)


@pytest.mark.parametrize(("key", "value"), [("k" * 512, "v"), ("é" * 256, "v"), ("k", "v" * 1024), ("k", "é" * 512)])
def test_keys_and_values_are_measured_in_bytes(backend: Backend, key: str, value: str) -> None:
    arn = ready_store(backend)
    too_long = {"Key": key, "Value": value + "v"} if key == "k" else {"Key": key + "k", "Value": value}

    assert error_of(backend.put_key, KvsARN=arn, **too_long, IfMatch=etag_of(backend, arn)) == INVALID
    put(backend, arn, key, value)


def test_the_size_limit_of_a_store_is_five_megabytes(backend: Backend) -> None:
    arn = ready_store(backend)
    etag, size = etag_of(backend, arn), 0
    for batch in range(110):
        puts: Any = [{"Key": f"{batch:03}-{n:02}{'k' * 240}", "Value": "v" * 1024} for n in range(40)]
        try:
            response = backend.update_keys(KvsARN=arn, IfMatch=etag, Puts=puts)
        except ClientError:
            break
        etag, size = response["ETag"], response["TotalSizeInBytes"]

    # It is not documented whether the limit is 5,000,000 bytes or 5 MiB.
    assert 5_000_000 - 40 * 1270 < size <= 5 * 1024**2
    error = error_of(backend.update_keys, KvsARN=arn, IfMatch=etag, Puts=puts)
    assert error == ("ServiceQuotaExceededException", 402)
    assert (etag_of(backend, arn), backend.get_key(KvsARN=arn, Key=f"000-00{'k' * 240}")["TotalSizeInBytes"]) == (
        etag,
        size,
    )


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_each_key_is_listed_once_on_pages_of_any_size(backend: Backend, size: int) -> None:
    arn = ready_store(backend)
    puts: Any = [{"Key": key, "Value": f"of {key[:3]}"} for key in KEYS]
    backend.update_keys(KvsARN=arn, IfMatch=etag_of(backend, arn), Puts=puts)

    assert content(backend, arn, size) == {key: f"of {key[:3]}" for key in KEYS}


def test_the_default_page_size_is_ten_keys(backend: Backend) -> None:
    arn = ready_store(backend)
    puts: Any = [{"Key": f"k{n:02}", "Value": ""} for n in range(11)]
    backend.update_keys(KvsARN=arn, IfMatch=etag_of(backend, arn), Puts=puts)

    first = backend.list_keys(KvsARN=arn)
    second = backend.list_keys(KvsARN=arn, NextToken=first["NextToken"])

    assert (len(first["Items"]), len(second["Items"]), second.get("NextToken")) == (10, 1, None)


@pytest.mark.parametrize("page", [{"NextToken": "garbage"}, {"MaxResults": 51}])
def test_an_invalid_page_token_or_size_fails(backend: Backend, page: dict[str, Any]) -> None:
    arn = ready_store(backend)
    assert error_of(backend.list_keys, KvsARN=arn, **page) == INVALID


def test_a_store_that_is_not_ready_can_only_be_described(backends: Backends) -> None:
    backend = backends(provisioning_seconds=3600)
    arn = ready_store(backend)
    described = backend.describe_key_value_store_data(KvsARN=arn)

    assert described["Status"] == "PROVISIONING"
    for call, arguments in (
        *changes(backend, arn, described["ETag"]),
        (backend.get_key, {"KvsARN": arn, "Key": "k"}),
        (backend.list_keys, {"KvsARN": arn}),
    ):
        assert error_of(call, **arguments) == NOT_READY
