"""Tags in the embedded backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.errors import error_with_operation


def create_function(backend: EmbeddedBackend, **tags: Any) -> str:
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    response = backend.create_function(Name="same", FunctionConfig=config, FunctionCode=b"x", **tags)
    arn: str = response["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    return arn


def create_store(backend: EmbeddedBackend, **tags: Any) -> str:
    arn: str = backend.create_key_value_store(Name="same", **tags)["KeyValueStore"]["ARN"]
    return arn


Create = Callable[..., str]
both = pytest.mark.parametrize("create", [create_function, create_store])


@both
def test_tags_keep_their_order_and_absent_values_stay_absent(backend: EmbeddedBackend, create: Create) -> None:
    tags = [{"Key": "z"}, {"Key": "a", "Value": ""}, {"Key": "Z", "Value": "v \u00e9"}, {"Key": "m", "Value": "w"}]
    arn = create(backend, Tags={"Items": tags})
    response = backend.list_tags_for_resource(Resource=arn)
    assert response["Tags"] == {"Items": tags}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200


@both
@pytest.mark.parametrize("tags", [{}, {"Tags": {}}, {"Tags": {"Items": []}}])
def test_a_resource_without_tags_has_an_empty_list(
    backend: EmbeddedBackend, create: Create, tags: dict[str, Any]
) -> None:
    arn = create(backend, **tags)
    assert backend.list_tags_for_resource(Resource=arn)["Tags"] == {"Items": []}


def test_tags_belong_to_one_resource(backend: EmbeddedBackend) -> None:
    function = create_function(backend, Tags={"Items": [{"Key": "of", "Value": "function"}]})
    store = create_store(backend, Tags={"Items": [{"Key": "of", "Value": "store"}]})
    assert backend.list_tags_for_resource(Resource=function)["Tags"]["Items"] == [{"Key": "of", "Value": "function"}]
    assert backend.list_tags_for_resource(Resource=store)["Tags"]["Items"] == [{"Key": "of", "Value": "store"}]


@both
def test_fifty_tags_are_allowed(backend: EmbeddedBackend, create: Create) -> None:
    arn = create(backend, Tags={"Items": [{"Key": str(number)} for number in range(50)]})
    assert len(backend.list_tags_for_resource(Resource=arn)["Tags"]["Items"]) == 50


@both
@pytest.mark.parametrize(
    "keys",
    [[str(number) for number in range(51)], ["a", "b", "a"], ["aws:x"], ["fine", "AWS:x"], ["aWs:"]],
    ids=["51", "duplicate", "aws:", "AWS:", "only aWs:"],
)
def test_invalid_tags_are_rejected_and_nothing_is_created(
    backend: EmbeddedBackend, create: Create, keys: list[str]
) -> None:
    with pytest.raises(ClientError) as caught:
        create(backend, Tags={"Items": [{"Key": key, "Value": "v"} for key in keys]})
    assert caught.value.response["Error"]["Code"] == "InvalidTagging"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    create(backend)


def test_keys_that_only_resemble_the_reserved_prefix_are_allowed(backend: EmbeddedBackend) -> None:
    create_store(backend, Tags={"Items": [{"Key": "aws"}, {"Key": "awsome:x"}, {"Key": "x-aws:"}]})


@pytest.mark.parametrize("kind", ["function/f", "key-value-store/00000000-0000-0000-0000-000000000000"])
def test_tags_of_an_unknown_resource_are_not_found(backend: EmbeddedBackend, kind: str) -> None:
    with pytest.raises(ClientError) as caught:
        backend.list_tags_for_resource(Resource=f"arn:aws:cloudfront::000000000000:{kind}")
    assert caught.value.response["Error"]["Code"] == "NoSuchResource"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert caught.value.operation_name == "ListTagsForResource"


def tags_of(backend: EmbeddedBackend, arn: str) -> list[dict[str, str]]:
    items: list[dict[str, str]] = backend.list_tags_for_resource(Resource=arn)["Tags"]["Items"]
    return items


@both
def test_tagging_adds_and_replaces(backend: EmbeddedBackend, create: Create) -> None:
    arn = create(backend, Tags={"Items": [{"Key": "a", "Value": "1"}, {"Key": "b"}, {"Key": "c", "Value": "3"}]})
    new = [{"Key": "d"}, {"Key": "a"}, {"Key": "b", "Value": ""}, {"Key": "C", "Value": "other"}]
    response = backend.tag_resource(Resource=arn, Tags={"Items": new})
    assert response.keys() == {"ResponseMetadata"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags_of(backend, arn) == [
        {"Key": "a"},
        {"Key": "b", "Value": ""},
        {"Key": "c", "Value": "3"},
        {"Key": "d"},
        {"Key": "C", "Value": "other"},
    ]


@both
def test_untagging_removes_only_the_listed_keys(backend: EmbeddedBackend, create: Create) -> None:
    arn = create(backend, Tags={"Items": [{"Key": "a"}, {"Key": "b"}, {"Key": "c"}]})
    response = backend.untag_resource(Resource=arn, TagKeys={"Items": ["c", "A", "absent", "a", "a"]})
    assert response.keys() == {"ResponseMetadata"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags_of(backend, arn) == [{"Key": "b"}]


def test_tagging_changes_one_resource(backend: EmbeddedBackend) -> None:
    tagged = create_function(backend, Tags={"Items": [{"Key": "k"}]})
    other = create_store(backend, Tags={"Items": [{"Key": "k"}]})
    backend.tag_resource(Resource=tagged, Tags={"Items": [{"Key": "k", "Value": "v"}, {"Key": "l"}]})
    backend.untag_resource(Resource=tagged, TagKeys={"Items": ["k"]})
    assert tags_of(backend, tagged) == [{"Key": "l"}]
    assert tags_of(backend, other) == [{"Key": "k"}]


def test_tagging_with_empty_lists_changes_nothing(backend: EmbeddedBackend) -> None:
    arn = create_store(backend, Tags={"Items": [{"Key": "k"}]})
    empty_lists: tuple[dict[str, list[Any]], ...] = ({}, {"Items": []})
    for empty in empty_lists:
        backend.tag_resource(Resource=arn, Tags=empty)
        backend.untag_resource(Resource=arn, TagKeys=empty)
    assert tags_of(backend, arn) == [{"Key": "k"}]


@both
@pytest.mark.parametrize(
    "keys", [["a", "b", "a"], ["aws:x"], ["fine", "AWS:x"], ["aWs:"]], ids=["duplicate", "aws:", "AWS:", "only aWs:"]
)
def test_invalid_tags_are_not_added(backend: EmbeddedBackend, create: Create, keys: list[str]) -> None:
    arn = create(backend, Tags={"Items": [{"Key": "a", "Value": "before"}]})
    tags = {"Items": [{"Key": key, "Value": "v"} for key in keys]}
    assert error_with_operation(backend.tag_resource, Resource=arn, Tags=tags) == ("InvalidTagging", 400, "TagResource")
    assert tags_of(backend, arn) == [{"Key": "a", "Value": "before"}]


@pytest.mark.parametrize("key", ["aws:x", "AWS:x"])
def test_reserved_tags_cannot_be_removed(backend: EmbeddedBackend, key: str) -> None:
    arn = create_store(backend, Tags={"Items": [{"Key": "a"}]})
    error = error_with_operation(backend.untag_resource, Resource=arn, TagKeys={"Items": ["a", key]})
    assert error == ("InvalidTagging", 400, "UntagResource")
    assert tags_of(backend, arn) == [{"Key": "a"}]


@both
def test_a_resource_may_have_at_most_fifty_tags(backend: EmbeddedBackend, create: Create) -> None:
    arn = create(backend, Tags={"Items": [{"Key": f"a{number}"} for number in range(30)]})
    # Five of these already exist.
    backend.tag_resource(Resource=arn, Tags={"Items": [{"Key": f"a{number}"} for number in range(25, 50)]})
    full = tags_of(backend, arn)
    assert len(full) == 50
    one_more = {"Items": [{"Key": "a0", "Value": "new"}, {"Key": "b"}]}
    assert error_with_operation(backend.tag_resource, Resource=arn, Tags=one_more)[:2] == ("InvalidTagging", 400)
    assert tags_of(backend, arn) == full
    backend.tag_resource(Resource=arn, Tags={"Items": [{"Key": "a0", "Value": "new"}]})
    assert tags_of(backend, arn)[0] == {"Key": "a0", "Value": "new"}


@pytest.mark.parametrize("kind", ["function/f", "key-value-store/00000000-0000-0000-0000-000000000000"])
def test_an_unknown_resource_cannot_be_tagged_or_untagged(backend: EmbeddedBackend, kind: str) -> None:
    arn = f"arn:aws:cloudfront::000000000000:{kind}"
    tagged = error_with_operation(backend.tag_resource, Resource=arn, Tags={"Items": [{"Key": "k"}]})
    assert tagged == ("NoSuchResource", 404, "TagResource")
    untagged = error_with_operation(backend.untag_resource, Resource=arn, TagKeys={"Items": ["k"]})
    assert untagged == ("NoSuchResource", 404, "UntagResource")


@both
def test_tags_are_deleted_with_their_resource(backend: EmbeddedBackend, create: Create) -> None:
    arn = create(backend, Tags={"Items": [{"Key": "k"}]})
    if create is create_function:
        backend.delete_function(Name="same", IfMatch=backend.describe_function(Name="same")["ETag"])
    else:
        etag = backend.describe_key_value_store(Name="same")["ETag"]
        backend.delete_key_value_store(Name="same", IfMatch=etag)
    assert error_with_operation(backend.list_tags_for_resource, Resource=arn)[0] == "NoSuchResource"
    assert error_with_operation(backend.tag_resource, Resource=arn, Tags={"Items": []})[0] == "NoSuchResource"
    assert tags_of(backend, create(backend)) == []
