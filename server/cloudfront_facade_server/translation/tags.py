"""Tags: the messages of TagService, and the tags of a create."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import (
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    TagResourceRequest,
    TagResourceResponse,
    UntagResourceRequest,
    UntagResourceResponse,
)

if TYPE_CHECKING:
    from types_boto3_cloudfront import type_defs as boto


def tags_to_boto(tags: Iterable[Tag]) -> boto.TagsTypeDef:
    """Returns `{"Items": [...]}`. An item has `Value` only if the tag has a value, which can be empty."""
    return {
        "Items": [{"Key": tag.key, "Value": tag.value} if tag.HasField("value") else {"Key": tag.key} for tag in tags]
    }


def tags_from_boto(tags: boto.TagsOutputTypeDef) -> list[Tag]:
    """Returns the tags of `{"Items": [...]}`. A tag has a value only if its item has `Value`."""
    return [Tag(key=item["Key"], value=item.get("Value")) for item in tags.get("Items", ())]


def tag_resource_to_boto(request: TagResourceRequest) -> boto.TagResourceRequestTypeDef:
    """Returns the arguments of boto3's `tag_resource`."""
    return {"Resource": request.resource, "Tags": tags_to_boto(request.tags)}


def tag_resource_from_boto(_response: boto.EmptyResponseMetadataTypeDef) -> TagResourceResponse:
    """Returns the response, which is empty."""
    return TagResourceResponse()


def untag_resource_to_boto(request: UntagResourceRequest) -> boto.UntagResourceRequestTypeDef:
    """Returns the arguments of boto3's `untag_resource`."""
    return {"Resource": request.resource, "TagKeys": {"Items": list(request.tag_keys)}}


def untag_resource_from_boto(_response: boto.EmptyResponseMetadataTypeDef) -> UntagResourceResponse:
    """Returns the response, which is empty."""
    return UntagResourceResponse()


def list_tags_for_resource_to_boto(
    request: ListTagsForResourceRequest,
) -> boto.ListTagsForResourceRequestTypeDef:
    """Returns the arguments of boto3's `list_tags_for_resource`."""
    return {"Resource": request.resource}


def list_tags_for_resource_from_boto(response: boto.ListTagsForResourceResultTypeDef) -> ListTagsForResourceResponse:
    """Returns the response with the tags."""
    tags = response.get("Tags")
    return ListTagsForResourceResponse(tags=tags_from_boto(tags) if tags else ())
