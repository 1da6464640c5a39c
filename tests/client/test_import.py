"""Many keys in one call: how they are sent, what is told meanwhile, and how it ends when it fails."""

from __future__ import annotations

import asyncio
import gc
import re
import sqlite3
import threading
import time
import traceback
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import grpc
import pytest

from client.both import Run, both
from client.canned import PATIENCE, Canned, Endless, Refusal, info, refusal, running_server
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade.jobs import put_many
from cloudfront_facade._helpers_sansio import MAX_REQUEST_BYTES, MAX_REQUEST_CHANGES
from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    ImportKeysRequest,
    ImportKeysResponse,
    KeyChange,
    KeyValue,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub

ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"
DONE = ImportKeysResponse(applied_changes=7, etag="E3")
PARTIAL = refusal(
    grpc.StatusCode.ABORTED,
    "no",
    info("ETAG_MISMATCH", outcome="partial", applied_changes="450", unknown_changes="50"),
    after=1,
)


def put(key: str, value: str = "v") -> KeyChange:
    return KeyChange(put=KeyValue(key=key, value=value))


def changes_of(servicer: Canned) -> list[KeyChange]:
    [received] = servicer.received
    return [change for request in received.request for change in request.changes]


@both
def test_changes_are_sent_in_order_and_the_store_is_named_once(run: Run) -> None:
    changes = [put(str(number)) for number in range(1201)]
    changes[3] = KeyChange(delete="3")
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        assert run(target, "key_values", "import_keys", ARN, iter(changes), etag="E1") == DONE
    [received] = servicer.received
    assert changes_of(servicer) == changes
    assert [(each.kvs_arn, each.etag) for each in received.request] == [(ARN, "E1"), ("", ""), ("", "")]
    assert [len(each.changes) for each in received.request] == [MAX_REQUEST_CHANGES, MAX_REQUEST_CHANGES, 201]


@both
def test_requests_are_small_however_large_the_values(run: Run) -> None:
    items = {f"{number:0512}": "ü" * 512 for number in range(400)}
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        run(target, "key_values", "put_many", ARN, items)
    [received] = servicer.received
    sizes = [each.ByteSize() for each in received.request]
    assert len(sizes) > 2
    assert max(sizes) < MAX_REQUEST_BYTES * 1.01
    assert min(sizes[:-1]) > MAX_REQUEST_BYTES * 0.95
    assert changes_of(servicer) == [put(key, value) for key, value in items.items()]


@both
def test_a_change_that_is_larger_than_a_request_is_sent_for_the_server_to_judge(run: Run) -> None:
    large = "x" * MAX_REQUEST_BYTES
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        run(target, "key_values", "put_many", ARN, [("a", large), ("b", large), ("c", "3")])
    [received] = servicer.received
    assert [[each.put.key for each in request.changes] for request in received.request] == [["a"], ["b"], ["c"]]


@both
def test_no_changes_at_all_are_for_the_server_to_judge(run: Run) -> None:
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        assert run(target, "key_values", "put_many", ARN, {}) == DONE
    [received] = servicer.received
    assert received.request == [ImportKeysRequest(kvs_arn=ARN)]


@both
@pytest.mark.parametrize(("kind", "total"), [(dict, 1200), (list, 1200), (iter, None)])
def test_progress_is_told_after_each_request(run: Run, kind: Any, total: int | None) -> None:
    seen: list[tuple[int, int | None]] = []
    items = kind([(str(number), "v") for number in range(1200)])
    with running_server(Canned(DONE)) as target:
        run(target, "key_values", "put_many", ARN, items, progress=lambda *told: seen.append(told))
    assert seen == [(500, total), (1000, total), (1200, total)]


@both
def test_a_total_can_be_said(run: Run) -> None:
    seen: list[tuple[int, int | None]] = []
    with running_server(Canned(DONE)) as target:
        run(
            target,
            "key_values",
            "import_keys",
            ARN,
            iter([put("a")]),
            total=9,
            progress=lambda *told: seen.append(told),
        )
    assert seen == [(1, 9)]


