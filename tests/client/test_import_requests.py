"""How an import of many keys is sent: the requests, their sizes and the progress."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from client.both import Run, asynchronous, blocking, both
from client.canned import Canned, running_server
from client.importing import ARN, DONE, changes_of
from cloudfront_facade import FacadeError, aio
from cloudfront_facade._imports_sansio import MAX_REQUEST_BYTES, MAX_REQUEST_CHANGES, MAX_SILENCE
from cloudfront_facade._request_writer import RequestWriter
from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest, ImportKeysResponse, KeyChange
from support.messages import put


@both
def test_changes_are_sent_in_order_and_only_the_first_request_names_the_store(run: Run) -> None:
    changes = [put(str(number)) for number in range(1201)]
    changes[3] = KeyChange(delete="3")
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        assert run(target, "key_values", "import_keys", ARN, iter(changes), etag="E1") == DONE
    [received] = servicer.received
    assert changes_of(servicer) == changes
    assert [(request.kvs_arn, request.etag) for request in received.request] == [(ARN, "E1"), ("", ""), ("", "")]
    assert [len(request.changes) for request in received.request] == [MAX_REQUEST_CHANGES, MAX_REQUEST_CHANGES, 201]


@both
def test_requests_stay_below_the_size_limit(run: Run) -> None:
    items = {f"{number:0512}": "ü" * 512 for number in range(400)}
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        run(target, "key_values", "put_many", ARN, items)
    [received] = servicer.received
    sizes = [request.ByteSize() for request in received.request]
    assert len(sizes) > 2
    assert max(sizes) < MAX_REQUEST_BYTES * 1.01
    assert min(sizes[:-1]) > MAX_REQUEST_BYTES * 0.95
    assert changes_of(servicer) == [put(key, value) for key, value in items.items()]


@both
def test_an_oversized_change_is_sent_alone_and_left_to_the_server_to_validate(run: Run) -> None:
    large = "x" * MAX_REQUEST_BYTES
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        run(target, "key_values", "put_many", ARN, [("a", large), ("b", large), ("c", "3")])
    [received] = servicer.received
    assert [[change.put.key for change in request.changes] for request in received.request] == [["a"], ["b"], ["c"]]


@both
def test_an_empty_import_is_sent_and_left_to_the_server_to_validate(run: Run) -> None:
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        assert run(target, "key_values", "put_many", ARN, {}) == DONE
    [received] = servicer.received
    assert received.request == [ImportKeysRequest(kvs_arn=ARN)]


class SlowSource:
    """Pairs, each of which comes some seconds after the one before it, by the clock of the imports."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *pauses: float) -> None:
        self._now = 1000.0
        self._pauses = pauses
        clock = SimpleNamespace(monotonic=lambda: self._now)
        monkeypatch.setattr("cloudfront_facade._imports_sansio.time", clock)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for number, pause in enumerate(self._pauses):
            self._now += pause
            yield str(number), "v"

    def wait(self, *_: object) -> None:
        self._now += MAX_SILENCE


class SlowAsyncSource:
    """The same, asynchronous."""

    def __init__(self, *arguments: Any) -> None:
        self._source = SlowSource(*arguments)

    async def __aiter__(self) -> AsyncIterator[tuple[str, str]]:
        for pair in self._source:
            yield pair


@pytest.mark.parametrize(
    ("run", "kind"), [(blocking, SlowSource), (asynchronous, SlowSource), (asynchronous, SlowAsyncSource)]
)
@pytest.mark.parametrize(
    ("pauses", "sent"),
    [
        ([0, 0.1, 0.1], [3]),
        ([MAX_SILENCE - 0.5, 1, 1, 1], [2, 2]),
        ([50, 50, 0.1, 50], [1, 1, 2]),
        ([*[0] * (MAX_REQUEST_CHANGES + 1), 6], [MAX_REQUEST_CHANGES, 2]),
    ],
)
def test_changes_that_come_slowly_are_not_kept_until_a_request_is_full(
    run: Run, kind: Any, pauses: list[float], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        assert run(target, "key_values", "put_many", ARN, kind(monkeypatch, *pauses)) == DONE
    [received] = servicer.received
    assert [len(request.changes) for request in received.request] == sent
    assert [change.put.key for change in changes_of(servicer)] == [str(number) for number in range(len(pauses))]


def test_the_time_in_which_a_request_waits_to_be_sent_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow server would otherwise get a request for each change."""
    source = SlowSource(monkeypatch, *[0] * 1200)

    def write(writer: RequestWriter, request: Any) -> bool:
        source.wait()
        return send(writer, request)

    send = RequestWriter.write
    monkeypatch.setattr(RequestWriter, "write", write)
    servicer = Canned(DONE)
    with running_server(servicer) as target:
        blocking(target, "key_values", "put_many", ARN, source)
    [received] = servicer.received
    assert [len(request.changes) for request in received.request] == [500, 500, 200]


@both
@pytest.mark.parametrize("items", [{}, iter(())])
def test_the_server_rejects_an_empty_import(run: Run, items: Any, facade_address: str) -> None:
    arn = "arn:aws:cloudfront::000000000000:key-value-store/00000000-0000-4000-8000-000000000000"
    with pytest.raises(FacadeError) as caught:
        run(facade_address, "key_values", "put_many", arn, items)
    error = caught.value
    assert (error.reason, error.outcome, error.applied_changes) == ("VALIDATION_FAILED", "not_applied", 0)
    assert [(violation.field, violation.reason) for violation in error.violations] == [("changes", "CHANGES_COUNT")]


@both
@pytest.mark.parametrize(("kind", "total"), [(dict, 1200), (list, 1200), (iter, None)])
def test_progress_is_reported_after_each_request(run: Run, kind: Any, total: int | None) -> None:
    reported: list[tuple[int, int | None]] = []
    items = kind([(str(number), "v") for number in range(1200)])
    with running_server(Canned(DONE)) as target:
        run(target, "key_values", "put_many", ARN, items, progress=lambda *counts: reported.append(counts))
    assert reported == [(500, total), (1000, total), (1200, total)]


@both
def test_the_caller_can_set_the_total(run: Run) -> None:
    reported: list[tuple[int, int | None]] = []
    with running_server(Canned(DONE)) as target:
        run(
            target,
            "key_values",
            "import_keys",
            ARN,
            iter([put("a")]),
            total=9,
            progress=lambda *counts: reported.append(counts),
        )
    assert reported == [(1, 9)]


@both
def test_changes_are_read_in_the_callers_thread(run: Run) -> None:
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


def test_changes_can_be_an_asynchronous_iterable() -> None:
    async def main(target: str) -> ImportKeysResponse:
        async with aio.connect(target) as facade:
            return await aio.put_many(facade.key_values, ARN, pairs())

    servicer = Canned(DONE)
    with running_server(servicer) as target:
        assert asyncio.run(main(target)) == DONE
    assert [change.put.key for change in changes_of(servicer)] == [str(number) for number in range(700)]
