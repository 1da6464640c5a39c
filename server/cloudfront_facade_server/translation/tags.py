"""The messages of TagService."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudfront_facade.v1.tag_service_pb2 import (
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    TagResourceRequest,
    UntagResourceRequest,
)

from .common import tags_from_boto, tags_to_boto


def tag_resource_to_boto(request: TagResourceRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `tag_resource`."""
    return {"Resource": request.resource, **tags_to_boto(request.tags)}


def untag_resource_to_boto(request: UntagResourceRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `untag_resource`."""
    return {"Resource": request.resource, "TagKeys": {"Items": list(request.tag_keys)}}


def list_tags_for_resource_to_boto(request: ListTagsForResourceRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `list_tags_for_resource`."""
    return {"Resource": request.resource}


def list_tags_for_resource_from_boto(response: Mapping[str, Any]) -> ListTagsForResourceResponse:
    """Makes the response of a list."""
    return ListTagsForResourceResponse(tags=tags_from_boto(response))
