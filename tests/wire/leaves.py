"""The paths of all values that a shape, a message or a mapping is made of, without CloudFront's wire artefacts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_ARTEFACT: Final = ".Quantity"
"""Says how long a list is, which the list itself says."""


def leaves_of_shape(shape: Any, path: str = "") -> Iterator[str]:
    """Walks a shape of botocore's; an item of a list has the list's path."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from leaves_of_shape(member, f"{path}.{name}")
    elif shape.type_name == "list":
        yield from leaves_of_shape(shape.member, path)
    elif not path.endswith(_ARTEFACT):
        yield path[1:]


def leaves_of_message(descriptor: Any, path: str = "") -> Iterator[str]:
    """Walks a descriptor of protobuf's; a Timestamp is one value."""
    for field in descriptor.fields:
        below = f"{path}.{field.name}"
        if field.message_type and field.message_type.full_name != "google.protobuf.Timestamp":
            yield from leaves_of_message(field.message_type, below)
        else:
            yield below[1:]


def leaves_of_value(value: Any, path: str = "") -> Iterator[str]:
    """Walks boto3's arguments or response."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves_of_value(member, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from leaves_of_value(item, path)
    elif not path.endswith(_ARTEFACT):
        yield path[1:]
