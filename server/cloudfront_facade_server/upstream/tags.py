"""The operations on tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..backends.protocol import Arguments, Response
from ..backends.timeouts import short_timeouts
from ..call_context import CallContext
from ..errors.operation_target import OperationTarget
from .client import UpstreamClient
from .required_member import RequiredMember

_KIND: Final = "resource"
_ITEMS: Final = RequiredMember(("Tags", "Items"))

CheckTagLimit = Callable[[Iterable[str], Iterable[str]], None]
"""Takes the tag keys of a resource and those to add; raises ValidationError if together they are too many."""


class Tags:
    """The operations on tags. Each takes its boto3 arguments and the call, and raises StatusError.

    Args:
        client: The upstream client.
        check_tag_limit: Checks that the resource does not get too many tags.
    """

    def __init__(self, client: UpstreamClient, check_tag_limit: CheckTagLimit) -> None:
        self._client = client
        self._backend = client.backend
        self._check_tag_limit = check_tag_limit

    def tag(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls TagResource; raises ValidationError if the resource would have too many tags."""
        wanted = _items(arguments)
        with short_timeouts():
            current = self.list({"Resource": arguments["Resource"]}, call)
        self._check_tag_limit([tag["Key"] for tag in _items(current)], [tag["Key"] for tag in wanted])

        def check_tagged() -> Response | None:
            found = self._client.list_tags(arguments["Resource"])
            return {} if all(tag in found for tag in wanted) else None

        return self._client.change(
            call, self._backend.tag_resource, _target(arguments), repeatable=True, check_applied=check_tagged
        )

    def untag(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls UntagResource."""
        unwanted = set(arguments["TagKeys"]["Items"])

        def check_untagged() -> Response | None:
            found = self._client.list_tags(arguments["Resource"])
            return {} if unwanted.isdisjoint(tag["Key"] for tag in found) else None

        return self._client.change(
            call, self._backend.untag_resource, _target(arguments), repeatable=True, check_applied=check_untagged
        )

    def list(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls ListTagsForResource."""
        return self._client.read(call, self._backend.list_tags_for_resource, _target(arguments), _ITEMS)


def _target(arguments: Arguments) -> OperationTarget:
    return OperationTarget(_KIND, arguments["Resource"], arguments)


def _items(response: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    items: Sequence[Mapping[str, str]] = response.get("Tags", {}).get("Items", [])
    return items
