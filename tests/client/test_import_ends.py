"""Imports that end early: by an error status, a deadline or a cancellation. Sources are closed, threads do not leak."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest

from client.both import Run, both
from client.canned import PATIENCE, Canned, Endless, ErrorStatus, reserved_target, running_server
from client.importing import ARN, PARTIAL, RecordingServicer, Stalling, run_without_loop_errors
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade.jobs import put_many
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub


@both
def test_an_error_status_stops_the_import_and_reports_the_applied_changes(run: Run) -> None:
    items = Endless()
    with running_server(Canned(PARTIAL)) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", "put_many", ARN, items)
    error = caught.value
    assert (error.reason, error.outcome) == ("ETAG_MISMATCH", "partial")
    assert (error.applied_changes, error.unknown_changes) == (450, 50)


@pytest.mark.parametrize("stubs_only", [False, True])
def test_applied_changes_are_reported_if_the_status_arrives_during_a_write(stubs_only: bool) -> None:
    async def main(target: str) -> set[tuple[str, int | None]]:
        seen = set()
        async with aio.connect(target) as facade, grpc.aio.insecure_channel(target) as channel:
            stub = KeyValueStoreDataServiceStub(channel) if stubs_only else facade.key_values
            for _ in range(80):
                with pytest.raises(FacadeError) as caught:
                    await aio.put_many(stub, ARN, Endless())
                seen.add((caught.value.reason, caught.value.applied_changes))
        return seen

    with running_server(Canned(*[PARTIAL] * 80)) as target:
        assert asyncio.run(main(target)) == {("ETAG_MISMATCH", 450)}


@both
def test_an_import_is_not_retried(run: Run) -> None:
    servicer = Canned(*[ErrorStatus(grpc.StatusCode.UNAVAILABLE, "down", after=1)] * 2)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", "put_many", ARN, {"a": "1"})
    assert len(servicer.received) == 1
    assert (caught.value.outcome, caught.value.applied_changes, caught.value.unknown_changes) == ("unknown", None, None)


@both
def test_an_unreachable_server_ends_the_import(run: Run) -> None:
    with reserved_target() as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", "put_many", ARN, Endless())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@both
def test_an_import_ends_at_its_deadline(run: Run) -> None:
    servicer = Canned()
    servicer.released.clear()
    with running_server(servicer) as target:
        with pytest.raises(FacadeError) as caught:
            run(target, "key_values", "put_many", ARN, Endless(), timeout=0.5)
        servicer.released.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


PAUSE = 0.02
"""Seconds between two changes of a slow source, which needs ten seconds to fill a request."""


@both
@pytest.mark.parametrize("end", ["deadline", "error status", "no server"])
def test_a_slow_source_does_not_delay_the_end_of_the_call(run: Run, end: str) -> None:
    read = [0]

    def slow() -> Iterator[tuple[str, str]]:
        yield from ((str(number), "v") for number in range(501 if end == "error status" else 0))
        for number in range(501, 1000):
            read[0] += 1
            time.sleep(PAUSE)
            yield str(number), "v"

    servicer = Canned(PARTIAL) if end == "error status" else Canned()
    timeout = 0.5 if end == "deadline" else PATIENCE * 2
    with (
        reserved_target() if end == "no server" else running_server(servicer) as target,
        pytest.raises(FacadeError) as caught,
    ):
        run(target, "key_values", "put_many", ARN, slow(), timeout=timeout)
    assert caught.value.code().name == {"deadline": "DEADLINE_EXCEEDED", "error status": "ABORTED"}.get(
        end, "UNAVAILABLE"
    )
    assert caught.value.applied_changes == (450 if end == "error status" else None)
    assert read[0] < 150
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("stubs_only", [False, True])
@pytest.mark.parametrize("end", ["deadline", "error status"])
def test_a_stalled_source_is_interrupted_when_the_call_ends(end: str, stubs_only: bool) -> None:
    async def main(target: str) -> None:
        source = Stalling(501)
        async with aio.connect(target) as facade, grpc.aio.insecure_channel(target) as channel:
            stub = KeyValueStoreDataServiceStub(channel) if stubs_only else facade.key_values
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(FacadeError) as caught:
                    await aio.put_many(stub, ARN, source, timeout=0.5 if end == "deadline" else None)
            assert source.closed
            assert caught.value.code().name == ("ABORTED" if end == "error status" else "DEADLINE_EXCEEDED")
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with running_server(Canned(PARTIAL) if end == "error status" else Canned()) as target:
        run_without_loop_errors(main(target))


def test_an_import_with_a_stalled_source_can_be_cancelled() -> None:
    async def main(target: str) -> None:
        source = Stalling()
        async with aio.connect(target) as facade:
            task = asyncio.create_task(aio.put_many(facade.key_values, ARN, source))
            await source.stalls.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert source.closed
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await aio.put_many(facade.key_values, ARN, Stalling())

    with running_server(Canned()) as target:
        run_without_loop_errors(main(target))


def test_the_source_is_closed_before_a_progress_error_is_raised() -> None:
    def progress(sent: int, total: int | None) -> None:
        raise LookupError

    async def main(target: str) -> None:
        source = Stalling(501)
        async with aio.connect(target) as facade:
            with pytest.raises(LookupError):
                await aio.put_many(facade.key_values, ARN, source, progress=progress)
        assert source.closed

    with running_server(Canned()) as target:
        run_without_loop_errors(main(target))


def test_a_timeout_error_of_the_source_is_raised() -> None:
    async def slow() -> AsyncIterator[tuple[str, str]]:
        yield "a", "1"
        raise TimeoutError("the source's own")

    async def main(target: str) -> None:
        async with aio.connect(target) as facade:
            with pytest.raises(TimeoutError, match="the source's own"):
                await aio.put_many(facade.key_values, ARN, slow())

    with running_server(Canned()) as target:
        run_without_loop_errors(main(target))


def test_a_cancelled_import_also_ends_on_the_server() -> None:
    async def main(target: str, servicer: RecordingServicer) -> None:
        async with aio.connect(target) as facade:
            task = asyncio.create_task(aio.put_many(facade.key_values, ARN, Endless()))
            await asyncio.to_thread(servicer.started.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(servicer.ended.wait, PATIENCE)

    servicer = RecordingServicer()
    with running_server(servicer) as target:
        asyncio.run(main(target, servicer))


def test_a_failed_import_leaves_no_thread_behind() -> None:
    def threads() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.daemon}

    def fail_late() -> Iterator[tuple[str, str]]:
        yield from ((str(number), "v") for number in range(600))
        time.sleep(0.3)
        raise LookupError

    before = threads()
    with running_server(Canned(*[PARTIAL] * 3)) as target, connect(target) as facade:
        for _ in range(3):
            with pytest.raises(FacadeError):
                put_many(facade.key_values, ARN, Endless())
        for _ in range(3):
            with pytest.raises(LookupError):
                put_many(facade.key_values, ARN, fail_late())
    for thread in threads() - before:
        thread.join(PATIENCE)
    assert threads() <= before
