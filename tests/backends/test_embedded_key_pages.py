"""Pagination of ListKeys in the embedded backend."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from backends.embedded_resources import create_store
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.errors import error_with_operation


def write(backend: EmbeddedBackend, arn: str, puts: list[str], deletes: list[str] | None = None) -> None:
    changes = [*((key, True) for key in puts), *((key, False) for key in deletes or [])]
    while changes:
        batch, changes = changes[:50], changes[50:]
        backend.update_keys(
            KvsARN=arn,
            IfMatch=backend.describe_key_value_store_data(KvsARN=arn)["ETag"],
            Puts=[{"Key": key, "Value": f"value of {key}"} for key, put in batch if put],
            Deletes=[{"Key": key} for key, put in batch if not put],
        )


def listed(
    backend: EmbeddedBackend, arn: str, between: Callable[[int], None] = lambda _: None, **arguments: Any
) -> list[str]:
    """Returns the keys of all pages; calls `between` after each page except the last."""
    keys: list[str] = []
    for number in range(1000):
        page = backend.list_keys(KvsARN=arn, **arguments)
        assert page["Items"] == [{"Key": item["Key"], "Value": f"value of {item['Key']}"} for item in page["Items"]]
        keys += [item["Key"] for item in page["Items"]]
        if "NextToken" not in page:
            return keys
        assert len(page["Items"]) == arguments.get("MaxResults", 10)
        between(number)
        arguments["NextToken"] = page["NextToken"]
    raise AssertionError


def test_an_empty_store_has_one_empty_page(backend: EmbeddedBackend) -> None:
    response = backend.list_keys(KvsARN=create_store(backend))
    assert response.keys() == {"Items", "ResponseMetadata"}
    assert response["Items"] == []


@pytest.mark.parametrize("page_size", [{}, {"MaxResults": 1}, {"MaxResults": 7}, {"MaxResults": 50}])
@pytest.mark.parametrize("count", [1, 10, 11, 50, 51, 120])
def test_pages_contain_every_key_once_and_have_ten_keys_by_default(
    backend: EmbeddedBackend, page_size: dict[str, Any], count: int
) -> None:
    arn = create_store(backend)
    keys = [f"k{number:03}" for number in range(count)]
    write(backend, arn, keys[::-1])
    assert listed(backend, arn, **page_size) == keys


def test_keys_with_special_characters_are_paged(backend: EmbeddedBackend) -> None:
    arn = create_store(backend)
    keys = ["\0", " ", "a b", "a\nb", "\u00e9", "\u20ac" * 170, "\uffff", "\U0001f600", "x" * 512, "%", "/"]
    write(backend, arn, keys)
    # Sorted by code points, which is also the order of the bytes in UTF-8.
    assert listed(backend, arn, MaxResults=1) == sorted(keys)


@pytest.mark.parametrize("max_results", [1, 2, 3, 10])
def test_changes_between_pages_cause_no_duplicate_or_missing_keys(backend: EmbeddedBackend, max_results: int) -> None:
    def change(number: int) -> None:
        if number < 10:
            new = [f"{number}-new", f"k{number}-new", f"z{number}-new"]
            # The first deleted key is often the last key of the page.
            write(backend, arn, new, [f"k{number}-deleted", f"l{number}-deleted"])

    arn = create_store(backend)
    kept = [f"k{number}" for number in range(10)]
    deleted = [f"{letter}{number}-deleted" for letter in "kl" for number in range(10)]
    write(backend, arn, kept + deleted)
    keys = listed(backend, arn, change, MaxResults=max_results)
    assert keys == sorted(set(keys))
    assert set(keys) >= set(kept)
    assert set(keys) - {*kept, *deleted}, "keys put after the current page are listed"


@pytest.mark.parametrize("max_results", [0, -1, 51, 10**9])
def test_a_page_size_out_of_range_is_rejected(backend: EmbeddedBackend, max_results: int) -> None:
    error = error_with_operation(backend.list_keys, KvsARN=create_store(backend), MaxResults=max_results)
    assert error == ("ValidationException", 400, "ListKeys")


def encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


NOT_TOKENS: tuple[Any, ...] = ({}, [], 1, None, "k")


@pytest.mark.parametrize(
    "token",
    ["", "x", "garbage", "\u00e9", "a" * 5000, "====", encoded(b""), encoded(b"\xff\xfe"), encoded(b"k"), "k3"]
    + [encoded(json.dumps(content).encode()) for content in NOT_TOKENS],
)
def test_a_malformed_token_is_rejected(backend: EmbeddedBackend, token: str) -> None:
    arn = create_store(backend)
    write(backend, arn, ["k"])
    assert error_with_operation(backend.list_keys, KvsARN=arn, NextToken=token) == (
        "ValidationException",
        400,
        "ListKeys",
    )


def test_a_token_of_another_store_is_rejected(backend: EmbeddedBackend) -> None:
    first, second = create_store(backend, "first"), create_store(backend, "second")
    for arn in (first, second):
        write(backend, arn, ["a", "b"])
    token = backend.list_keys(KvsARN=first, MaxResults=1)["NextToken"]
    assert error_with_operation(backend.list_keys, KvsARN=second, NextToken=token)[0] == "ValidationException"
    assert listed(backend, first, NextToken=token) == ["b"]


@pytest.mark.parametrize("change", ["!{}", "{}!", "{}\n", " {}", "no key"])
def test_a_modified_token_is_rejected(backend: EmbeddedBackend, change: str) -> None:
    arn = create_store(backend)
    write(backend, arn, ["a", "b"])
    token = backend.list_keys(KvsARN=arn, MaxResults=1)["NextToken"]
    changed = encoded(f"{arn} ".encode()) if change == "no key" else change.format(token)
    assert error_with_operation(backend.list_keys, KvsARN=arn, NextToken=changed)[0] == "ValidationException"


def test_a_token_does_not_reveal_the_key(backend: EmbeddedBackend) -> None:
    arn = create_store(backend)
    write(backend, arn, ["readable", "z"])
    assert "readable" not in backend.list_keys(KvsARN=arn, MaxResults=1)["NextToken"]
