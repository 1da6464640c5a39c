"""Function runs of the embedded backend: a limited number is concurrent, others wait, and none delays other calls."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import grpc

from cloudfront_facade.v1 import function_service_pb2
from cloudfront_facade.v1.function_service_pb2 import DescribeFunctionRequest
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.function_runtime import Run
from function_runtime.events import request_event
from support.facade import Facade, failing, function, running_facade

MAX_CONCURRENT = 4
MANY = 60


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
def server_at_limit() -> Iterator[tuple[Facade, HeldRunner, Callable[..., Any], list[Any]]]:
    """Yields a server at its limit of function runs, its runner, one more run, and the runs in flight."""
    runner = HeldRunner()
    with (
        running_facade(
            EmbeddedBackend(path=":memory:", s3_dir=None, runner=runner), embedded_max_concurrent_tests=MAX_CONCURRENT
        ) as facade,
        ThreadPoolExecutor(MANY) as callers,
    ):
        etag = facade.functions.CreateFunction(function("f")).etag
        request = function_service_pb2.TestFunctionRequest(name="f", etag=etag, event_object=b'{"version":"1.0"}')

        def run(timeout: float = 20) -> Any:
            return facade.functions.TestFunction(request, timeout=timeout)

        in_flight = [callers.submit(run) for _ in range(MAX_CONCURRENT)]
        try:
            runner.wait_for(MAX_CONCURRENT)
            yield facade, runner, run, in_flight
        finally:
            runner.release()


def test_a_run_waits_for_its_turn() -> None:
    with server_at_limit() as (_, runner, run, in_flight), ThreadPoolExecutor(MANY) as callers:
        waiting = [callers.submit(run) for _ in range(MANY)]
        # Longer than other calls wait for a slot.
        assert not wait([*waiting, *in_flight], 0.6).done
        runner.release()
        assert all(future.result(10).test_result.function_output for future in (*in_flight, *waiting))
        assert runner.max_in_flight == MAX_CONCURRENT


def test_a_run_whose_turn_does_not_come_before_its_deadline_is_not_applied() -> None:
    with server_at_limit() as (_, runner, run, _):
        started = time.monotonic()
        failure = failing(run, timeout=1.2)

        assert time.monotonic() - started < 1.2
        assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert failure.message == "4 function tests are in flight, which is the limit; retry in about a second"
        assert failure.outcome == "not_applied"
        assert failure.retry_after
        runner.release()
        assert run().test_result.function_output


def test_waiting_runs_take_no_slots_of_other_calls() -> None:
    with server_at_limit() as (facade, runner, run, _), ThreadPoolExecutor(MANY) as callers:
        waiting = [callers.submit(run) for _ in range(MANY)]
        assert not wait(waiting, 0.3).done
        for _ in range(20):
            assert facade.functions.DescribeFunction(DescribeFunctionRequest(name="f"), timeout=5)
        runner.release()


def test_sixty_runs_at_the_same_time_all_complete() -> None:
    with (
        running_facade(EmbeddedBackend(path=":memory:", s3_dir=None)) as facade,
        ThreadPoolExecutor(MANY) as callers,
    ):
        etag = facade.functions.CreateFunction(function("f")).etag
        event = json.dumps(request_event()).encode()
        request = function_service_pb2.TestFunctionRequest(name="f", etag=etag, event_object=event)
        runs = [callers.submit(facade.functions.TestFunction, request, timeout=30) for _ in range(MANY)]
        results = [run.result(40).test_result for run in runs]
    assert all(result.function_output and not result.function_error_message for result in results)


def test_runs_do_not_delay_other_calls() -> None:
    with server_at_limit() as (facade, _, _, in_flight):
        started = time.monotonic()
        described = facade.functions.DescribeFunction(DescribeFunctionRequest(name="f"), timeout=10)

        assert described.function_summary.name == "f"
        assert time.monotonic() - started < 5
        assert not any(future.done() for future in in_flight)
