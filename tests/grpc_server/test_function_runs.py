"""Function runs of the embedded backend: at most four are concurrent, and they do not delay other calls."""

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

MAX_CONCURRENT = 4


class HeldRunner:
    """Does not run functions; every run ends when the runner is released.

    Attributes:
        max_in_flight: The highest number of concurrent runs.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._in_flight = 0
        self._released = False
        self.max_in_flight = 0

    def run(self, *_arguments: Any) -> Run:
        with self._changed:
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._released, 30)
            self._in_flight -= 1
        return Run('{"request":{}}', None, [], 6)

    def wait_for(self, runs: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._in_flight >= runs, 10)

    def release(self) -> None:
        with self._changed:
            self._released = True
            self._changed.notify_all()


@contextmanager
def server_at_limit() -> Iterator[tuple[Facade, HeldRunner, Callable[[], Any], list[Any]]]:
    """Yields a server at its limit of function runs, its runner, one more run, and the runs in flight."""
    runner = HeldRunner()
    with (
        running_facade(EmbeddedBackend(path=":memory:", s3_dir=None, runner=runner)) as facade,
        ThreadPoolExecutor(MAX_CONCURRENT) as callers,
    ):
        etag = facade.functions.CreateFunction(function("f")).etag
        request = function_service_pb2.TestFunctionRequest(name="f", etag=etag, event_object=b'{"version":"1.0"}')

        def run() -> Any:
            return facade.functions.TestFunction(request, timeout=20)

        in_flight = [callers.submit(run) for _ in range(MAX_CONCURRENT)]
        try:
            runner.wait_for(MAX_CONCURRENT)
            yield facade, runner, run, in_flight
        finally:
            runner.release()


def test_the_fifth_run_is_rejected_immediately_and_can_be_retried() -> None:
    with server_at_limit() as (_, runner, run, in_flight):
        failure = failing(run)
        runner.release()

        assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert failure.reason == "UPSTREAM_THROTTLED"
        assert failure.outcome == "not_applied"
        assert failure.retry_after
        assert all(future.result(10).test_result.function_output for future in in_flight)
        assert run().test_result.function_output
        assert runner.max_in_flight == MAX_CONCURRENT


def test_runs_do_not_delay_other_calls() -> None:
    with server_at_limit() as (facade, _, _, in_flight):
        started = time.monotonic()
        described = facade.functions.DescribeFunction(DescribeFunctionRequest(name="f"), timeout=10)

        assert described.function_summary.name == "f"
        assert time.monotonic() - started < 5
        assert not any(future.done() for future in in_flight)
