"""The reads that tell whose a resource of this name is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from ..backends.protocol import Backend, Response
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, aws_code, proven_not_applied
from ..errors.translate import is_temporary
from . import request_tag
from .diagnostics.tags import list_tags
from .resource_kinds import ResourceKind

TAG_PROPAGATION_SECONDS: Final = 60.0
"""For how long after a create its tags may not show in ListTagsForResource."""

Verdict = Literal["ours", "reused", "another's", "absent", "undecided", "unreadable"]


@dataclass(frozen=True)
class Observation:
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


def observe(backend: Backend, resource: ResourceKind, name: str, tag_value: str) -> Observation:
    """Reads the resource of this name and its tags, and tells whose it is. An empty `tag_value` is nobody's."""
    try:
        return _look(backend, resource, name, tag_value)
    except UPSTREAM_ERRORS as error:
        if aws_code(error) in (resource.missing, "NoSuchResource"):
            return Observation("absent", final=False)
        return Observation("unreadable", error=error, final=_is_lasting(error))


def _look(backend: Backend, resource: ResourceKind, name: str, tag_value: str) -> Observation:
    described = resource.describe(backend, name)
    try:
        member = described[resource.member]
        name, arn, created = member["Name"], resource.arn(member), resource.created(member)
    except KeyError:
        raise MalformedResponseError from None
    if not name:
        raise MalformedResponseError
    match request_tag.classify_owner(list_tags(backend, arn), tag_value):
        case "ours":
            return Observation("ours", response={resource.member: member, "ETag": described.get("ETag", "")})
        case "none" if _age(described, created) < TAG_PROPAGATION_SECONDS:
            return Observation("undecided", final=False)
        case "reused":
            return Observation("reused")
    return Observation("another's")


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