@both
def test_a_refusal_ends_the_sending_and_tells_what_was_applied(run: Run) -> None:
    items = Endless()
    with running_server(Canned(PARTIAL)) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", "put_many", ARN, items)
    error = caught.value
    assert (error.reason, error.outcome) == ("ETAG_MISMATCH", "partial")
    assert (error.applied_changes, error.unknown_changes) == (450, 50)


@pytest.mark.parametrize("stubs_only", [False, True])
def test_what_was_applied_is_told_also_where_the_refusal_comes_while_a_request_is_sent(stubs_only: bool) -> None:
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
def test_an_import_is_sent_once(run: Run) -> None:
    servicer = Canned(*[Refusal(grpc.StatusCode.UNAVAILABLE, "down", after=1)] * 2)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", "put_many", ARN, {"a": "1"})
    assert len(servicer.received) == 1
    assert (caught.value.outcome, caught.value.applied_changes, caught.value.unknown_changes) == ("unknown", None, None)


@both
def test_a_server_that_is_not_there_is_told(run: Run) -> None:
    with running_server(Canned()) as gone:
        pass
    with pytest.raises(FacadeError) as caught:
        run(gone, "key_values", "put_many", ARN, Endless())
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
"""Seconds between two changes of a slow source: a request of them takes ten seconds to pack."""


@both
@pytest.mark.parametrize("end", ["deadline", "refusal", "no server"])
def test_an_import_of_a_slow_source_ends_with_the_call_and_not_with_the_next_full_request(run: Run, end: str) -> None:
    read = [0]

    def slow() -> Iterator[tuple[str, str]]:
        yield from ((str(number), "v") for number in range(501 if end == "refusal" else 0))
        for number in range(501, 1000):
            read[0] += 1
            time.sleep(PAUSE)
            yield str(number), "v"

    with running_server(Canned(PARTIAL) if end == "refusal" else Canned()) as target:
        if end != "no server":
            with pytest.raises(FacadeError) as caught:
                run(target, "key_values", "put_many", ARN, slow(), timeout=0.5 if end == "deadline" else PATIENCE * 2)
    if end == "no server":
        with pytest.raises(FacadeError) as caught:
            run(target, "key_values", "put_many", ARN, slow())
    assert caught.value.code().name == {"deadline": "DEADLINE_EXCEEDED", "refusal": "ABORTED"}.get(end, "UNAVAILABLE")
    assert caught.value.applied_changes == (450 if end == "refusal" else None)
    assert read[0] < 150
    assert not hasattr(caught.value, "__notes__")


class Stalling:
    """Gives some pairs, then none and no end; knows whether it was closed."""

    def __init__(self, pairs: int = 1) -> None:
        self.stalls = asyncio.Event()
        self.closed = False
        self._pairs = pairs

    async def __aiter__(self) -> AsyncIterator[tuple[str, str]]:
        try:
            for number in range(self._pairs):
                yield str(number), "v"
            self.stalls.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.closed = True


