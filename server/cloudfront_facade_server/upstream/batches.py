"""Changes of keys, cut into what one call of CloudFront takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from .. import limits

Change = tuple[str, str | None]
"""A key and its new value; None where it is deleted."""

_OVERHEAD_BYTES: Final = 24
"""What a change takes in JSON beside its key and value, at most: `{"Key":"","Value":""},`."""

_ESCAPED: Final = 6
"""What a character can become in JSON: `\\u0000`."""


@dataclass
class Batch:
    """What one call of CloudFront changes, all of it or nothing.

    Attributes:
        values: the new value of each key, None where it is deleted. Of a key that is changed twice only the last one.
        changes: how many changes these are.
    """

    values: dict[str, str | None] = field(default_factory=dict)
    changes: int = 0


def batches(changes: Iterable[Change]) -> Iterator[Batch]:
    """Cuts changes in their order."""
    batch = Batch()
    size = 0
    for key, value in changes:
        bytes_of_change = _ESCAPED * (len(key) + len(value or "")) + _OVERHEAD_BYTES
        is_full = len(batch.values) == limits.UPDATE_KEYS_MAX_KEYS and key not in batch.values
        if batch.changes and (is_full or size + bytes_of_change > limits.UPDATE_KEYS_MAX_BYTES):
            yield batch
            batch, size = Batch(), 0
        batch.values[key] = value
        batch.changes += 1
        size += bytes_of_change
    if batch.changes:
        yield batch


def arguments(batch: Batch) -> dict[str, Any]:
    """Makes `Puts` and `Deletes` of boto3's `update_keys`; neither where it would be empty."""
    puts = [{"Key": key, "Value": value} for key, value in batch.values.items() if value is not None]
    deletes = [{"Key": key} for key, value in batch.values.items() if value is None]
    return {name: items for name, items in (("Puts", puts), ("Deletes", deletes)) if items}
