"""The lists of the control plane and their pages on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from cloudfront_facade_server.backends.protocol import Backend, Response
from contract.backends import Backends, function
from support.errors import error_of

NAMES = {"a", "a-b", "a_b", "B", "b", "c0", "c"}


def pages(call: Callable[..., Response], member: str, size: int, **arguments: Any) -> Iterator[Mapping[str, Any]]:
    """Yields the pages of a list; fails if the list does not end."""
    marker: dict[str, str] = {}
    for _ in range(50):
        listed = call(**arguments, **marker, MaxItems=str(size))[member]
        assert listed["Quantity"] == len(listed.get("Items", [])) <= size == listed["MaxItems"]
        yield listed
        if not listed.get("NextMarker"):
            return
        marker = {"Marker": listed["NextMarker"]}
    raise AssertionError("the list does not end")


def rows(call: Callable[..., Response], member: str, size: int, **arguments: Any) -> list[Mapping[str, Any]]:
    return [row for page in pages(call, member, size, **arguments) for row in page.get("Items", [])]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_each_function_of_a_stage_is_listed_once_on_pages_of_any_size(backend: Backend, size: int) -> None:
    etags = {name: backend.create_function(**function(name))["ETag"] for name in NAMES}
    for name in ("a", "b"):
        backend.publish_function(Name=name, IfMatch=etags[name])

    development = rows(backend.list_functions, "FunctionList", size, Stage="DEVELOPMENT")
    live = rows(backend.list_functions, "FunctionList", size, Stage="LIVE")

    assert sorted(row["Name"] for row in development) == sorted(NAMES)
    assert sorted(row["Name"] for row in live) == ["a", "b"]
    assert {row["FunctionMetadata"]["Stage"] for row in development} == {"DEVELOPMENT"}
    stages: Any = {"DEVELOPMENT": development, "LIVE": live}
    for stage, listed in stages.items():
        assert listed[0] == backend.describe_function(Name=listed[0]["Name"], Stage=stage)["FunctionSummary"]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_both_stages_are_listed_by_default(backend: Backend, size: int) -> None:
    etag = backend.create_function(**function("a"))["ETag"]
    backend.create_function(**function("b"))
    backend.publish_function(Name="a", IfMatch=etag)

    listed = rows(backend.list_functions, "FunctionList", size)

    assert sorted((row["Name"], row["FunctionMetadata"]["Stage"]) for row in listed) == [
        ("a", "DEVELOPMENT"),
        ("a", "LIVE"),
        ("b", "DEVELOPMENT"),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_each_store_is_listed_once_on_pages_of_any_size(backend: Backend, size: int) -> None:
    for name in NAMES:
        backend.create_key_value_store(Name=name, Comment=name)

    listed = rows(backend.list_key_value_stores, "KeyValueStoreList", size)

    assert sorted(row["Name"] for row in listed) == sorted(NAMES)
    assert listed[0] == backend.describe_key_value_store(Name=listed[0]["Name"])["KeyValueStore"]


def test_stores_are_filtered_by_status(backends: Backends) -> None:
    ready, slow = backends(), backends(provisioning_seconds=3600)
    for backend, status, other in ((ready, "READY", "PROVISIONING"), (slow, "PROVISIONING", "READY")):
        backend.create_key_value_store(Name="s")
        (row,) = rows(backend.list_key_value_stores, "KeyValueStoreList", 10, Status=status)
        assert (row["Name"], row["Status"]) == ("s", status)
        assert rows(backend.list_key_value_stores, "KeyValueStoreList", 10, Status=other) == []


def test_changes_between_pages_cause_no_duplicates(backend: Backend) -> None:
    etags = {name: backend.create_function(**function(name))["ETag"] for name in ("b", "d", "f")}
    walk = pages(backend.list_functions, "FunctionList", 1, Stage="DEVELOPMENT")

    seen = [next(walk)["Items"][0]["Name"]]
    backend.delete_function(Name=seen[0], IfMatch=etags[seen[0]])
    backend.create_function(**function("z"))
    seen += [row["Name"] for page in walk for row in page["Items"]]

    assert len(seen) == len(set(seen))
    assert {"b", "d", "f"} <= set(seen)


@pytest.mark.parametrize("max_items", ["0", "-1", "1.5", "many", ""])
def test_a_page_size_that_is_not_a_positive_number_fails(backend: Backend, max_items: str) -> None:
    for call in (backend.list_functions, backend.list_key_value_stores, backend.list_distributions):
        assert error_of(call, MaxItems=max_items) == ("InvalidArgument", 400)