def quietly(main: Coroutine[Any, Any, Any]) -> None:
    """Runs it, and has the event loop complain of nothing."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await main
        gc.collect()
        await asyncio.sleep(0.01)

    asyncio.run(watched())
    assert complaints == []


@pytest.mark.parametrize("stubs_only", [False, True])
@pytest.mark.parametrize("end", ["deadline", "refusal"])
def test_a_source_that_stalls_is_ended_with_the_call(end: str, stubs_only: bool) -> None:
    async def main(target: str) -> None:
        source = Stalling(501)
        async with aio.connect(target) as facade, grpc.aio.insecure_channel(target) as channel:
            stub = KeyValueStoreDataServiceStub(channel) if stubs_only else facade.key_values
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(FacadeError) as caught:
                    await aio.put_many(stub, ARN, source, timeout=0.5 if end == "deadline" else None)
            assert source.closed
            assert caught.value.code().name == ("ABORTED" if end == "refusal" else "DEADLINE_EXCEEDED")
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with running_server(Canned(PARTIAL) if end == "refusal" else Canned()) as target:
        quietly(main(target))


def test_an_import_that_is_cancelled_while_its_source_stalls_is_cancelled() -> None:
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
        quietly(main(target))


def test_a_source_is_closed_before_the_error_of_the_progress_is_raised() -> None:
    def progress(sent: int, total: int | None) -> None:
        raise LookupError

    async def main(target: str) -> None:
        source = Stalling(501)
        async with aio.connect(target) as facade:
            with pytest.raises(LookupError):
                await aio.put_many(facade.key_values, ARN, source, progress=progress)
        assert source.closed

    with running_server(Canned()) as target:
        quietly(main(target))


def test_a_timeout_of_the_source_itself_is_the_callers() -> None:
    async def slow() -> AsyncIterator[tuple[str, str]]:
        yield "a", "1"
        raise TimeoutError("the source's own")

    async def main(target: str) -> None:
        async with aio.connect(target) as facade:
            with pytest.raises(TimeoutError, match="the source's own"):
                await aio.put_many(facade.key_values, ARN, slow())

    with running_server(Canned()) as target:
        quietly(main(target))


class Watching(Canned):
    """Knows how its import ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = threading.Event()
        self.thought_it_whole = False

    def ImportKeys(self, requests: Any, context: Any) -> ImportKeysResponse:  # noqa: N802
        if not context.add_callback(self.ended.set):
            self.ended.set()
        for _ in requests:
            self.started.set()
        # A stream that was given up can look like one that has ended, until the end of the call is seen.
        self.thought_it_whole = not self.ended.wait(2)
        return DONE


def failing(error: Exception) -> Iterator[tuple[str, str]]:
    # More than is sent before the server has begun to read.
    for number in range(3000):
        yield str(number), "v" * 1000
    raise error


@both
@pytest.mark.parametrize(
    "error", [LookupError("the file ended"), FacadeError(grpc.StatusCode.NOT_FOUND), asyncio.InvalidStateError()]
)
def test_an_error_of_the_changes_themselves_ends_the_call_and_is_raised(run: Run, error: Exception) -> None:
    servicer, told = Watching(), [0]
    with running_server(servicer) as target:
        with pytest.raises(type(error)) as caught:
            run(target, "key_values", "put_many", ARN, failing(error), progress=lambda sent, _: told.append(sent))
        assert servicer.ended.wait(PATIENCE)
    assert caught.value is error

    assert 2500 < told[-1] < 3000
    assert caught.value.__notes__[-1] == (
        f"{told[-1]} changes had been handed to gRPC before; the first batches of them may have been applied."
    )


@both
def test_an_error_before_anything_was_sent_says_so_too(run: Run) -> None:
    keys = {0: "a"}
    with running_server(Canned()) as target, pytest.raises(LookupError) as caught:
        run(target, "key_values", "import_keys", ARN, (put(keys[number]) for number in range(2)))
    assert caught.value.__notes__ == ["0 changes had been handed to gRPC before; none was applied."]


@both
def test_a_refusal_has_no_note_for_it_says_what_was_applied(run: Run) -> None:
    with running_server(Canned(PARTIAL)) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", "put_many", ARN, {"a": "1"})
    assert not hasattr(caught.value, "__notes__")


NO_PAIR = "items[1] is no pair of a key and a value"


@both
@pytest.mark.parametrize(
    ("item", "kind", "said"),
    [
        (("secret", None), TypeError, "the value of items[1] is NoneType, and must be str"),
        (("secret", 5), TypeError, "the value of items[1] is int, and must be str"),
        (("secret", b"secret"), TypeError, "the value of items[1] is bytes, and must be str"),
        ((None, "secret"), TypeError, "the key of items[1] is NoneType, and must be str"),
        (("secret", "secret", "secret"), ValueError, NO_PAIR),
        (("secret",), ValueError, NO_PAIR),
        ("ab", ValueError, NO_PAIR),
        (7, ValueError, NO_PAIR),
        (("secret", "secret\ud800"), ValueError, "the value of items[1] has a lone surrogate"),
        (("secret\ud800", "secret"), ValueError, "the key of items[1] has a lone surrogate"),
    ],
)
def test_an_item_that_is_none_is_refused_by_its_place(run: Run, item: Any, kind: type[Exception], said: str) -> None:
    servicer = Canned()
    with running_server(servicer) as target, pytest.raises(kind, match=re.escape(said)) as caught:
        run(target, "key_values", "put_many", ARN, [("a", "1"), item])
    assert "secret" not in "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@both
