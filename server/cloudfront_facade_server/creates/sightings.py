"""The reads that tell whose a resource of this name is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from ..backends.protocol import Backend, Response
from ..errors.table import UnreadableAnswerError
from ..errors.upstream import UPSTREAM_ERRORS, aws_code, is_temporary, proven_not_applied
from . import request_tag
from .resources import Resource

YOUNG_SECONDS: Final = 60.0
"""For how long after a create its tags may not show in ListTagsForResource."""

Verdict = Literal["ours", "reused", "another's", "absent", "undecided", "unreadable"]


@dataclass(frozen=True)
class Sighting:
    """What was seen of a resource.

    Attributes:
        verdict: `ours`, `reused` and `another's` as in request_tag; `absent` where there is none of this name (or it
            does not show yet); `undecided` where it is young and shows no tags yet; `unreadable` where a read failed.
        response: the resource in the form of a create's response, where it is ours.
        error: what the read raised, where it is unreadable.
        final: whether looking again cannot change the verdict.
    """

    verdict: Verdict
    response: Response | None = None
    error: Exception | None = None
    final: bool = True


def look(backend: Backend, resource: Resource, name: str, tag_value: str) -> Sighting:
    """Reads the resource of this name and its tags, and tells whose it is. An empty `tag_value` is nobody's."""
    try:
        described = resource.describe(backend, name)
        member = described.get(resource.member)
        if not member or not member.get("Name"):
            raise UnreadableAnswerError
        tags = backend.list_tags_for_resource(Resource=resource.arn(member)).get("Tags", {}).get("Items", ())
    except UPSTREAM_ERRORS as error:
        if aws_code(error) in (resource.missing, "NoSuchResource"):
            return Sighting("absent", final=False)
        return Sighting("unreadable", error=error, final=_is_lasting(error))
    match request_tag.match(tags, tag_value):
        case "ours":
            return Sighting("ours", response={resource.member: member, "ETag": described.get("ETag", "")})
        case "none" if _age(described, resource, member) < YOUNG_SECONDS:
            return Sighting("undecided", final=False)
        case "reused":
            return Sighting("reused")
    return Sighting("another's")


def _is_lasting(error: Exception) -> bool:
    """Tells whether the same read would fail again: refused, and not only for now."""
    return proven_not_applied(error) and not is_temporary(error)


def _age(described: Response, resource: Resource, member: Mapping[str, Any]) -> float:
    """Gives the resource's age in seconds by CloudFront's own clock."""
    date = described.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    now = parsedate_to_datetime(date) if date else datetime.now(UTC)
    return (now - resource.created(member)).total_seconds()
