"""Pages of ListKeys in the embedded backend."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.errors import error_with_operation


@pytest.fixture
def backend() -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend:
        yield backend


def make(backend: EmbeddedBackend, name: str = "s") -> str:
    arn: str = backend.create_key_value_store(Name=name)["KeyValueStore"]["ARN"]
    return arn


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
    """The keys of all pages, `between` which something happens."""
    found: list[str] = []
    for number in range(1000):
        page = backend.list_keys(KvsARN=arn, **arguments)
        assert page["Items"] == [{"Key": item["Key"], "Value": f"value of {item['Key']}"} for item in page["Items"]]
        found += [item["Key"] for item in page["Items"]]
        if "NextToken" not in page:
            return found
        assert len(page["Items"]) == arguments.get("MaxResults", 10)
        between(number)
        arguments["NextToken"] = page["NextToken"]
    raise AssertionError


def test_an_empty_store_has_one_empty_page(backend: EmbeddedBackend) -> None:
    answer = backend.list_keys(KvsARN=make(backend))
    assert answer.keys() == {"Items", "ResponseMetadata"}
    assert answer["Items"] == []


@pytest.mark.parametrize("page_size", [{}, {"MaxResults": 1}, {"MaxResults": 7}, {"MaxResults": 50}])
@pytest.mark.parametrize("count", [1, 10, 11, 50, 51, 120])
def test_pages_hold_every_key_once_and_ten_unless_told(
    backend: EmbeddedBackend, page_size: dict[str, Any], count: int
) -> None:
    arn = make(backend)
    keys = [f"k{number:03}" for number in range(count)]
    write(backend, arn, keys[::-1])
    assert listed(backend, arn, **page_size) == keys


def test_keys_of_every_kind_are_paged(backend: EmbeddedBackend) -> None:
    arn = make(backend)
    keys = ["\0", " ", "a b", "a\nb", "\u00e9", "\u20ac" * 170, "\uffff", "\U0001f600", "x" * 512, "%", "/"]
    write(backend, arn, keys)
    # By code points, which is the order of UTF-8's bytes too.
    assert listed(backend, arn, MaxResults=1) == sorted(keys)


@pytest.mark.parametrize("max_results", [1, 2, 3, 10])
def test_changes_between_pages_repeat_nothing_and_lose_nothing(backend: EmbeddedBackend, max_results: int) -> None:
    def happens(number: int) -> None:
        if number < 10:
            new = [f"{number}-new", f"k{number}-new", f"z{number}-new"]
            # The first is often the key that the page ended with.
            write(backend, arn, new, [f"k{number}-gone", f"l{number}-gone"])

    arn = make(backend)
    stay = [f"k{number}" for number in range(10)]
    gone = [f"{letter}{number}-gone" for letter in "kl" for number in range(10)]
    write(backend, arn, stay + gone)
    found = listed(backend, arn, happens, MaxResults=max_results)
    assert found == sorted(set(found))
    assert set(found) >= set(stay)
    assert set(found) - {*stay, *gone}, "what is put behind the page is seen"


@pytest.mark.parametrize("max_results", [0, -1, 51, 10**9])
def test_a_page_size_that_cloudfront_does_not_have_is_refused(backend: EmbeddedBackend, max_results: int) -> None:
    refused = error_with_operation(backend.list_keys, KvsARN=make(backend), MaxResults=max_results)
    assert refused == ("ValidationException", 400, "ListKeys")


def encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


NO_TOKENS: tuple[Any, ...] = ({}, [], 1, None, "k")


@pytest.mark.parametrize(
    "token",
    ["", "x", "garbage", "\u00e9", "a" * 5000, "====", encoded(b""), encoded(b"\xff\xfe"), encoded(b"k"), "k3"]
    + [encoded(json.dumps(content).encode()) for content in NO_TOKENS],
)
def test_a_token_that_is_none_is_refused(backend: EmbeddedBackend, token: str) -> None:
    arn = make(backend)
    write(backend, arn, ["k"])
    assert error_with_operation(backend.list_keys, KvsARN=arn, NextToken=token) == (
        "ValidationException",
        400,
        "ListKeys",
    )


def test_a_token_of_another_store_is_refused(backend: EmbeddedBackend) -> None:
    one, other = make(backend, "one"), make(backend, "other")
    for arn in (one, other):
        write(backend, arn, ["a", "b"])
    token = backend.list_keys(KvsARN=one, MaxResults=1)["NextToken"]
    assert error_with_operation(backend.list_keys, KvsARN=other, NextToken=token)[0] == "ValidationException"
    assert listed(backend, one, NextToken=token) == ["b"]


@pytest.mark.parametrize("change", ["!{}", "{}!", "{}\n", " {}", "no key"])
def test_a_token_that_was_changed_is_refused(backend: EmbeddedBackend, change: str) -> None:
    arn = make(backend)
    write(backend, arn, ["a", "b"])
    token = backend.list_keys(KvsARN=arn, MaxResults=1)["NextToken"]
    changed = encoded(f"{arn} ".encode()) if change == "no key" else change.format(token)
    assert error_with_operation(backend.list_keys, KvsARN=arn, NextToken=changed)[0] == "ValidationException"


def test_a_token_is_no_key(backend: EmbeddedBackend) -> None:
    arn = make(backend)
    write(backend, arn, ["readable", "z"])
    assert "readable" not in backend.list_keys(KvsARN=arn, MaxResults=1)["NextToken"]
