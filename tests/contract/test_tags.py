"""The tags of functions and stores on every backend."""

from __future__ import annotations

from typing import Any

import pytest

from cloudfront_facade_server.backends.protocol import Backend
from contract.backends import change, function, status
from support.errors import error_of

SHAPES: Any = [{"Key": "team", "Value": "edge"}, {"Key": "empty", "Value": ""}, {"Key": "absent"}]
INVALID = ("InvalidTagging", 400)


@pytest.fixture(params=["function", "store"])
def arn(request: pytest.FixtureRequest, backend: Backend) -> str:
    """The ARN of a function or a store with three tags."""
    if request.param == "store":
        store: str = backend.create_key_value_store(Name="r", Tags={"Items": SHAPES})["KeyValueStore"]["ARN"]
        return store
    created = backend.create_function(**function("r", Tags={"Items": SHAPES}))
    return created["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def tags(backend: Backend, arn: str) -> list[dict[str, str]]:
    items: Any = backend.list_tags_for_resource(Resource=arn)["Tags"]["Items"]
    return sorted(items, key=lambda tag: tag["Key"])


def by_key(*items: dict[str, str]) -> list[dict[str, str]]:
    return sorted(items, key=lambda tag: tag["Key"])


def test_tags_are_returned_as_they_were_created(backend: Backend, arn: str) -> None:
    assert tags(backend, arn) == by_key(*SHAPES)


def test_a_resource_without_tags_has_an_empty_list(backend: Backend) -> None:
    arn = backend.create_function(**function())["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    assert tags(backend, arn) == []


def test_tags_are_added_and_changed(backend: Backend, arn: str) -> None:
    new: Any = [
        {"Key": "team", "Value": "core"},
        {"Key": "new", "Value": "a=b+c/d"},
        {"Key": "Team", "Value": "other"},
    ]

    response = backend.tag_resource(Resource=arn, Tags={"Items": new})

    assert (status(response), list(response)) == (204, ["ResponseMetadata"])
    assert tags(backend, arn) == by_key(*SHAPES[1:], *new)


def test_tags_are_removed_by_their_keys(backend: Backend, arn: str) -> None:
    response = backend.untag_resource(Resource=arn, TagKeys={"Items": ["team", "absent", "missing", "EMPTY"]})

    assert (status(response), list(response)) == (204, ["ResponseMetadata"])
    assert tags(backend, arn) == [{"Key": "empty", "Value": ""}]


def test_invalid_tags_change_nothing(backend: Backend, arn: str) -> None:
    full: Any = [{"Key": f"k{n}"} for n in range(48)]
    for items in (full, [{"Key": "x"}, {"Key": "x", "Value": "2"}], [{"Key": "x"}, {"Key": "aWs:x", "Value": "2"}]):
        assert error_of(backend.tag_resource, Resource=arn, Tags={"Items": items}) == INVALID
        assert error_of(backend.create_function, **function("g", Tags={"Items": items + SHAPES})) == INVALID
    assert tags(backend, arn) == by_key(*SHAPES)
    backend.tag_resource(Resource=arn, Tags={"Items": full[:47]})
    backend.tag_resource(Resource=arn, Tags={"Items": SHAPES})
    assert len(tags(backend, arn)) == 50


def test_the_tags_of_a_missing_resource_are_not_found(backend: Backend, arn: str) -> None:
    missing = ("NoSuchResource", 404)
    other = arn[:-1] + ("0" if arn[-1] != "0" else "1")
    assert error_of(backend.list_tags_for_resource, Resource=other) == missing
    assert error_of(backend.tag_resource, Resource=other, Tags={"Items": SHAPES}) == missing
    assert error_of(backend.untag_resource, Resource=other, TagKeys={"Items": ["team"]}) == missing


def test_tags_belong_to_the_function_and_not_to_a_stage(backend: Backend) -> None:
    created = backend.create_function(**function(Tags={"Items": SHAPES}))
    arn = created["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    backend.publish_function(Name="f", IfMatch=created["ETag"])
    etag = backend.update_function(**change("f", created["ETag"]))["ETag"]

    assert tags(backend, arn) == by_key(*SHAPES)
    backend.delete_function(Name="f", IfMatch=etag)
    assert error_of(backend.list_tags_for_resource, Resource=arn) == ("NoSuchResource", 404)
    backend.create_function(**function())
    assert tags(backend, arn) == [], "a new function must not have the tags of a deleted one"
