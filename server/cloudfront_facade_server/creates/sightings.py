"""The reads that tell whose a resource of this name is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from ..backends.protocol import Backend, Response
from ..errors.proof import UPSTREAM_ERRORS, aws_code, proven_not_applied
from ..errors.table import UnreadableAnswerError
from ..errors.upstream import is_temporary
from ..lookups.tags import tags_of
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
        return _look(backend, resource, name, tag_value)
    except UPSTREAM_ERRORS as error:
        if aws_code(error) in (resource.missing, "NoSuchResource"):
            return Sighting("absent", final=False)
        return Sighting("unreadable", error=error, final=_is_lasting(error))


def _look(backend: Backend, resource: Resource, name: str, tag_value: str) -> Sighting:
    described = resource.describe(backend, name)
    try:
        member = described[resource.member]
        name, arn, created = member["Name"], resource.arn(member), resource.created(member)
    except KeyError:
        raise UnreadableAnswerError from None
    if not name:
        raise UnreadableAnswerError
    match request_tag.match(tags_of(backend, arn), tag_value):
        case "ours":
            return Sighting("ours", response={resource.member: member, "ETag": described.get("ETag", "")})
        case "none" if _age(described, created) < YOUNG_SECONDS:
            return Sighting("undecided", final=False)
        case "reused":
            return Sighting("reused")
    return Sighting("another's")


def _is_lasting(error: Exception) -> bool:
    """Tells whether the same read would fail again: refused, and not only for now."""
    return proven_not_applied(error) and not is_temporary(error)


def _age(described: Response, created: datetime) -> float:
    """Gives the age in seconds by CloudFront's own clock; by this machine's where CloudFront does not tell the time."""
    date = described.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return (parsedate_to_datetime(date) - created).total_seconds()
    except (TypeError, ValueError):  # no date, or one without a time zone
        return (datetime.now(UTC) - created).total_seconds()
