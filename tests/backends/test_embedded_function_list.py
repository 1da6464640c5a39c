"""Lists of functions and of distributions in the embedded backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backends.embedded_resources import CONFIG
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

Row = tuple[str, str]


@pytest.fixture
def backend() -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, max_functions=1000)) as backend:
        yield backend


def create(backend: EmbeddedBackend, *names: str, publish: bool = False) -> None:
    for name in names:
        etag = backend.create_function(Name=name, FunctionConfig=CONFIG, FunctionCode=b"x")["ETag"]
        if publish:
            backend.publish_function(Name=name, IfMatch=etag)


def delete(backend: EmbeddedBackend, name: str) -> None:
    backend.delete_function(Name=name, IfMatch=backend.describe_function(Name=name)["ETag"])


def rows(page: Mapping[str, Any]) -> list[Row]:
    assert page["Quantity"] == len(page["Items"])
    return [(item["Name"], item["FunctionMetadata"]["Stage"]) for item in page["Items"]]


def listed(backend: EmbeddedBackend, between: Callable[[int], None] = lambda _: None, **arguments: str) -> list[Row]:
    """Returns the items of all pages; calls `between` after each page except the last."""
    items: list[Row] = []
    for number in range(1000):
        page = backend.list_functions(**arguments)["FunctionList"]
        items += rows(page)
        if "NextMarker" not in page:
            return items
        between(number)
        arguments["Marker"] = page["NextMarker"]
    raise AssertionError


def test_an_empty_list_has_one_page(backend: EmbeddedBackend) -> None:
    for arguments in ({}, {"Stage": "LIVE"}, {"Stage": "DEVELOPMENT"}):
        response = backend.list_functions(**arguments)
        assert response["FunctionList"] == {"MaxItems": 100, "Quantity": 0, "Items": []}
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_list_is_filtered_by_stage_and_has_both_stages_by_default(backend: EmbeddedBackend) -> None:
    create(backend, "b", "a", publish=True)
    create(backend, "c")
    assert listed(backend, Stage="DEVELOPMENT") == [(name, "DEVELOPMENT") for name in "abc"]
    assert listed(backend, Stage="LIVE") == [("a", "LIVE"), ("b", "LIVE")]
    assert listed(backend) == sorted(listed(backend, Stage="DEVELOPMENT") + listed(backend, Stage="LIVE"))


def test_a_list_has_the_same_summaries_as_describe(backend: EmbeddedBackend) -> None:
    arn = backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"]
    associations = {"Quantity": 1, "Items": [{"KeyValueStoreARN": arn}]}
    config = {**CONFIG, "Comment": "c", "KeyValueStoreAssociations": associations}
    etag = backend.create_function(Name="f", FunctionConfig=config, FunctionCode=b"x")["ETag"]
    backend.publish_function(Name="f", IfMatch=etag)
    backend.update_function(Name="f", IfMatch=etag, FunctionConfig=CONFIG, FunctionCode=b"y")
    assert backend.list_functions()["FunctionList"]["Items"] == [
        backend.describe_function(Name="f", Stage=stage)["FunctionSummary"] for stage in ("DEVELOPMENT", "LIVE")
    ]


@pytest.mark.parametrize("max_items", ["1", "2", "3", "4", "5", "100"])
@pytest.mark.parametrize("stage", [{}, {"Stage": "DEVELOPMENT"}, {"Stage": "LIVE"}])
def test_pages_contain_every_stage_once(backend: EmbeddedBackend, max_items: str, stage: dict[str, Any]) -> None:
    create(backend, "d", "f-1", publish=True)
    create(backend, "F", "f", "f_")
    assert listed(backend, MaxItems=max_items, **stage) == listed(backend, **stage)


def test_the_last_page_has_no_marker(backend: EmbeddedBackend) -> None:
    create(backend, "f", publish=True)
    assert "NextMarker" not in backend.list_functions(MaxItems="2")["FunctionList"]
    assert "NextMarker" in backend.list_functions(MaxItems="1")["FunctionList"]
    assert "NextMarker" not in backend.list_functions(MaxItems="1", Stage="LIVE")["FunctionList"]


@pytest.mark.parametrize("stage", [{}, {"Stage": "DEVELOPMENT"}, {"Stage": "LIVE"}])
@pytest.mark.parametrize("max_items", ["1", "2", "3"])
def test_changes_between_pages_cause_no_duplicate_or_missing_items(
    backend: EmbeddedBackend, stage: dict[str, Any], max_items: str
) -> None:
    def change(number: int) -> None:
        if number < 5:
            create(backend, f"{number}-new", f"k{number}-new", f"z{number}-new", publish=True)
            delete(backend, f"deleted{number}")
            delete(backend, f"k{number}-deleted")

    kept = [f"k{number}" for number in range(6)]
    deleted = [f"{name}{number}{more}" for name, more in (("deleted", ""), ("k", "-deleted")) for number in range(5)]
    create(backend, *kept, *deleted, publish=True)
    before = listed(backend, **stage)
    items = listed(backend, change, MaxItems=max_items, **stage)
    assert items == sorted(set(items))
    assert set(items) >= {row for row in before if row[0] in kept}
    assert {name for name, _ in items} - {*kept, *deleted}, "items created after the current page are listed"


def test_a_page_has_at_most_100_items(backend: EmbeddedBackend) -> None:
    create(backend, *(f"f{number:03}" for number in range(101)))
    for arguments in ({}, {"MaxItems": "101"}, {"MaxItems": "999999999"}):
        page = backend.list_functions(**arguments)["FunctionList"]
        assert (page["MaxItems"], page["Quantity"]) == (100, 100)
        assert rows(backend.list_functions(Marker=page["NextMarker"])["FunctionList"]) == [("f100", "DEVELOPMENT")]


def test_a_marker_may_be_a_name_without_a_stage(backend: EmbeddedBackend) -> None:
    create(backend, "a", "b", publish=True)
    assert rows(backend.list_functions(Marker="a")["FunctionList"]) == [("b", "DEVELOPMENT"), ("b", "LIVE")]
    assert rows(backend.list_functions(Marker="a", Stage="LIVE")["FunctionList"]) == [("b", "LIVE")]


@pytest.mark.parametrize("operation", ["list_functions", "list_distributions"])
@pytest.mark.parametrize("max_items", ["0", "-1", "", "x", "1.5", " 1", "1\n", "\u0663", "9" * 5000])
def test_a_page_size_that_is_not_positive_is_rejected(backend: EmbeddedBackend, operation: str, max_items: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(backend, operation)(MaxItems=max_items)
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("stage", ["", "live", "BOTH"])
def test_an_unknown_stage_is_rejected(backend: EmbeddedBackend, stage: str) -> None:
    with pytest.raises(ClientError, match=r"\(InvalidArgument\) when calling the ListFunctions"):
        backend.list_functions(Stage=stage)


def test_the_list_of_distributions_is_empty(backend: EmbeddedBackend) -> None:
    response = backend.list_distributions()
    empty = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 0}
    assert response["DistributionList"] == empty
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    page = backend.list_distributions(Marker="m", MaxItems="7")["DistributionList"]
    assert page == {**empty, "Marker": "m", "MaxItems": 7}
