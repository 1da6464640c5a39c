"""What the algorithm must know of a function and of a store."""

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
        kind: the word for it in messages.
        member: the member of the responses that describes it.
        exists: the AWS code that says that the name is taken.
        missing: the AWS code that says that there is none of this name.
        create: calls the create of a backend.
        describe: calls the describe of a backend, by name.
        arn: reads the ARN out of `member`.
        created: reads out of `member` when it was created; where CloudFront does not say, when it was changed last.
    """

    kind: str
    member: str
    exists: str
    missing: str
    create: Callable[[Backend, Mapping[str, Any]], Response]
    describe: Callable[[Backend, str], Response]
    arn: Callable[[Mapping[str, Any]], str]
    created: Callable[[Mapping[str, Any]], datetime]


def _created(metadata: Mapping[str, Any]) -> datetime:
    """CloudFront need not say when a function was created, but always when it was changed last."""
    created: datetime = metadata.get("CreatedTime") or metadata["LastModifiedTime"]
    return created


FUNCTION: Final = ResourceKind(
    kind="function",
    member="FunctionSummary",
    exists="FunctionAlreadyExists",
    missing="NoSuchFunctionExists",
    create=lambda backend, arguments: backend.create_function(**arguments),
    describe=lambda backend, name: backend.describe_function(Name=name, Stage="DEVELOPMENT"),
    arn=lambda summary: str(summary["FunctionMetadata"]["FunctionARN"]),
    created=lambda summary: _created(summary["FunctionMetadata"]),
)

KEY_VALUE_STORE: Final = ResourceKind(
    kind="key value store",
    member="KeyValueStore",
    exists="EntityAlreadyExists",
    missing="EntityNotFound",
    create=lambda backend, arguments: backend.create_key_value_store(**arguments),
    describe=lambda backend, name: backend.describe_key_value_store(Name=name),
    arn=lambda store: str(store["ARN"]),
    created=lambda store: store["LastModifiedTime"],
)
