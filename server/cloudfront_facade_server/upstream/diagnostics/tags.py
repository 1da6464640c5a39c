"""The tags of a resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...backends.protocol import Backend, Response
from ...errors.aws_codes import MalformedResponseError


def list_tags(reader: Backend, arn: str) -> Sequence[Mapping[str, str]]:
    """Reads the tags of the resource with this ARN: `Key` each, and `Value` where there is one.

    Raises:
        UnreadableAnswerError: the answer has no list of tags; CloudFront's has one, if an empty one.
    """
    response: Response = reader.list_tags_for_resource(Resource=arn)
    tags: Sequence[Mapping[str, str]] | None = response.get("Tags", {}).get("Items")
    if tags is None:
        raise MalformedResponseError
    return tags
