"""Tags in the embedded backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.embedded import EmbeddedBackend


@pytest.fixture
def backend() -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend:
        yield backend


def create_function(backend: EmbeddedBackend, **tags: Any) -> str:
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    answer = backend.create_function(Name="same", FunctionConfig=config, FunctionCode=b"x", **tags)
    arn: str = answer["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    return arn


def create_store(backend: EmbeddedBackend, **tags: Any) -> str:
    arn: str = backend.create_key_value_store(Name="same", **tags)["KeyValueStore"]["ARN"]
    return arn


Create = Callable[..., str]
both = pytest.mark.parametrize("create", [create_function, create_store])


@both
def test_tags_come_back_in_order_with_absent_and_empty_values_apart(backend: EmbeddedBackend, create: Create) -> None:
    tags = [{"Key": "z"}, {"Key": "a", "Value": ""}, {"Key": "Z", "Value": "v \u00e9"}, {"Key": "m", "Value": "w"}]
    arn = create(backend, Tags={"Items": tags})
    answer = backend.list_tags_for_resource(Resource=arn)
    assert answer["Tags"] == {"Items": tags}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


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
    ids=["51", "duplicate", "aws:", "AWS:", "nothing after aws:"],
)
def test_bad_tags_are_refused_and_nothing_is_created(backend: EmbeddedBackend, create: Create, keys: list[str]) -> None:
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
