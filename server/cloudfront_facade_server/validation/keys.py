"""The rules of changes of keys: of a request, and of a stream of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest, KeyChange

from .. import limits
from ..errors.violations import Violation, quote, raise_if_any
from . import checks


def key_changes(changes: Sequence[KeyChange], first: int, breathe: Callable[[], None]) -> Iterator[Violation]:
    """Finds up to LOOKED_AT violations of changes, the first of which is the request's `first`."""
    found = 0
    for index, change in enumerate(changes, first):
        for violation in _key_change(f"changes[{index}]", change):
            yield violation
            found += 1
        if found >= limits.LOOKED_AT:
            return
        if index % limits.LOOKED_AT == 0:
            breathe()


def imported(
    first: ImportKeysRequest, later: Iterator[ImportKeysRequest], breathe: Callable[[], None]
) -> Iterator[ImportKeysRequest]:
    """Gives the requests of a stream, each checked when it is taken; raises ValidationError."""
    count = 0
    for request in chain((first,), later):
        raise_if_any(
            key_changes(request.changes, count, breathe),
            () if request is first else _later_import("kvs_arn", request.kvs_arn, first.kvs_arn),
            () if request is first else _later_import("etag", request.etag, first.etag),
        )
        count += len(request.changes)
        yield request
    raise_if_any(checks.check_not_empty("changes", "CHANGES_COUNT", count))


def _later_import(field: str, value: str, first: str) -> Iterator[Violation]:
    if value not in ("", first):
        yield Violation(field, "IMPORT_KEYS_SAME", f"{quote(value)}; allowed: not set, or as in the first request")


def _key_change(field: str, change: KeyChange) -> Iterator[Violation]:
    if change.HasField("put"):
        yield from checks.check_key(f"{field}.put.key", change.put.key)
        yield from checks.check_value_of_key(f"{field}.put.value", change.put.value)
    elif change.HasField("delete"):
        yield from checks.check_key(f"{field}.delete", change.delete)
    else:
        yield Violation(field, "CHANGE_KNOWN", "neither; allowed: put or delete")
