"""What a change is about, read from the boto3 arguments that are sent: names, ARNs, tags, keys and the code's hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal

ResourceType = Literal["function", "key-value-store", "s3-object"]

_STREAMED: Final = frozenset({"ImportKeys"})
"""Rpcs that send more than one request. The keys of the first one would be mistaken for all keys."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a call.

    Attributes:
        type: Its type.
        name: Its name, or empty.
        arn: Its ARN, or empty.
        tags: The tags that the call sets, forced ones and the request tag included; None is a tag without a value.
    """

    type: ResourceType
    name: str = ""
    arn: str = ""
    tags: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a call is about. It never has code or values.

    Attributes:
        resources: The resource of the call, then the ones that it refers to: associated stores, the import source.
        code_sha256: The hash of the function's code, in hexadecimal; empty if the call has no code.
        code_bytes: The size of the code.
        removed_tags: The keys of the tags that the call removes.
        keys: The keys of the store that the call changes; empty for ImportKeys.
    """

    resources: Sequence[Resource] = ()
    code_sha256: str = ""
    code_bytes: int = 0
    removed_tags: Sequence[str] = ()
    keys: Sequence[str] = ()


def facts_of(operation: str, arguments: Mapping[str, Any]) -> Facts:
    """Returns what a call is about.

    Args:
        operation: The name of the rpc, for example `CreateFunction`.
        arguments: The boto3 arguments of its first request that changes something.
    """
    code = arguments.get("FunctionCode")
    return Facts(
        resources=(_resource(operation, arguments), *_referred(arguments)),
        code_sha256="" if code is None else sha256(code).hexdigest(),
        code_bytes=0 if code is None else len(code),
        removed_tags=tuple(arguments.get("TagKeys", {}).get("Items", ())),
        keys=() if operation in _STREAMED else _keys(arguments),
    )


def resource_of_arn(arn: str, tags: Mapping[str, str | None] | None = None) -> Resource:
    """Returns the resource of an ARN. A function's ARN has its name."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind == "function":
        return Resource("function", name, arn, tags or {})
    return Resource("key-value-store", "", arn, tags or {})


def _resource(operation: str, arguments: Mapping[str, Any]) -> Resource:
    tags = {tag["Key"]: tag.get("Value") for tag in arguments.get("Tags", {}).get("Items", ())}
    if arn := arguments.get("Resource") or arguments.get("KvsARN"):
        return resource_of_arn(arn, tags)
    kind: ResourceType = "key-value-store" if "KeyValueStore" in operation else "function"
    return Resource(kind, arguments.get("Name", ""), "", tags)


def _referred(arguments: Mapping[str, Any]) -> tuple[Resource, ...]:
    associations = arguments.get("FunctionConfig", {}).get("KeyValueStoreAssociations", {}).get("Items", ())
    stores = tuple(resource_of_arn(each["KeyValueStoreARN"]) for each in associations)
    source = arguments.get("ImportSource")
    return (*stores, Resource("s3-object", "", source["SourceARN"])) if source else stores


def _keys(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    changes = (*arguments.get("Puts", ()), *arguments.get("Deletes", ()))
    return tuple(change["Key"] for change in changes) or ((arguments["Key"],) if "Key" in arguments else ())
