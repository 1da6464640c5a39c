"""The paths of all values in a shape, a message or a mapping, without the artifacts of CloudFront's wire format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_ARTIFACT: Final = ".Quantity"
"""The length of a list, which is redundant."""


def leaves_of_shape(shape: Any, path: str = "") -> Iterator[str]:
    """Yields the paths in a botocore shape; an item of a list has the path of the list."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from leaves_of_shape(member, f"{path}.{name}")
    elif shape.type_name == "list":
        yield from leaves_of_shape(shape.member, path)
    elif not path.endswith(_ARTIFACT):
        yield path[1:]


def leaves_of_message(descriptor: Any, path: str = "") -> Iterator[str]:
    """Yields the paths in a protobuf descriptor; a Timestamp is one value."""
    for field in descriptor.fields:
        below = f"{path}.{field.name}"
        if field.message_type and field.message_type.full_name != "google.protobuf.Timestamp":
            yield from leaves_of_message(field.message_type, below)
        else:
            yield below[1:]


def leaves_of_value(value: Any, path: str = "") -> Iterator[str]:
    """Yields the paths in the arguments or the response of boto3."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves_of_value(member, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from leaves_of_value(item, path)
    elif not path.endswith(_ARTIFACT):
        yield path[1:]
