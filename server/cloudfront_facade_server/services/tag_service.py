"""The servicer of TagService."""

from __future__ import annotations

from cloudfront_facade.v1.tag_service_pb2 import (
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    TagResourceRequest,
    TagResourceResponse,
    UntagResourceRequest,
    UntagResourceResponse,
)

from ..call_context import CallContext
from ..translation import tags as translation
from ..upstream.tags import Tags
from ..validation.rules import Rules

# ruff: noqa: N802 (rpcs have the names of CloudFront's operations)


class TagService:
    """The rpcs of `cloudfront_facade.v1.TagService`.

    Each method takes its request and the call, and raises ValidationError or StatusError.

    Args:
        rules: The validation rules.
        tags: The operations on tags.
    """

    def __init__(self, rules: Rules, tags: Tags) -> None:
        self._rules = rules
        self._tags = tags

    def TagResource(self, request: TagResourceRequest, call: CallContext) -> TagResourceResponse:
        """Adds tags to a resource."""
        self._rules.tag_resource(request)
        response = self._tags.tag(translation.tag_resource_to_boto(request), call)
        return translation.tag_resource_from_boto(response)

    def UntagResource(self, request: UntagResourceRequest, call: CallContext) -> UntagResourceResponse:
        """Removes tags from a resource."""
        self._rules.untag_resource(request)
        response = self._tags.untag(translation.untag_resource_to_boto(request), call)
        return translation.untag_resource_from_boto(response)

    def ListTagsForResource(
        self, request: ListTagsForResourceRequest, call: CallContext
    ) -> ListTagsForResourceResponse:
        """Lists the tags of a resource."""
        self._rules.list_tags_for_resource(request)
        response = self._tags.list(translation.list_tags_for_resource_to_boto(request), call)
        return translation.list_tags_for_resource_from_boto(response)
