"""Splitting changes of keys into batches that one UpdateKeys of CloudFront accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade_server.limits import UPDATE_KEYS_MAX_BYTES, UPDATE_KEYS_MAX_KEYS
from cloudfront_facade_server.upstream.batches import Batch, Change, batch_arguments, batches

CHANGES = st.lists(st.tuples(st.text(min_size=1, max_size=3), st.none() | st.text(max_size=5)), max_size=300)


@given(CHANGES)
def test_batches_keep_every_change_and_the_order(changes: list[Change]) -> None:
    applied = 0
    for batch in batches(changes):
        assert batch.values == dict(changes[applied : applied + batch.changes])
        applied += batch.changes
    assert applied == len(changes)


@given(CHANGES)
def test_a_batch_has_at_most_the_keys_that_cloudfront_accepts(changes: list[Change]) -> None:
    for batch in batches(changes):
        assert 1 <= len(batch.values) <= UPDATE_KEYS_MAX_KEYS


def test_batches_are_as_large_as_allowed() -> None:
    sizes = [batch.changes for batch in batches((f"key-{number}", "v") for number in range(120))]
    assert sizes == [50, 50, 20]


def test_a_batch_keeps_the_last_change_of_a_key_and_counts_every_change() -> None:
    (batch,) = batches([("a", "1"), ("b", "1"), ("a", None), ("b", "2")])
    assert (batch.values, batch.changes) == ({"a": None, "b": "2"}, 4)
    assert [batch.changes for batch in batches(("a", "1") for _ in range(2000))] == [2000]


def test_a_full_batch_still_accepts_changes_of_its_own_keys() -> None:
    keys = [(f"key-{number}", "v") for number in range(UPDATE_KEYS_MAX_KEYS)]
    assert [batch.changes for batch in batches([*keys, keys[0], ("new", "v")])] == [UPDATE_KEYS_MAX_KEYS + 1, 1]


def test_a_batch_stays_below_the_size_limit_even_if_its_text_is_escaped() -> None:
    large = "\x00" * 100_000
    sizes = [len(json.dumps(batch_arguments(batch))) for batch in batches((f"{n}", large) for n in range(20))]
    assert len(sizes) > 1
    assert max(sizes) <= UPDATE_KEYS_MAX_BYTES


def test_changes_are_read_on_demand() -> None:
    read = []

    def changes() -> Iterator[Change]:
        for number in range(1000):
            read.append(number)
            yield (f"{number}", "v")

    next(batches(changes()))
    assert len(read) == UPDATE_KEYS_MAX_KEYS + 1


def test_empty_puts_or_deletes_are_left_out() -> None:
    assert batch_arguments(Batch({"a": "", "b": None}, 2)) == {
        "Puts": [{"Key": "a", "Value": ""}],
        "Deletes": [{"Key": "b"}],
    }
    assert batch_arguments(Batch({"a": "1"}, 1)) == {"Puts": [{"Key": "a", "Value": "1"}]}
    assert batch_arguments(Batch({"b": None}, 1)) == {"Deletes": [{"Key": "b"}]}
