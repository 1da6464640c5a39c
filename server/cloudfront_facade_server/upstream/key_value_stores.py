"""The control-plane operations on key value stores, except creates and waiting."""

from __future__ import annotations

from functools import partial
from typing import Final

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext
from .client import UpstreamClient
from .diagnostics.in_use import key_value_store_in_use
from .required_member import RequiredMember
from .resource_kinds import KEY_VALUE_STORE
from .settling import check_deleted
from .versioned_changes import VersionedChanges

_QUANTITY: Final = RequiredMember(("KeyValueStoreList", "Quantity"))


class KeyValueStores:
    """The operations on stores. Each takes its boto3 arguments and the call, and raises StatusError.

    Args:
        client: The upstream client.
    """

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client
        self._versions = VersionedChanges(client)
        self._backend = client.backend

    def describe(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls DescribeKeyValueStore."""
        target = KEY_VALUE_STORE.target(arguments)
        return self._client.read(call, self._backend.describe_key_value_store, target, KEY_VALUE_STORE.name)

    def update(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls UpdateKeyValueStore. Also succeeds if the store already has this comment."""
        return self._versions.update(
            call,
            self._backend.update_key_value_store,
            KEY_VALUE_STORE.target(arguments),
            KEY_VALUE_STORE.name,
            check_applied=partial(self._check_updated, arguments),
        )

    def delete(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls DeleteKeyValueStore."""
        target = KEY_VALUE_STORE.target(arguments)
        return self._versions.delete(
            call,
            self._backend.delete_key_value_store,
            target,
            check_applied=partial(check_deleted, self._describe, arguments["Name"], KEY_VALUE_STORE.not_found_code),
            explain=partial(key_value_store_in_use, self._client, call, target),
        )

    def list(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls ListKeyValueStores."""
        target = KEY_VALUE_STORE.target(arguments)
        return self._client.read(call, self._backend.list_key_value_stores, target, _QUANTITY)

    def _describe(self, name: str) -> Response:
        return self._backend.describe_key_value_store(Name=name)

    def _check_updated(self, arguments: Arguments) -> Response | None:
        """Returns the store if a newer version of it has this comment."""
        described = self._describe(arguments["Name"])
        store = described.get("KeyValueStore")
        is_newer = described.get("ETag") != arguments["IfMatch"]
        return described if store and is_newer and store.get("Comment", "") == arguments["Comment"] else None
