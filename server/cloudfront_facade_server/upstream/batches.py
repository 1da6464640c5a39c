"""Splits key changes into batches, within the limits of CloudFront's UpdateKeys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from .. import limits

Change = tuple[str, str | None]
"""A key and its new value; None deletes the key."""

_OVERHEAD_BYTES: Final = 24
"""Maximum bytes of a change in JSON without its key and value: `{"Key":"","Value":""},`."""

_MAX_ESCAPED_BYTES: Final = 6
"""Maximum bytes of a character in JSON: `\\u0000`."""


@dataclass
class Batch:
    """The changes of one UpdateKeys, which applies all of them or none.

    Attributes:
        values: The new value of each key; None deletes it. If a key changes twice, only the last change counts.
        changes: The number of changes, including those of the same key.
    """

    values: dict[str, str | None] = field(default_factory=dict)
    changes: int = 0


def batches(changes: Iterable[Change]) -> Iterator[Batch]:
    """Yields the changes in batches, in order."""
    batch = Batch()
    size = 0
    for key, value in changes:
        change_bytes = _MAX_ESCAPED_BYTES * (len(key) + len(value or "")) + _OVERHEAD_BYTES
        is_full = len(batch.values) == limits.UPDATE_KEYS_MAX_KEYS and key not in batch.values
        if batch.changes and (is_full or size + change_bytes > limits.UPDATE_KEYS_MAX_BYTES):
            yield batch
            batch, size = Batch(), 0
        batch.values[key] = value
        batch.changes += 1
        size += change_bytes
    if batch.changes:
        yield batch


def batch_arguments(batch: Batch) -> dict[str, Any]:
    """Returns `Puts` and `Deletes` of boto3's `update_keys`; an empty list is left out."""
    puts = [{"Key": key, "Value": value} for key, value in batch.values.items() if value is not None]
    deletes = [{"Key": key} for key, value in batch.values.items() if value is None]
    return {name: items for name, items in (("Puts", puts), ("Deletes", deletes)) if items}