def test_what_is_no_change_is_refused_by_its_place(run: Run) -> None:
    changes: Any = [put("a"), ("secret", "secret")]
    with (
        running_server(Canned()) as target,
        pytest.raises(TypeError, match=r"changes\[1\] is tuple, and must be KeyChange") as caught,
    ):
        run(target, "key_values", "import_keys", ARN, changes)
    assert caught.value.__notes__ == ["0 changes had been handed to gRPC before; none was applied."]


def test_a_value_that_is_none_is_refused_in_mappings_and_in_what_comes_asynchronously() -> None:
    async def wrong() -> AsyncIterator[Any]:
        yield "a", "1"
        yield "b", None

    async def main(target: str) -> None:
        async with aio.connect(target) as facade:
            await aio.put_many(facade.key_values, ARN, wrong())

    mapping: Any = {"a": "1", "b": None}
    with running_server(Canned()) as target:
        with connect(target) as facade, pytest.raises(TypeError, match=r"items\[1\] is NoneType"):
            put_many(facade.key_values, ARN, mapping)
        with pytest.raises(TypeError, match=r"items\[1\] is NoneType"):
            asyncio.run(main(target))


def test_what_was_given_up_is_not_taken_for_the_whole() -> None:
    servicer = Watching()
    with running_server(servicer) as target, connect(target) as facade:
        with pytest.raises(LookupError):
            put_many(facade.key_values, ARN, failing(LookupError()))
        assert servicer.ended.wait(PATIENCE)
    assert not servicer.thought_it_whole


@both
def test_an_error_of_the_progress_ends_the_call_and_is_raised(run: Run) -> None:
    def progress(sent: int, total: int | None) -> None:
        if sent > 3000:
            raise KeyboardInterrupt

    servicer = Watching()
    with running_server(servicer) as target:
        with pytest.raises(KeyboardInterrupt):
            run(target, "key_values", "put_many", ARN, Endless(), progress=progress)
        assert servicer.ended.wait(PATIENCE)


@both
def test_changes_are_read_in_the_thread_of_the_caller(run: Run) -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table redirects (source, target)")
        database.executemany("insert into redirects values (?, ?)", [(f"/{n}", f"/new/{n}") for n in range(1200)])
        servicer = Canned(DONE)
        with running_server(servicer) as target:
            run(target, "key_values", "put_many", ARN, database.execute("select source, target from redirects"))
    database.close()
    assert len(changes_of(servicer)) == 1200


async def pairs() -> AsyncIterator[tuple[str, str]]:
    for number in range(700):
        await asyncio.sleep(0)
        yield str(number), "v"


def test_changes_may_come_asynchronously() -> None:
    async def main(target: str) -> ImportKeysResponse:
        async with aio.connect(target) as facade:
            return await aio.put_many(facade.key_values, ARN, pairs())

    servicer = Canned(DONE)
    with running_server(servicer) as target:
        assert asyncio.run(main(target)) == DONE
    assert [each.put.key for each in changes_of(servicer)] == [str(number) for number in range(700)]


def test_an_import_that_is_cancelled_ends_at_the_server_too() -> None:
    async def main(target: str, servicer: Watching) -> None:
        async with aio.connect(target) as facade:
            task = asyncio.create_task(aio.put_many(facade.key_values, ARN, Endless()))
            await asyncio.to_thread(servicer.started.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(servicer.ended.wait, PATIENCE)

    servicer = Watching()
    with running_server(servicer) as target:
        asyncio.run(main(target, servicer))


def test_no_thread_is_left_behind_by_an_import_that_failed() -> None:
    def threads() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if each.daemon}

    def late_failing() -> Iterator[tuple[str, str]]:
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
                put_many(facade.key_values, ARN, late_failing())
    for thread in threads() - before:
        thread.join(PATIENCE)
    assert threads() <= before
