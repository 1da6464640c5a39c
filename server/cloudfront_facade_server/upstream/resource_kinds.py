"""Functions and key value stores: what their operations have in common and what differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from ..backends.protocol import Arguments, Backend, Response
from ..errors import etag_sources
from ..errors.classify import UpstreamFailure
from ..errors.operation_target import OperationTarget
from .required_member import RequiredMember


@dataclass(frozen=True)
class ResourceKind:
    """A kind of resource.

    Attributes:
        kind: The word for it in messages.
        member: The member of responses that describes the resource.
        exists_code: The AWS code for a name that is taken.
        not_found_code: The AWS code for a name that does not exist.
        etag_source: The rpc that returns the etag that a change requires.
        create: Returns the create operation of a backend.
        describe: Describes a resource, by name.
        arn: Returns the ARN from `member`.
        created: Returns the creation time from `member`, or the time of the last change.
    """

    kind: str
    member: str
    exists_code: str
    not_found_code: str
    etag_source: str
    create: Callable[[Backend], Callable[..., Response]]
    describe: Callable[[Backend, str], Response]
    arn: Callable[[Mapping[str, Any]], str]
    created: Callable[[Mapping[str, Any]], datetime]

    @property
    def name(self) -> RequiredMember:
        """The name of the resource, in a response that describes it."""
        return RequiredMember((self.member, "Name"), can_be_empty=False)

    def may_exist(self, failure: UpstreamFailure) -> bool:
        """Returns whether a rejected create means that the name is taken, or is a conflict without a readable code."""
        is_unreadable = not failure.aws_code and failure.http_status == HTTPStatus.CONFLICT
        return failure.aws_code == self.exists_code or is_unreadable

    def target(self, arguments: Arguments) -> OperationTarget:
        """Returns the target of an operation on the resource that `Name` names, or on a list if there is no `Name`."""
        return OperationTarget(self.kind, arguments.get("Name", ""), arguments, self.etag_source)


def _created(metadata: Mapping[str, Any]) -> datetime:
    """Returns CreatedTime, which is optional, or else LastModifiedTime, which every function has."""
    created: datetime = metadata.get("CreatedTime") or metadata["LastModifiedTime"]
    return created


FUNCTION: Final = ResourceKind(
    kind="function",
    member="FunctionSummary",
    exists_code="FunctionAlreadyExists",
    not_found_code="NoSuchFunctionExists",
    etag_source=etag_sources.DEVELOPMENT_STAGE,
    create=lambda backend: backend.create_function,
    describe=lambda backend, name: backend.describe_function(Name=name, Stage="DEVELOPMENT"),
    arn=lambda summary: str(summary["FunctionMetadata"]["FunctionARN"]),
    created=lambda summary: _created(summary["FunctionMetadata"]),
)

KEY_VALUE_STORE: Final = ResourceKind(
    kind="key value store",
    member="KeyValueStore",
    exists_code="EntityAlreadyExists",
    not_found_code="EntityNotFound",
    etag_source=etag_sources.KEY_VALUE_STORE,
    create=lambda backend: backend.create_key_value_store,
    describe=lambda backend, name: backend.describe_key_value_store(Name=name),
    arn=lambda store: str(store["ARN"]),
    created=lambda store: store["LastModifiedTime"],
)
