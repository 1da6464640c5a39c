"""The operations on tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext
from ..errors.translate import OperationTarget
from .client import UpstreamClient
from .diagnostics.tags import list_tags

KIND: Final = "resource"

Together = Callable[[Iterable[str], Iterable[str]], None]
"""Checks the keys that are there with those that are added; raises ValidationError."""


class Tags:
    """The operations on tags. Each takes its boto3 arguments and the call, and raises StatusError.

    Args:
        upstream: how the backend is reached.
        together: checks how many tags a resource would have.
    """

    def __init__(self, upstream: UpstreamClient, together: Together) -> None:
        self._upstream = upstream
        self._backend = upstream.backend
        self._reader = upstream.reader
        self._together = together

    def tag(self, arguments: Arguments, call: CallContext) -> Response:
        """TagResource; raises ValidationError where the resource would have too many tags."""
        subject, wanted = _subject(arguments), _items(arguments)
        there = self._upstream.read(call, self._reader.list_tags_for_resource, _about(arguments), "Tags", "Items")
        self._together([tag["Key"] for tag in _items(there)], [tag["Key"] for tag in wanted])

        def tagged() -> Response | None:
            found = list_tags(self._reader, arguments["Resource"])
            return {} if all(tag in found for tag in wanted) else None

        return self._upstream.change(call, self._backend.tag_resource, subject, repeatable=True, seen=tagged)

    def untag(self, arguments: Arguments, call: CallContext) -> Response:
        """UntagResource."""
        unwanted = set(arguments["TagKeys"]["Items"])

        def untagged() -> Response | None:
            found = list_tags(self._reader, arguments["Resource"])
            return {} if unwanted.isdisjoint(tag["Key"] for tag in found) else None

        return self._upstream.change(
            call, self._backend.untag_resource, _subject(arguments), repeatable=True, seen=untagged
        )

    def list(self, arguments: Arguments, call: CallContext) -> Response:
        """ListTagsForResource."""
        return self._upstream.read(call, self._backend.list_tags_for_resource, _subject(arguments), "Tags", "Items")


def _subject(arguments: Arguments) -> OperationTarget:
    return OperationTarget(KIND, arguments["Resource"], arguments)


def _about(arguments: Arguments) -> OperationTarget:
    return OperationTarget(KIND, arguments["Resource"], {"Resource": arguments["Resource"]})


def _items(response: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    items: Sequence[Mapping[str, str]] = response.get("Tags", {}).get("Items", [])
    return items
