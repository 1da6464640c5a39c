"""The resource that an operation is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OperationTarget:
    """The resource that an operation names, with the operation's arguments.

    Attributes:
        kind: The word for the resource in messages, for example `function`.
        name: The caller's name for the resource; empty for a list.
        arguments: The boto3 arguments of the operation. Only ARNs and accounts that occur in them may occur in a
            message.
        etag_source: The rpc that returns the etag that the operation requires; empty if it requires none.
        field: The only request field that CloudFront can find invalid; empty if there are several.
    """

    kind: str
    name: str
    arguments: Mapping[str, Any]
    etag_source: str = ""
    field: str = ""
