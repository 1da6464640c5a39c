"""Changes of keys, cut into what one call of CloudFront takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

Change = tuple[str, str | None]
"""A key and its new value; None where it is deleted."""

MAX_KEYS: Final = 50
"""Keys of one UpdateKeys. Developer Guide, quotas on CloudFront KeyValueStore."""

MAX_BYTES: Final = 3_000_000
"""Bytes of one UpdateKeys. Developer Guide, quotas on CloudFront KeyValueStore: 3 MB."""

_OVERHEAD_BYTES: Final = 24
"""What a change takes in JSON beside its key and value, at most: `{"Key":"","Value":""},`."""

_ESCAPED: Final = 6
"""What a character can become in JSON: `\\u0000`."""


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Cuts changes in their order, never with the same key twice in a batch, for a batch has no order."""
    batch: list[Change] = []
    keys: set[str] = set()
    size = 0
    for change in changes:
        key, value = change
        bytes_of_change = _ESCAPED * (len(key) + len(value or "")) + _OVERHEAD_BYTES
        if batch and (len(batch) == MAX_KEYS or size + bytes_of_change > MAX_BYTES or key in keys):
            yield batch
            batch, keys, size = [], set(), 0
        batch.append(change)
        keys.add(key)
        size += bytes_of_change
    if batch:
        yield batch


def arguments(batch: Sequence[Change]) -> dict[str, Any]:
    """Makes `Puts` and `Deletes` of boto3's `update_keys`; neither where it would be empty."""
    puts = [{"Key": key, "Value": value} for key, value in batch if value is not None]
    deletes = [{"Key": key} for key, value in batch if value is None]
    return {name: items for name, items in (("Puts", puts), ("Deletes", deletes)) if items}
