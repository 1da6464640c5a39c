"""Reads and writes of keys in the embedded backend, and the limits on their number and size."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backends.embedded_store import Store
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.clock import Clock
from support.errors import error_of

FIVE_MEGABYTES = 5 * 1024 * 1024
LARGEST_KEY, LARGEST_VALUE = "\u00e9" * 256, "\u00e9" * 512


@pytest.fixture
def store(backend: EmbeddedBackend) -> Store:
    return Store(backend)


def test_a_new_store_is_empty_and_ready(store: Store) -> None:
    moment = datetime(2026, 5, 5, 12, 0, 0, 123_000, tzinfo=UTC)
    described = store.describe()
    assert described == {
        "ItemCount": 0,
        "TotalSizeInBytes": 0,
        "KvsARN": store.arn,
        "Created": moment,
        "ETag": described["ETag"],
        "LastModified": moment,
        "Status": "READY",
    }
    assert store.content() == {}


@pytest.mark.parametrize(
    ("key", "value", "size"),
    [
        ("k", "v", 2),
        ("k", "", 1),
        (LARGEST_KEY, LARGEST_VALUE, 1536),
        ("a/b?c=d e%20", '{"a": [1]}', 22),
        ("\U0001f600", "\u00e9\n\0x", 9),
        ("a\0b", "v", 4),
    ],
)
def test_a_value_is_returned_unchanged_and_measured_in_utf_8(store: Store, key: str, value: str, size: int) -> None:
    before = store.describe()
    response = store.put(key, value)
    sizes = {"ItemCount": 1, "TotalSizeInBytes": size}
    assert {name: response[name] for name in sizes} == sizes
    assert response["ETag"] != before["ETag"]
    assert response["ETag"] == response["ResponseMetadata"]["HTTPHeaders"]["etag"] == store.describe()["ETag"]
    got = store.backend.get_key(KvsARN=store.arn, Key=key)
    assert got.keys() == {"Key", "Value", *sizes, "ResponseMetadata"}
    assert (got["Key"], got["Value"], got["ItemCount"], got["TotalSizeInBytes"]) == (key, value, 1, size)
    assert "etag" not in got["ResponseMetadata"]["HTTPHeaders"]


def test_a_put_replaces_a_value(store: Store) -> None:
    store.put("k", "long")
    response = store.put("k", "x")
    assert (response["ItemCount"], response["TotalSizeInBytes"]) == (1, 2)
    assert store.content() == {"k": "x"}


def test_keys_are_case_sensitive_and_not_normalized(store: Store) -> None:
    keys = ["k", "K", "\u00e9", "e\u0301"]
    for number, key in enumerate(keys):
        store.put(key, str(number))
    assert store.content() == {key: str(number) for number, key in enumerate(keys)}


def test_every_write_sets_a_new_etag_even_if_a_value_stays_the_same(store: Store, clock: Clock) -> None:
    etags = [store.describe()["ETag"]]
    writes: tuple[Callable[[], Any], ...] = (
        lambda: store.put("k", "v"),
        lambda: store.put("k", "v"),
        lambda: store.update({"k": "v"}),
        lambda: store.update({"k": "v"}, deletes=("absent",)),
        lambda: store.delete("k"),
    )
    for write in writes:
        clock.now += timedelta(seconds=1)
        etags.append(write()["ETag"])
        assert store.describe()["ETag"] == etags[-1]
        assert store.describe()["LastModified"] == clock.now.replace(microsecond=123_000)
    assert len(set(etags)) == len(etags)
    assert store.describe()["Created"] < store.describe()["LastModified"]


def test_reads_do_not_change_the_etag(store: Store) -> None:
    store.put("k", "v")
    before = store.describe()
    store.backend.get_key(KvsARN=store.arn, Key="k")
    store.content()
    assert store.describe() == before


def test_a_delete_removes_one_key(store: Store) -> None:
    store.update({"a": "1", "b": "22"})
    response = store.delete("a")
    assert (response["ItemCount"], response["TotalSizeInBytes"]) == (1, 3)
    assert store.content() == {"b": "22"}
    assert error_of(store.backend.get_key, KvsARN=store.arn, Key="a") == ("ResourceNotFoundException", 404)


def test_a_missing_key_is_not_found_and_deleting_it_changes_nothing(store: Store) -> None:
    store.put("k", "v")
    before = store.describe()
    assert error_of(store.delete, "K") == ("ResourceNotFoundException", 404)
    assert error_of(store.backend.get_key, KvsARN=store.arn, Key="K") == ("ResourceNotFoundException", 404)
    assert store.describe() == before


def test_an_update_puts_and_deletes_keys(store: Store) -> None:
    store.update({"a": "1", "b": "2", "c": "3"})
    response = store.update({"b": "two", "d": "4"}, ("a", "absent"))
    assert (response["ItemCount"], response["TotalSizeInBytes"]) == (3, 8)
    assert store.content() == {"b": "two", "c": "3", "d": "4"}


def test_an_update_of_50_keys_is_allowed(store: Store) -> None:
    store.update({f"k{number}": "v" * 1024 for number in range(30)}, tuple(f"d{number}" for number in range(20)))
    assert store.describe()["ItemCount"] == 30


def put_of(key: str = "fine", value: str = "v") -> dict[str, str]:
    return {"Key": key, "Value": value}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Puts": [], "Deletes": []},
        {"Puts": [put_of(f"k{number}") for number in range(51)]},
        {"Deletes": [{"Key": f"k{number}"} for number in range(51)]},
        {"Puts": [put_of(f"k{n}") for n in range(26)], "Deletes": [{"Key": f"d{n}"} for n in range(25)]},
        {"Puts": [put_of("a"), put_of("b"), put_of("a")]},
        {"Deletes": [{"Key": "a"}, {"Key": "a"}]},
        {"Puts": [put_of("a")], "Deletes": [{"Key": "a"}]},
        {"Puts": [put_of(), put_of("")]},
        {"Puts": [put_of(), put_of(LARGEST_KEY + "x")]},
        {"Puts": [put_of(), put_of("k", LARGEST_VALUE + "x")]},
        {"Puts": [put_of()], "Deletes": [{"Key": ""}]},
        {"Puts": [put_of()], "Deletes": [{"Key": LARGEST_KEY + "x"}]},
    ],
)
def test_an_update_with_one_invalid_change_changes_nothing(store: Store, changes: dict[str, Any]) -> None:
    store.update({"a": "1", "d0": "1"})
    before, content = store.describe(), store.content()
    arguments = {"KvsARN": store.arn, "IfMatch": before["ETag"], **changes}
    assert error_of(store.backend.update_keys, **arguments) == ("ValidationException", 400)
    assert (store.describe(), store.content()) == (before, content)


@pytest.mark.parametrize(("key", "value"), [("", "v"), (LARGEST_KEY + "x", "v"), ("x" * 513, "v"), ("k", "x" * 1025)])
def test_a_put_with_a_size_out_of_range_changes_nothing(store: Store, key: str, value: str) -> None:
    before = store.describe()
    assert error_of(store.put, key, value) == ("ValidationException", 400)
    assert store.describe() == before


@pytest.mark.parametrize("key", ["", "x" * 513])
def test_a_delete_of_an_invalid_key_is_rejected(store: Store, key: str) -> None:
    assert error_of(store.delete, key) == ("ValidationException", 400)


def test_a_store_of_5_megabytes_is_full(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket/key").write_text(
        json.dumps({"data": [{"key": f"{number:016}", "value": "x" * 1008} for number in range(4900)]})
    )
    source = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/key"}
    with closing(EmbeddedBackend(path=":memory:", s3_dir=tmp_path)) as backend:
        store = Store(backend, ImportSource=source)
        for batch in range(5):
            store.update({f"fill{batch}-{number:010}": "x" * 1008 for number in range(44)})
        # Each pair has 1,024 bytes: 4,900 are imported and 220 are put.
        assert store.describe()["TotalSizeInBytes"] == FIVE_MEGABYTES
        before = store.describe()
        full = ("ServiceQuotaExceededException", 402)
        assert error_of(store.put, "k", "") == full
        assert error_of(store.put, f"{0:016}", "x" * 1009) == full
        assert error_of(store.update, {"a": "b"}, ("absent",)) == full
        assert store.describe() == before
        # One update may replace a key with another.
        store.update({"a": "x" * 1023}, (f"{0:016}",))
        assert store.describe()["TotalSizeInBytes"] == FIVE_MEGABYTES
        store.delete("a")
        store.put("b", "x" * 1023)
