"""Rates by identity: exact, and bounded in memory without the loss of a limit."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfront_facade_server.caller_limits.gcra import Gcra, Rate

SECOND: Final = 1_000_000_000
START: Final = 123_456_789_987_654_321
"""The time of a clock after years."""

RATES = st.builds(Rate, st.sampled_from([0.001, 0.1, 0.3, 1.0, 3.0, 7.5, 1000.0]), st.integers(1, 5))


class Oracle:
    """A bucket of tokens in exact fractions, which is the same limit by another algorithm."""

    def __init__(self, rate: Rate) -> None:
        self.per_ns = Fraction(str(rate.calls_per_second)) / SECOND
        self.size = rate.burst
        self.tokens = Fraction(rate.burst)
        self.at = 0

    def take(self, now: int) -> int:
        self.tokens = min(Fraction(self.size), self.tokens + (now - self.at) * self.per_ns)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        wait = (1 - self.tokens) / self.per_ns
        return -(-wait.numerator // wait.denominator)


@settings(deadline=None)
@given(RATES, st.lists(st.integers(0, 3 * SECOND), max_size=60))
def test_the_decision_is_that_of_a_token_bucket_in_exact_fractions(rate: Rate, pauses: list[int]) -> None:
    gcra, oracle, now = Gcra(), Oracle(rate), START
    oracle.at = START
    for pause in pauses:
        now += pause
        assert gcra.take("a", rate, now) == oracle.take(now)


@settings(deadline=None)
@given(RATES, st.integers(0, SECOND))
def test_a_call_is_accepted_exactly_after_the_stated_time(rate: Rate, offset: int) -> None:
    gcra, now = Gcra(), START + offset
    assert [gcra.take("a", rate, now) for _ in range(rate.burst)] == [0] * rate.burst
    wait = gcra.take("a", rate, now)
    assert gcra.take("a", rate, now + wait - 1) == 1
    assert gcra.take("a", rate, now + wait) == 0


def test_thousands_of_calls_do_not_drift() -> None:
    gcra, rate, now = Gcra(), Rate(3.0, 2), START
    for _ in range(3000):
        while wait := gcra.take("a", rate, now):
            now += wait
    # Each wait is rounded up by less than a nanosecond, and none of that adds up in 2,998 thirds of a second.
    assert now - START == -(-2998 * SECOND // 3)


def test_identities_do_not_share() -> None:
    gcra, rate = Gcra(), Rate(1.0, 1)
    assert [gcra.take(identity, rate, START) for identity in ("a", "b", "a")] == [0, 0, SECOND]


def test_a_row_is_kept_while_its_rate_is_the_same_and_replaced_when_it_changes() -> None:
    gcra = Gcra()
    assert gcra.take("a", Rate(1.0, 1), START) == 0
    assert gcra.take("a", Rate(1.0, 1), START) == SECOND
    assert gcra.take("a", Rate(2.0, 1), START) == 0
    assert gcra.take("a", Rate(2.0, 1), START) == SECOND // 2


def test_idle_rows_are_removed_when_the_table_is_full() -> None:
    gcra, rate = Gcra(max_identities=100), Rate(1.0, 2)
    for number in range(1000):
        assert gcra.take(str(number), rate, START + number * SECOND) == 0
        assert len(gcra) <= 100
    # The latest ones are still known.
    last = START + 999 * SECOND
    assert [gcra.take("999", rate, last) for _ in range(2)] == [0, SECOND]


def test_a_full_table_of_active_rows_loses_no_limit() -> None:
    gcra, rate = Gcra(max_identities=2), Rate(1.0, 1)
    assert [gcra.take(identity, rate, START) for identity in ("a", "b", "c")] == [0, 0, 0]
    # c and d share a row, and those that have one keep it.
    assert [gcra.take(identity, rate, START) for identity in ("a", "b", "c", "d")] == [SECOND] * 4
    # When there is room again, the one that moves to its own row does not start with a fresh burst.
    assert gcra.take("c", rate, START + SECOND) == 0
    assert gcra.take("c", rate, START + SECOND) == SECOND
    assert len(gcra) == 2


def test_an_identity_that_gets_its_own_row_keeps_what_it_used_of_the_shared_one() -> None:
    gcra, fast, slow = Gcra(max_identities=1), Rate(1000.0, 1), Rate(1.0, 1)
    assert [gcra.take("a", fast, START), gcra.take("c", slow, START)] == [0, 0]
    # After a millisecond the row of a is idle, so c takes its place.
    assert gcra.take("c", slow, START + SECOND // 1000) == SECOND - SECOND // 1000
    assert list(gcra._rows) == ["c"]


@settings(deadline=None)
@given(st.data(), st.integers(1, 4))
def test_no_identity_gets_more_than_its_rate_while_others_come_and_go(data: st.DataObject, size: int) -> None:
    gcra, rate, now = Gcra(max_identities=size), Rate(1.0, 2), START
    oracles = {name: Oracle(rate) for name in "abcdef"}
    for name, pause in data.draw(
        st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2 * SECOND)), max_size=60)
    ):
        now += pause
        if gcra.take(name, rate, now) == 0:
            assert oracles[name].take(now) == 0
        assert len(gcra) <= size


@pytest.mark.parametrize("number", [10_000])
def test_a_flood_of_identities_examines_few_rows_per_call(number: int) -> None:
    gcra, rate = Gcra(max_identities=1000), Rate(1.0, 1)
    for each in range(number):
        gcra.take(str(each), rate, START)
    assert len(gcra) == 1000
    assert len(gcra._idle_times) == 1000
    assert len(gcra._shared) == 1
