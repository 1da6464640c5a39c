"""The I/O-free logic of imports that `jobs` and `aio` share: how changes become requests."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from cloudfront_facade._argument_checks import check_callback, check_text, type_name
from cloudfront_facade._request_checks import check_type
from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest, KeyChange, KeyValue

if TYPE_CHECKING:
    from cloudfront_facade.progress import Progress

MAX_REQUEST_BYTES = 200 * 1024
"""Maximum size of one request of an import. It is far below the server's limit of 4 MiB, so that proxies and the server
buffer little, and progress is reported often."""

MAX_REQUEST_CHANGES = 500
"""Maximum number of changes of one request of an import: ten of CloudFront's batches."""

MAX_SILENCE = 5.0
"""Seconds after which the next change is sent without waiting for more. The server ends a stream that is silent for
longer than its --max-stream-silence."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a UTF-16 surrogate pair, which UTF-8 cannot encode."""


class ImportBatcher:
    """Packs changes into the requests of an import.

    Args:
        kvs_arn: The ARN of the store.
        etag: The version of the store to change; empty for the current one.
    """

    def __init__(self, kvs_arn: str, etag: str) -> None:
        check_text("kvs_arn", kvs_arn)
        check_text("etag", etag)
        self._request = ImportKeysRequest(kvs_arn=kvs_arn, etag=etag)
        self._bytes = 0
        self._index = 0
        self._is_first = True
        self.sent()

    def sent(self) -> None:
        """Says that the last request is on its way: from now on, the stream is silent."""
        self._silent_since = time.monotonic()

    def add(self, change: KeyChange) -> ImportKeysRequest | None:
        """Adds a change, and returns the request to send next, if there is one.

        If the change does not fit, the request has the changes before it. If the stream was silent for too long, the
        request has the change too.

        Raises:
            TypeError: The change is not a KeyChange. The error has its index.
        """
        check_type(f"changes[{self._index}]", change, KeyChange.DESCRIPTOR)
        self._index += 1
        size = change.ByteSize()
        count = len(self._request.changes)
        full = None
        if count == MAX_REQUEST_CHANGES or (count and self._bytes + size > MAX_REQUEST_BYTES):
            full = self._take()
        self._request.changes.append(change)
        self._bytes += size
        if not full and time.monotonic() - self._silent_since >= MAX_SILENCE:
            return self._take()
        return full

    def rest(self) -> ImportKeysRequest | None:
        """Returns a request with the remaining changes; None if all were sent. An import has at least one request."""
        return self._take() if self._is_first or self._request.changes else None

    def _take(self) -> ImportKeysRequest:
        request, self._request, self._bytes = self._request, ImportKeysRequest(), 0
        self._is_first = False
        return request


class ImportProgress:
    """Counts the changes that are handed to gRPC, and adds a note with the count to an exception that ends the import.

    Args:
        callback: Called after each request.
        total: The number of changes; None if it is not known.
    """

    def __init__(self, callback: Progress | None, total: int | None) -> None:
        check_callback("progress", callback)
        self._callback = callback
        self._total = total
        self._count = 0

    def count(self, request: ImportKeysRequest) -> ImportKeysRequest:
        """Counts a request before it is sent, because it may arrive even if sending is interrupted."""
        self._count += len(request.changes)
        return request

    def report(self) -> None:
        """Calls the callback."""
        if self._callback:
            self._callback(self._count, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error:
            applied = "the first batches of them may have been applied" if self._count else "none was applied"
            error.add_note(f"{self._count} changes had been handed to gRPC; {applied}.")


def put_change(index: int, item: Any) -> KeyChange:
    """Returns the change that sets a key to a value.

    Args:
        index: The index of the item, for the error.
        item: The key and the value.

    Raises:
        ValueError: The item is not a pair, or a text is not valid Unicode. The error does not show the item.
        TypeError: The key or the value is not a str.
    """
    pair: Any = None if isinstance(item, str) else item
    try:
        key, value = pair
    except (TypeError, ValueError):
        raise ValueError(f"items[{index}] must be a pair of a key and a value, both str") from None
    for name, text in (("key", key), ("value", value)):
        if not isinstance(text, str):
            raise TypeError(f"the {name} of items[{index}] must be str, not {type_name(text)}")
        if _LONE_SURROGATE.search(text):
            raise ValueError(f"the {name} of items[{index}] contains a lone surrogate, which is not valid Unicode")
    return KeyChange(put=KeyValue(key=key, value=value))


def pairs(items: Mapping[str, str] | Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Returns the keys and values of a mapping, or the pairs themselves.

    Raises:
        TypeError: It is neither a mapping nor iterable.
    """
    if isinstance(items, Mapping):
        return items.items()
    if not isinstance(items, Iterable):
        raise TypeError(f"items must be a mapping or an iterable of pairs, not {type_name(items)}")
    return items


def check_changes(changes: object) -> None:
    """Checks that changes can be iterated over.

    Raises:
        TypeError: They cannot.
    """
    if not isinstance(changes, Iterable | AsyncIterable):
        raise TypeError(f"changes must be an iterable of KeyChange, not {type_name(changes)}")


def size_of(items: object) -> int | None:
    """Returns the number of items; None if it is not known in advance."""
    try:
        return len(items)  # type: ignore[arg-type]
    except TypeError:
        return None
