"""The audit log in an event loop: what waits, what is rejected, what is kept."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from audit.calls import NOT_ALLOWED, UNKNOWN, WEB, check, create, parse, stranger, uids
from audit.outputs import FaultyOutput
from cloudfront_facade_server.audit.log import AuditLog
from cloudfront_facade_server.audit.records import Result
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.identity.caller import ANONYMOUS

APPLIED = Result(outcome="applied", aws_request_id="aws-1")
TIMEOUT = 0.1


@asynccontextmanager
async def opened(output: FaultyOutput, seconds: float = TIMEOUT, *, reads: bool = False) -> AsyncIterator[AuditLog]:
    audit = AuditLog(output, seconds, records_reads=reads)
    try:
        yield audit
    finally:
        output.gate.set()
        await audit.close()


def run(
    test: Callable[[FaultyOutput, AuditLog], Awaitable[None]], *, timeout: float = TIMEOUT, reads: bool = False
) -> FaultyOutput:
    """Runs a test with an open log, closes it, checks each line, and returns the output."""
    output = FaultyOutput()

    async def main() -> None:
        async with opened(output, timeout, reads=reads) as audit:
            await test(output, audit)

    asyncio.run(asyncio.wait_for(main(), 10))
    for record in parse(output.content)[:20]:
        check(record)
    return output


def phases(output: FaultyOutput) -> list[str]:
    return [record["unmapped"]["phase"] for record in parse(output.content)]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def rejected(audit: AuditLog, **values: Any) -> StatusError:
    with pytest.raises(StatusError) as raised:
        await audit.intent(create(**values))
    return raised.value


def test_an_intent_is_on_disk_when_it_returns() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        call = create()
        await audit.intent(call)
        assert uids(parse(output.content)) == [call.correlation_uid]
        assert output.syncs == 1
        await audit.outcome(call, APPLIED)
        assert uids(parse(output.content), "outcome") == [call.correlation_uid]
        assert output.syncs == 2

    run(test)


def test_records_that_wait_together_are_written_and_synced_together() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        first = asyncio.ensure_future(audit.intent(create()))
        await until(output.writing.is_set)
        others = [asyncio.ensure_future(audit.intent(create())) for _ in range(100)]
        await asyncio.sleep(0)
        output.gate.set()
        await asyncio.gather(first, *others)
        assert output.syncs == 2

    assert len(parse(run(test).content)) == 101


def test_while_a_write_hangs_intents_are_rejected_and_then_at_once() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        began = time.monotonic()
        error = await rejected(audit)
        assert TIMEOUT <= time.monotonic() - began < 30 * TIMEOUT
        assert (error.reason, error.outcome) == ("AUDIT_UNAVAILABLE", "not_applied")
        assert error.retry_after
        began = time.monotonic()
        for _ in range(100):
            await rejected(audit)
        assert time.monotonic() - began < 10 * TIMEOUT
        output.gate.set()
        await until(lambda: audit._writer.busy_seconds() == 0)
        await audit.intent(create())

    run(test)


def test_an_intent_that_reaches_the_disk_after_its_rejection_is_contradicted() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        await rejected(audit, correlation_uid="late")
        output.gate.set()
        await until(lambda: len(parse(output.content)) == 2)

    records = parse(run(test).content)
    assert [record["unmapped"]["phase"] for record in records] == ["intent", "outcome"]
    assert [record["metadata"]["correlation_uid"] for record in records] == ["late", "late"]
    assert records[1]["unmapped"]["outcome"] == "not_applied"
    assert (records[1]["status_id"], records[1]["status_detail"]) == (2, "AUDIT_UNAVAILABLE")


def test_an_intent_that_waited_in_the_queue_and_was_rejected_is_never_written() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        audit.early_outcome(create(correlation_uid="blocks"), APPLIED)
        await until(output.writing.is_set)
        await rejected(audit, correlation_uid="late")

    assert uids(parse(run(test).content)) == []


def test_a_cancelled_intent_is_contradicted_or_not_written() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        intents = [asyncio.ensure_future(audit.intent(create())) for _ in range(2)]
        await until(output.writing.is_set)
        for each in intents:
            each.cancel()
        await asyncio.gather(*intents, return_exceptions=True)

    records = parse(run(test).content)
    assert uids(records, "intent") == uids(records, "outcome")


def test_an_intent_that_is_cancelled_after_it_was_written_is_contradicted() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        intent = asyncio.ensure_future(audit.intent(create()))
        await until(output.writing.is_set)
        output.gate.set()
        time.sleep(0.05)  # noqa: ASYNC251 (the event loop must not notice that it is written)
        intent.cancel()
        await asyncio.gather(intent, return_exceptions=True)

    assert phases(run(test)) == ["intent", "outcome"]


def test_on_a_full_disk_intents_are_rejected_at_once_and_accepted_after_it_has_room() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        await audit.intent(create(correlation_uid="before"))
        output.free = 0
        began = time.monotonic()
        for _ in range(3):
            await rejected(audit, correlation_uid="full")
        assert time.monotonic() - began < 1
        output.free = 2**40
        await audit.intent(create(correlation_uid="after"))

    assert uids(parse(run(test, timeout=5).content)) == ["before", "after"]


def test_an_intent_that_fits_only_in_part_is_completed_and_contradicted() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.free = 50
        await rejected(audit, correlation_uid="part")
        assert output.content
        output.free = 2**40
        await audit.intent(create(correlation_uid="next"))

    records = parse(run(test).content)
    assert [each["metadata"]["correlation_uid"] for each in records] == ["part", "part", "next"]
    assert records[1]["status_detail"] == "AUDIT_UNAVAILABLE"


def test_short_writes_make_whole_lines() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.largest_write = 7
        await audit.intent(create())
        assert output.syncs == 1

    assert phases(run(test)) == ["intent"]


def test_an_intent_whose_sync_fails_is_rejected_and_contradicted() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.sync_fails = True
        await rejected(audit)
        output.sync_fails = False
        await audit.intent(create())

    assert phases(run(test)) == ["intent", "outcome", "intent"]


def test_an_outcome_never_fails_and_is_written_when_the_disk_has_room_again() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.free = 0
        began = time.monotonic()
        await audit.outcome(create(), APPLIED)
        assert time.monotonic() - began < 1
        output.free = 2**40
        await until(lambda: output.content)

    assert phases(run(test, timeout=5)) == ["outcome"]


def test_an_outcome_waits_at_most_the_timeout_and_then_not_at_all() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        began = time.monotonic()
        await audit.outcome(create(), APPLIED)
        assert TIMEOUT <= time.monotonic() - began < 30 * TIMEOUT
        began = time.monotonic()
        for _ in range(100):
            await audit.outcome(create(), APPLIED)
        assert time.monotonic() - began < 10 * TIMEOUT

    assert phases(run(test)) == ["outcome"] * 101


def test_an_outcome_waits_no_longer_than_its_caller() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        began = time.monotonic()
        await audit.outcome(create(), APPLIED, at_most=0.01)
        assert time.monotonic() - began < 1

    assert phases(run(test, timeout=5)) == ["outcome"]


def test_a_call_that_is_answered_early_has_two_outcomes() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        call = create()
        await audit.intent(call)
        audit.early_outcome(call, Result(status="DEADLINE_EXCEEDED", outcome="unknown", reason="DEADLINE_EXCEEDED"))
        audit.late_outcome(call, APPLIED)

    records = parse(run(test).content)
    assert [(each["unmapped"]["phase"], each["status_id"]) for each in records] == [
        ("intent", 0),
        ("outcome", 0),
        ("late_outcome", 1),
    ]
    assert len({each["metadata"]["correlation_uid"] for each in records}) == 1


def test_rejections_and_reads_never_wait_and_leave_room_for_intents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudfront_facade_server.audit.queue.MAX_ENTRIES", 400)

    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        for number in range(1000):
            audit.read(create(), Result())
            audit.rejected(stranger(operation=str(number)), UNKNOWN)
        assert len(audit._queue) <= 100
        intents = [asyncio.ensure_future(audit.intent(create())) for _ in range(200)]
        await asyncio.sleep(0)
        output.gate.set()
        await asyncio.gather(*intents)

    counts = Counter(phases(run(test, timeout=5, reads=True)))
    assert counts["intent"] == 200
    assert counts["read"] <= 100


def test_a_full_queue_rejects_intents_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudfront_facade_server.audit.queue.MAX_ENTRIES", 10)

    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        audit.early_outcome(create(), APPLIED)
        await asyncio.sleep(0.2)  # the writer takes it, and waits
        for _ in range(40):
            audit.early_outcome(create(), APPLIED)
        began = time.monotonic()
        await audit.outcome(create(), APPLIED)
        await rejected(audit)
        assert time.monotonic() - began < 1

    run(test, timeout=5)


def test_a_bug_in_a_record_changes_no_answer() -> None:
    async def test(_output: FaultyOutput, audit: AuditLog) -> None:
        broken = Result(counts={"applied_changes": cast(int, object())})
        await audit.outcome(create(), broken)
        audit.early_outcome(create(), broken)
        audit.late_outcome(create(), broken)
        audit.rejected(stranger(), broken)
        audit.read(create(), broken)

    with capture_logs() as logs:
        run(test, reads=True)
    assert len(logs) == 5
    assert "object" not in str(logs)


def test_intents_are_written_before_the_rejections_and_reads_that_were_there_earlier() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        audit.read(create(), Result())
        await until(output.writing.is_set)
        audit.read(create(), Result())
        intent = asyncio.ensure_future(audit.intent(create()))
        await asyncio.sleep(0)
        output.gate.set()
        await intent

    assert phases(run(test, reads=True)) == ["read", "intent", "read"]


def test_reads_are_recorded_only_if_that_is_configured() -> None:
    async def test(_output: FaultyOutput, audit: AuditLog) -> None:
        audit.read(create(), Result())

    assert phases(run(test)) == []
    assert phases(run(test, reads=True)) == ["read"]


def test_sums_of_rejections_are_written_at_the_end() -> None:
    async def test(_output: FaultyOutput, audit: AuditLog) -> None:
        for port in range(10):
            audit.rejected(stranger(f"ipv4:192.0.2.1:{port}"), UNKNOWN)
            audit.rejected(create(WEB), NOT_ALLOWED)
            audit.rejected(create(ANONYMOUS), NOT_ALLOWED)

    records = parse(run(test).content)
    assert sorted(record.get("count", 1) for record in records) == [1, 1, 1, 9, 9, 9]


def test_sums_of_rejections_are_written_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudfront_facade_server.audit.log.FIRST_WINDOW_SECONDS", 0.02)
    monkeypatch.setattr("cloudfront_facade_server.audit.denials.FIRST_WINDOW_SECONDS", 0.01)

    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        audit.rejected(stranger(), UNKNOWN)
        audit.rejected(stranger(), UNKNOWN)
        await until(lambda: len(parse(output.content)) == 2)
        await until(lambda: audit._sums_timer is None)
        audit.rejected(stranger(), UNKNOWN)
        await until(lambda: len(parse(output.content)) == 3)

    run(test)


def test_problems_and_their_end_are_logged_once() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.free = 0
        for _ in range(5):
            await rejected(audit)
        output.free = 2**40
        await audit.intent(create())

    with capture_logs() as logs:
        run(test)
    assert [log["event"] for log in logs if log["event"].startswith("audit log cannot")] == [
        "audit log cannot be written; changes are rejected"
    ]
    assert next(log for log in logs if "problem" in log)["problem"] == "no space left on device"
    assert logs[-1]["event"] == "audit log is written again"


def test_closing_writes_what_is_queued() -> None:
    async def test(_output: FaultyOutput, audit: AuditLog) -> None:
        for _ in range(2000):
            audit.early_outcome(create(), APPLIED)

    assert len(parse(run(test).content)) == 2000


def test_after_the_end_intents_are_rejected() -> None:
    async def test(_output: FaultyOutput, audit: AuditLog) -> None:
        await audit.close()
        await rejected(audit)

    run(test)


def test_closing_does_not_wait_for_a_write_that_hangs() -> None:
    async def test(output: FaultyOutput, audit: AuditLog) -> None:
        output.gate.clear()
        audit.early_outcome(create(), APPLIED)
        await until(output.writing.is_set)
        began = time.monotonic()
        await audit.close()
        assert time.monotonic() - began < 30 * TIMEOUT

    run(test)
