"""Whose resource holds a name: the reads that settle a create."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum, auto
from typing import Final

from ..backends.protocol import Response
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, classify
from ..errors.translate import is_temporary
from . import request_tag
from .client import UpstreamClient
from .resource_kinds import ResourceKind
from .settling import Reading

TAG_PROPAGATION_SECONDS: Final = 60.0
"""How long after a create its tags may not be visible in ListTagsForResource."""


class Ownership(StrEnum):
    """Whose resource holds a name."""

    OURS = auto()
    """This create's: the tag has the same request_id and the same content."""
    REQUEST_ID_REUSED = auto()
    """An earlier create's with the same request_id and different content."""
    FOREIGN = auto()
    """Somebody else's: it has tags, but not this request_id's."""
    ABSENT = auto()
    """Nobody's: the name is free, or the resource is not visible yet."""
    UNDECIDED = auto()
    """Not known yet: it has no tags, but is so new that they may not be visible yet."""
    UNREADABLE = auto()
    """A read failed."""


@dataclass(frozen=True)
class Observation(Reading):
    """The result of the reads.

    Attributes:
        ownership: Whose resource it is.
        response: The resource, in the form of a create's response, if it is ours.
    """

    ownership: Ownership
    response: Response | None = None


def observe(client: UpstreamClient, kind: ResourceKind, name: str, tag_value: str) -> Observation:
    """Reads the resource of this name and its tags. If `tag_value` is empty, no resource is ours."""
    try:
        return _read(client, kind, name, tag_value)
    except UPSTREAM_ERRORS as error:
        failure = classify(error)
        if failure.aws_code in (kind.not_found_code, "NoSuchResource"):
            return Observation(Ownership.ABSENT, is_final=False)
        return Observation(Ownership.UNREADABLE, failure=failure, is_final=_is_permanent(failure))


def classify_owner(tags: Sequence[Mapping[str, str]], tag_value: str) -> Ownership:
    """Returns the owner of a resource with these tags; UNDECIDED if none are visible, perhaps only not yet."""
    found = next((tag.get("Value", "") for tag in tags if tag.get("Key") == request_tag.KEY), None)
    if found is None:
        return Ownership.FOREIGN if tags else Ownership.UNDECIDED
    if found == tag_value:
        return Ownership.OURS
    is_same_request = found.split("/")[0] == tag_value.split("/")[0]
    return Ownership.REQUEST_ID_REUSED if is_same_request else Ownership.FOREIGN


def _read(client: UpstreamClient, kind: ResourceKind, name: str, tag_value: str) -> Observation:
    described = kind.describe(client.backend, name)
    kind.name.check(described)
    member = described[kind.member]
    try:
        arn, created = kind.arn(member), kind.created(member)
    except KeyError:
        raise MalformedResponseError from None
    match classify_owner(client.list_tags(arn), tag_value):
        case Ownership.OURS:
            return Observation(Ownership.OURS, {kind.member: member, "ETag": described.get("ETag", "")})
        case Ownership.UNDECIDED if _age(described, created) < TAG_PROPAGATION_SECONDS:
            return Observation(Ownership.UNDECIDED, is_final=False)
        case Ownership.REQUEST_ID_REUSED:
            return Observation(Ownership.REQUEST_ID_REUSED)
    return Observation(Ownership.FOREIGN)


def _is_permanent(failure: UpstreamFailure) -> bool:
    """Returns whether the same read would fail again."""
    return failure.outcome == "not_applied" and not is_temporary(failure)


def _age(described: Response, created: datetime) -> float:
    """Returns the age in seconds by CloudFront's clock, or by this machine's if the response has no date."""
    date = described.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return (parsedate_to_datetime(date) - created).total_seconds()
    except (TypeError, ValueError):  # no date, or one without a time zone
        return (datetime.now(UTC) - created).total_seconds()
