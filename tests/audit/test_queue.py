"""The queue between the event loop and the thread that writes."""

from __future__ import annotations

import pytest

from cloudfront_facade_server.audit.queue import MAX_BATCH_BYTES, MAX_BYTES, Entry, RecordQueue, State


def intent(line: bytes = b"line\n") -> Entry:
    return Entry(line, contradict=lambda: b"not true\n")


def test_an_intent_that_was_written_cannot_be_withdrawn() -> None:
    queue, entry = RecordQueue(), intent()
    queue.put(entry)
    assert queue.take(None) == [entry]
    assert queue.settle([entry], State.WRITTEN) == []
    assert not queue.withdraw(entry)


def test_an_intent_that_is_withdrawn_while_it_is_written_is_reported() -> None:
    queue, entry = RecordQueue(), intent()
    queue.put(entry)
    queue.take(None)
    assert queue.withdraw(entry)
    assert queue.settle([entry], State.WRITTEN) == [entry]


def test_an_intent_that_is_withdrawn_earlier_leaves_the_queue() -> None:
    queue, entry = RecordQueue(), intent()
    queue.put(entry)
    assert queue.withdraw(entry)
    assert len(queue) == 0
    assert queue.take(0) == []


def test_a_batch_is_bounded_but_a_long_line_is_taken_alone() -> None:
    queue = RecordQueue()
    lines = [bytes(MAX_BATCH_BYTES // 2), bytes(MAX_BATCH_BYTES // 2), b"x", bytes(2 * MAX_BATCH_BYTES), b"y"]
    for line in lines:
        queue.put(Entry(line))
    batches = [queue.take(None) or [] for _ in range(4)]
    assert [[entry.line for entry in batch] for batch in batches] == [lines[:2], lines[2:3], lines[3:4], lines[4:]]


@pytest.mark.parametrize("minor", [False, True])
def test_the_bytes_that_wait_are_bounded(minor: bool) -> None:
    queue = RecordQueue()
    line = bytes(1024 * 1024)
    accepted = sum(queue.put(Entry(line), minor=minor) for _ in range(100))
    assert accepted == MAX_BYTES // (4 if minor else 1) // len(line)


def test_a_failed_write_is_tried_again_at_once_for_an_intent_and_later_for_other_lines() -> None:
    queue = RecordQueue()
    queue.put(Entry(b"outcome\n"))
    assert not queue._is_urgent()
    queue.put(intent())
    assert queue._is_urgent()
    assert len(queue.take(10) or []) == 2


def test_lines_that_are_put_back_come_first() -> None:
    queue = RecordQueue()
    queue.put(Entry(b"1\n"))
    queue.put(Entry(b"2\n"))
    batch = queue.take(None) or []
    queue.put(Entry(b"3\n"))
    queue.put_back(batch)
    assert [entry.line for entry in queue.take(None) or []] == [b"1\n", b"2\n", b"3\n"]


def test_a_closed_queue_is_emptied_and_takes_nothing_more() -> None:
    queue = RecordQueue()
    queue.put(Entry(b"1\n"))
    queue.close()
    assert not queue.put(Entry(b"2\n"))
    assert len(queue.take(None) or []) == 1
    assert queue.take(None) is None
