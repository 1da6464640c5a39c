"""Cases of TagService."""

from __future__ import annotations

from functools import partial
from typing import Final

import grpc

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import (
    ListTagsForResourceRequest,
    TagResourceRequest,
    UntagResourceRequest,
)

from .expectations import check_equal, check_fails
from .facade import Facade
from .registry import CaseRegistry

case: Final = CaseRegistry("tags")


def tags_of(facade: Facade, arn: str) -> dict[str, str | None]:
    """Returns the tags of a resource; the value of a tag without one is None."""
    tags = facade.tags.ListTagsForResource(ListTagsForResourceRequest(resource=arn)).tags
    return {tag.key: tag.value if tag.HasField("value") else None for tag in tags}


@case("functions")
def life(facade: Facade) -> None:
    """Should add, replace and remove tags of a function."""
    created = facade.create_function(tags=(Tag(key="team", value="edge"),), request_id="")
    arn = created.function_summary.function_metadata.function_arn
    facade.tags.TagResource(
        TagResourceRequest(resource=arn, tags=[Tag(key="team", value="web"), Tag(key="cost", value="")])
    )
    check_equal(tags_of(facade, arn), {"team": "web", "cost": ""}, "the tags after TagResource")
    facade.tags.UntagResource(UntagResourceRequest(resource=arn, tag_keys=["team", "missing"]))
    check_equal(tags_of(facade, arn), {"cost": ""}, "the tags after UntagResource")


@case("stores")
def of_stores(facade: Facade) -> None:
    """Should add and list tags of a store."""
    arn = facade.create_store(request_id="").key_value_store.arn
    facade.tags.TagResource(TagResourceRequest(resource=arn, tags=[Tag(key="team")]))
    check_equal(tags_of(facade, arn).keys(), {"team"}, "the keys")


@case("functions")
def reserved(facade: Facade) -> None:
    """Should reject tag keys that are reserved for AWS or for the service."""
    arn = facade.create_function().function_summary.function_metadata.function_arn
    for key in ("aws:x", "AWS:x", "cloudfront-facade:request"):
        tag = TagResourceRequest(resource=arn, tags=[Tag(key=key, value="x")])
        check_fails(partial(facade.tags.TagResource, tag), grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
        untag = UntagResourceRequest(resource=arn, tag_keys=[key])
        check_fails(
            partial(facade.tags.UntagResource, untag),
            grpc.StatusCode.INVALID_ARGUMENT,
            "VALIDATION_FAILED",
        )


@case("functions")
def too_many(facade: Facade) -> None:
    """Should reject more tags than a resource may have, including existing tags."""
    existing = tuple(Tag(key=f"existing-{number}") for number in range(40))
    created = facade.create_function(tags=existing, request_id="")
    arn = created.function_summary.function_metadata.function_arn
    request = TagResourceRequest(resource=arn, tags=[Tag(key=f"new-{number}") for number in range(11)])
    details = check_fails(
        lambda: facade.tags.TagResource(request), grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED"
    )
    check_equal([violation.field for violation in details["BadRequest"].field_violations], ["tags"], "the fields")
    check_equal(len(tags_of(facade, arn)), 40, "the number of tags")


@case("functions")
def missing(facade: Facade) -> None:
    """Should report that a resource does not exist."""
    existing = facade.create_function().function_summary
    arn = f"{existing.function_metadata.function_arn.removesuffix(existing.name)}{facade.name()}"
    request = ListTagsForResourceRequest(resource=arn)
    check_fails(lambda: facade.tags.ListTagsForResource(request), grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
