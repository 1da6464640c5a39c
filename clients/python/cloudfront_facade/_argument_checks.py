"""Checks the types of plain arguments. An error names the argument and what it must be, in the caller's words."""

from __future__ import annotations

import re
from collections.abc import Collection

_METADATA_KEY = re.compile(r"[a-z0-9_.-]+")
_METADATA_VALUE = re.compile(r"[ -~]*")
"""What gRPC allows in metadata: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md."""


def type_name(value: object) -> str:
    """Returns the name of a value's type as a caller writes it: None for None."""
    return "None" if value is None else type(value).__name__


def check_text(name: str, value: object) -> None:
    """Raises TypeError if an argument is not text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {type_name(value)}")


def check_count(name: str, value: object) -> None:
    """Raises TypeError if an argument is not an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be int, not {type_name(value)}")


def check_number(name: str, value: object) -> None:
    """Raises TypeError if an argument is neither a number of seconds nor None."""
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise TypeError(f"{name} must be a number of seconds or None, not {type_name(value)}")


def check_enum(name: str, value: object, enum: str, example: str) -> None:
    """Raises TypeError if an argument is not a value of an enum, which is an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a value of {enum}, such as {enum}.{example}, not {type_name(value)}")


def check_seconds(name: str, value: float | None) -> None:
    """Checks that an argument is a number of seconds, or None.

    Raises:
        TypeError: It is something else.
        ValueError: It is negative.
    """
    check_number(name, value)
    if value is not None and value < 0:
        raise ValueError(f"{name} must not be negative, but it is {value}")


def check_flag(name: str, value: object) -> None:
    """Raises TypeError if an argument is not True or False: the text "no" would count as True."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {type_name(value)}")


def check_metadata(metadata: object) -> None:
    """Checks the metadata of a call. gRPC reports invalid metadata as it reports that of a response: as INTERNAL.

    Raises:
        ValueError: A key or a value has a character that is not allowed. The error does not show the value.
    """
    if not isinstance(metadata, Collection):
        return  # None, or an iterator, which can be read only once
    for key, value in metadata:
        name = key.decode("latin-1") if isinstance(key, bytes) else key
        if not _METADATA_KEY.fullmatch(name):
            raise ValueError(f'invalid metadata key "{name}"; allowed: a-z 0-9 - _ .')
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if isinstance(text, str) and not name.endswith("-bin") and not _METADATA_VALUE.fullmatch(text):
            raise ValueError(
                f'invalid value of the metadata key "{name}"; allowed: printable ASCII, or a key that ends in -bin'
            )


def check_callback(name: str, value: object) -> None:
    """Raises TypeError if an argument is neither callable nor None."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable or None, not {type_name(value)}")
