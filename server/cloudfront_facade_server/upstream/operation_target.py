"""What an operation is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OperationTarget:
    """The resource that an operation names, with the operation's arguments.

    Attributes:
        kind: The word for the resource in messages, for example `function`.
        name: The caller's name for it.
        arguments: The caller's boto3 arguments.
        field: The one request field that CloudFront can find invalid; empty if there are several.
    """

    kind: str
    name: str
    arguments: Mapping[str, Any]
    field: str = ""
