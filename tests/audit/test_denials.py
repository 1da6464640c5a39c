"""Rejections are summed up, so that nobody can fill the disk with them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from audit.calls import NOT_ALLOWED, UNKNOWN, check, create, stranger
from cloudfront_facade_server.audit.denials import MAX_ROWS, MAX_WINDOW_SECONDS, OTHERS, Denials
from cloudfront_facade_server.audit.peers import network_of


class Recorded:
    """A table with a clock that the test moves, and what it wrote."""

    def __init__(self) -> None:
        self.now = 1_777_982_400.0
        self.records: list[dict[str, Any]] = []
        self.has_room = True
        self.denials = Denials(self._put, lambda: self.now, lambda: self.now)

    def pass_time(self, seconds: float) -> None:
        """Lets time pass, with a call of the timer in each second."""
        for _ in range(round(seconds)):
            self.now += 1
            self.denials.write_due()

    def counts(self) -> list[int]:
        """Returns the count of each record."""
        return [record.get("count", 1) for record in self.records]

    def _put(self, line: bytes) -> bool:
        if self.has_room:
            self.records.append(json.loads(line))
            check(self.records[-1])
        return self.has_room


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def test_a_single_rejection_is_written_at_once(recorded: Recorded) -> None:
    recorded.denials.add("a", stranger(), UNKNOWN)
    recorded.pass_time(10)
    assert recorded.counts() == [1]
    assert recorded.records[0]["status_detail"] == "CALLER_UNKNOWN"
    assert len(recorded.denials) == 0


def test_a_flood_is_one_record_a_second_at_most_and_no_rejection_is_lost(recorded: Recorded) -> None:
    for _ in range(100):
        for _ in range(1000):
            recorded.denials.add("a", stranger(), UNKNOWN)
        recorded.pass_time(1)
    recorded.denials.write_all()
    assert sum(recorded.counts()) == 100_000
    assert recorded.counts()[:3] == [1, 999, 2000]
    assert len(recorded.records) < 10


def test_the_time_between_two_sums_is_at_most_a_minute(recorded: Recorded) -> None:
    for _ in range(600):
        for _ in range(2):
            recorded.denials.add("a", stranger(), UNKNOWN)
        recorded.pass_time(1)
    times = [record["time"] / 1000 for record in recorded.records]
    assert max(later - earlier for earlier, later in pairwise(times)) <= MAX_WINDOW_SECONDS + 1


def test_identities_methods_and_reasons_are_counted_separately(recorded: Recorded) -> None:
    calls = [("a", "CreateFunction", UNKNOWN), ("b", "CreateFunction", UNKNOWN), ("a", "PutKey", UNKNOWN)]
    for identity, operation, result in [*calls, ("a", "PutKey", NOT_ALLOWED)]:
        for _ in range(3):
            recorded.denials.add(identity, stranger(operation=operation), result)
    recorded.pass_time(1)
    assert recorded.counts() == [1, 1, 1, 1, 2, 2, 2, 2]


def test_a_sum_has_the_times_and_the_correlation_uid_of_what_it_sums_up(recorded: Recorded) -> None:
    first = create()
    recorded.denials.add("a", first, NOT_ALLOWED)
    began = recorded.now = recorded.now + 0.2
    recorded.denials.add("a", create(), NOT_ALLOWED)
    ended = recorded.now = recorded.now + 0.2
    recorded.denials.add("a", create(), NOT_ALLOWED)
    recorded.pass_time(1)
    record = recorded.records[1]
    assert record["count"] == 2
    assert (record["start_time"], record["end_time"]) == (round(began * 1000), round(ended * 1000))
    assert record["metadata"]["correlation_uid"] == first.correlation_uid


def test_any_number_of_callers_needs_a_bounded_table_and_bounded_records(recorded: Recorded) -> None:
    for number in range(10 * MAX_ROWS):
        recorded.denials.add(str(number), stranger(), UNKNOWN)
    assert len(recorded.denials) == MAX_ROWS + 1
    recorded.pass_time(1)
    assert len(recorded.records) == MAX_ROWS + 1
    assert sum(recorded.counts()) == 10 * MAX_ROWS
    assert recorded.records[-1]["api"]["operation"] == OTHERS


def test_without_room_in_the_queue_a_rejection_is_written_later(recorded: Recorded) -> None:
    recorded.has_room = False
    recorded.denials.add("a", stranger(), UNKNOWN)
    recorded.pass_time(5)
    recorded.has_room = True
    recorded.pass_time(1)
    assert recorded.counts() == [1]


@pytest.mark.parametrize(
    ("peer", "identity"),
    [
        ("ipv4:192.0.2.1:50000", "192.0.2.1"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:443", "2001:db8:1:2::"),
        ("ipv6:[2001:db8:1:2::1]:443", "2001:db8:1:2::"),
        ("ipv6:%5B::ffff:192.0.2.1%5D:443", "::ffff:192.0.2.1"),
        ("unix:", "unix:"),
    ],
)
def test_the_port_and_the_host_of_an_ipv6_network_do_not_make_another_identity(peer: str, identity: str) -> None:
    assert network_of(peer) == identity
