"""The control-plane operations on key value stores, creates and waiting apart."""

from __future__ import annotations

from typing import Final

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext
from ..errors.classify import aws_code
from ..errors.status_error import StatusError
from ..errors.translate import OperationTarget
from .client import UpstreamClient, is_deleted
from .diagnostics.in_use import key_value_store_in_use

KIND: Final = "key value store"
_MISSING: Final = "EntityNotFound"
_NAME: Final = ("KeyValueStore", "Name")


class Stores:
    """The operations on stores. Each takes its boto3 arguments and the call, and raises StatusError."""

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream
        self._backend = upstream.backend
        self._reader = upstream.reader

    def describe(self, arguments: Arguments, call: CallContext) -> Response:
        """DescribeKeyValueStore."""
        return self._upstream.read(call, self._backend.describe_key_value_store, _subject(arguments), *_NAME)

    def update(self, arguments: Arguments, call: CallContext) -> Response:
        """UpdateKeyValueStore. It is OK too where the store already has this comment."""
        return self._upstream.replace(
            call,
            self._backend.update_key_value_store,
            _subject(arguments),
            *_NAME,
            seen=lambda: self._like(arguments),
        )

    def delete(self, arguments: Arguments, call: CallContext) -> Response:
        """DeleteKeyValueStore."""
        subject = _subject(arguments)

        def explain(error: Exception) -> StatusError | None:
            if aws_code(error) != "CannotDeleteEntityWhileInUse":
                return None
            return key_value_store_in_use(self._reader, error, subject, lambda: self._upstream.has_time(call))

        return self._upstream.change(
            call,
            self._backend.delete_key_value_store,
            subject,
            repeatable=True,
            seen=lambda: is_deleted(self._describe, arguments["Name"], _MISSING),
            explain=explain,
        )

    def list(self, arguments: Arguments, call: CallContext) -> Response:
        """ListKeyValueStores."""
        return self._upstream.read(
            call,
            self._backend.list_key_value_stores,
            OperationTarget(KIND, "", arguments),
            "KeyValueStoreList",
            "Quantity",
        )

    def _describe(self, name: str) -> Response:
        return self._reader.describe_key_value_store(Name=name)

    def _like(self, arguments: Arguments) -> Response | None:
        """Gives the store where it, in a newer version, has this comment."""
        described = self._describe(arguments["Name"])
        store = described.get("KeyValueStore")
        is_newer = described.get("ETag") != arguments["IfMatch"]
        return described if store and is_newer and store.get("Comment", "") == arguments["Comment"] else None


def _subject(arguments: Arguments) -> OperationTarget:
    return OperationTarget(KIND, arguments["Name"], arguments)
