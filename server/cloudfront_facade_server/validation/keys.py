"""The checks of key changes, in one request and in a stream of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest, KeyChange

from .. import limits
from ..errors.violations import Violation, quote, raise_if_any
from . import checks
from .rule_names import Rule


def check_changes(changes: Sequence[KeyChange], first: int, checkpoint: Callable[[], None]) -> Iterator[Violation]:
    """Checks changes until CHECKED_ELEMENTS_MAX violations are found.

    Args:
        changes: The changes of one request.
        first: The index of the first change, counted from the start of the stream.
        checkpoint: Lets other calls run. Called once per CHECKED_ELEMENTS_MAX changes.
    """
    count = 0
    for index, change in enumerate(changes, first):
        for violation in _check_change(f"changes[{index}]", change):
            yield violation
            count += 1
        if count >= limits.CHECKED_ELEMENTS_MAX:
            return
        if index % limits.CHECKED_ELEMENTS_MAX == 0:
            checkpoint()


def check_stream(
    target: ImportKeysRequest,
    first: ImportKeysRequest,
    later: Iterator[ImportKeysRequest],
    checkpoint: Callable[[], None],
) -> Iterator[ImportKeysRequest]:
    """Yields the requests of a stream, each checked when it is read, and keeps none; raises ValidationError.

    Args:
        target: The store and the etag of the first request.
        first: The first request.
        later: The others.
        checkpoint: Lets other calls run. Called from time to time.
    """
    count = 0
    request: ImportKeysRequest | None = first
    del first
    while request is not None:
        raise_if_any(
            check_changes(request.changes, count, checkpoint),
            _check_same("kvs_arn", request.kvs_arn, target.kvs_arn),
            _check_same("etag", request.etag, target.etag),
        )
        count += len(request.changes)
        yield request
        del request  # otherwise it would take memory until the next one arrives
        request = next(later, None)
    raise_if_any(check_count(count))


def check_count(count: int) -> Iterator[Violation]:
    """Checks the number of changes of a request, or of a whole stream."""
    return checks.check_not_empty("changes", Rule.CHANGES_COUNT, count)


def _check_same(field: str, value: str, first: str) -> Iterator[Violation]:
    if value not in ("", first):
        yield Violation(
            field, Rule.IMPORT_KEYS_SAME, f"{quote(value)}; allowed: not set, or the same as in the first request"
        )


def _check_change(field: str, change: KeyChange) -> Iterator[Violation]:
    if change.HasField("put"):
        yield from checks.check_key(f"{field}.put.key", change.put.key)
        yield from checks.check_value(f"{field}.put.value", change.put.value)
    elif change.HasField("delete"):
        yield from checks.check_key(f"{field}.delete", change.delete)
    else:
        yield Violation(field, Rule.CHANGE_KNOWN, "not set; allowed: put or delete")
