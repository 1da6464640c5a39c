"""What creates must know of a function and of a key value store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..backends.protocol import Backend, Response


@dataclass(frozen=True)
class ResourceKind:
    """A kind of resource that can be created.

    Attributes:
        kind: The word for it in messages.
        member: The member of the responses that describes it.
        exists_code: The AWS code for a name that is taken.
        not_found_code: The AWS code for a name that does not exist.
        create: Returns the create operation of a backend.
        describe: Describes a resource, by name.
        arn: Returns the ARN from `member`.
        created: Returns from `member` when it was created, or last changed if CloudFront does not say.
    """

    kind: str
    member: str
    exists_code: str
    not_found_code: str
    create: Callable[[Backend], Callable[..., Response]]
    describe: Callable[[Backend, str], Response]
    arn: Callable[[Mapping[str, Any]], str]
    created: Callable[[Mapping[str, Any]], datetime]


def _created(metadata: Mapping[str, Any]) -> datetime:
    """Returns CreatedTime, which a function need not have, or LastModifiedTime, which it always has."""
    created: datetime = metadata.get("CreatedTime") or metadata["LastModifiedTime"]
    return created


FUNCTION: Final = ResourceKind(
    kind="function",
    member="FunctionSummary",
    exists_code="FunctionAlreadyExists",
    not_found_code="NoSuchFunctionExists",
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
    create=lambda backend: backend.create_key_value_store,
    describe=lambda backend, name: backend.describe_key_value_store(Name=name),
    arn=lambda store: str(store["ARN"]),
    created=lambda store: store["LastModifiedTime"],
)
