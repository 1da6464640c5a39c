"""The control-plane operations on key value stores, creates and waiting apart."""

from __future__ import annotations

from typing import Final

from ..backends.protocol import Arguments, Response
from ..call import Call
from ..errors.proof import aws_code
from ..errors.status_error import StatusError
from ..errors.upstream import Subject
from ..lookups.users import key_value_store_in_use
from .upstream import Upstream, gone

KIND: Final = "key value store"
_MISSING: Final = "EntityNotFound"
_NAME: Final = ("KeyValueStore", "Name")


class Stores:
    """The operations on stores. Each takes its boto3 arguments and the call, and raises StatusError."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._backend = upstream.backend
        self._reader = upstream.reader

    def describe(self, arguments: Arguments, call: Call) -> Response:
        """DescribeKeyValueStore."""
        return self._upstream.read(call, self._backend.describe_key_value_store, _subject(arguments), *_NAME)

    def update(self, arguments: Arguments, call: Call) -> Response:
        """UpdateKeyValueStore. It is OK too where the store already has this comment."""
        return self._upstream.replace(
            call,
            self._backend.update_key_value_store,
            _subject(arguments),
            *_NAME,
            seen=lambda: self._like(arguments),
        )

    def delete(self, arguments: Arguments, call: Call) -> Response:
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
            seen=lambda: gone(self._describe, arguments["Name"], _MISSING),
            explain=explain,
        )

    def list(self, arguments: Arguments, call: Call) -> Response:
        """ListKeyValueStores."""
        return self._upstream.read(
            call, self._backend.list_key_value_stores, Subject(KIND, "", arguments), "KeyValueStoreList", "Quantity"
        )

    def _describe(self, name: str) -> Response:
        return self._reader.describe_key_value_store(Name=name)

    def _like(self, arguments: Arguments) -> Response | None:
        """Gives the store where it, in a newer version, has this comment."""
        described = self._describe(arguments["Name"])
        store = described.get("KeyValueStore")
        is_newer = described.get("ETag") != arguments["IfMatch"]
        return described if store and is_newer and store.get("Comment", "") == arguments["Comment"] else None


def _subject(arguments: Arguments) -> Subject:
    return Subject(KIND, arguments["Name"], arguments)
