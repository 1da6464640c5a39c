"""Functions run apart from all else on the embedded backend, and no more than four at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from cloudfront_facade.v1 import function_service_pb2
from cloudfront_facade.v1.function_service_pb2 import DescribeFunctionRequest
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.function_runtime import Run
from support.facade import Facade, failing, function, running_facade

AT_ONCE = 4


class HeldRunner:
    """Runs nothing; each run ends when it is let go.

    Attributes:
        most_at_once: how many runs were under way at once at the most.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._let_go = False
        self.most_at_once = 0

    def run(self, *_arguments: Any) -> Run:
        with self._changed:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._let_go, 30)
            self._under_way -= 1
        return Run('{"request":{}}', None, [], 6)

    def wait_for(self, runs: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._under_way >= runs, 10)

    def let_go(self) -> None:
        with self._changed:
            self._let_go = True
            self._changed.notify_all()


@contextmanager
def full() -> Iterator[tuple[Facade, HeldRunner, Callable[[], Any], list[Any]]]:
    """A server that runs as many functions as it may: gives it, its runner, one more run, and those under way."""
    runner = HeldRunner()
    with (
        running_facade(EmbeddedBackend(path=":memory:", s3_dir=None, runner=runner)) as facade,
        ThreadPoolExecutor(AT_ONCE) as callers,
    ):
        etag = facade.functions.CreateFunction(function("f")).etag
        request = function_service_pb2.TestFunctionRequest(name="f", etag=etag, event_object=b'{"version":"1.0"}')

        def run() -> Any:
            return facade.functions.TestFunction(request, timeout=20)

        in_flight = [callers.submit(run) for _ in range(AT_ONCE)]
        try:
            runner.wait_for(AT_ONCE)
            yield facade, runner, run, in_flight
        finally:
            runner.let_go()


def test_a_fifth_run_is_refused_at_once_and_may_come_again() -> None:
    with full() as (_, runner, run, in_flight):
        failure = failing(run)
        runner.let_go()

        assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert failure.reason == "UPSTREAM_THROTTLED"
        assert failure.outcome == "not_applied"
        assert failure.retry_after
        assert all(each.result(10).test_result.function_output for each in in_flight)
        assert run().test_result.function_output
        assert runner.most_at_once == AT_ONCE


def test_the_runs_hold_up_nothing_else() -> None:
    with full() as (facade, _, _, in_flight):
        begun = time.monotonic()
        described = facade.functions.DescribeFunction(DescribeFunctionRequest(name="f"), timeout=10)

        assert described.function_summary.name == "f"
        assert time.monotonic() - begun < 5
        assert not any(each.done() for each in in_flight)
