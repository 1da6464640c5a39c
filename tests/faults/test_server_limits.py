"""Limits on the size and the number of calls."""

from __future__ import annotations

import threading
import time
from typing import Any

import grpc

from cloudfront_facade.v1.tag_pb2 import Tag
from faults.changing import MakeBackend, updating
from faults.default_facade import facade
from support.cloudfront.faults import (
    delay,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, check_health, failing, function, running_facade

__all__ = ["facade"]


class SlowBackend:
    """A backend that responds when it is released."""

    name = "slow"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.entered = threading.Semaphore(0)

    def create_function(self, **arguments: Any) -> Any:
        self.entered.release()
        self.release.wait(30)
        return {"FunctionSummary": {"Name": arguments["Name"]}}

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_a_message_above_the_limit_is_rejected(facade: Facade) -> None:
    for _ in range(3):
        failure = failing(facade.functions.CreateFunction, function(function_code=b"x" * 300_000))
        assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    facade.functions.CreateFunction(function())


def test_calls_above_the_limit_are_shed_but_health_checks_are_not() -> None:
    backend = SlowBackend()
    with running_facade(backend, max_concurrent_calls=2) as facade:
        running = [facade.functions.CreateFunction.future(function(f"f{index}")) for index in range(2)]
        for _ in running:
            assert backend.entered.acquire(timeout=5)
        failure = failing(facade.functions.CreateFunction, function("one-more"))
        check_health(facade)
        backend.release.set()
        assert all(call.code() is grpc.StatusCode.OK for call in running)
        facade.functions.CreateFunction(function("later"))

    assert failure.reason == "OVERLOADED"
    assert failure.metadata["limit"] == "2"


def test_a_message_full_of_tags_does_not_delay_other_calls(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    full = function(tags=[Tag()] * 120_000)
    check_health(facade)

    def slowest_health_check() -> float:
        rejected, slowest = facade.functions.CreateFunction.future(full, timeout=60), 0.0
        while not rejected.done():
            started = time.monotonic()
            check_health(facade)
            slowest = max(slowest, time.monotonic() - started)
        failure = failing(rejected.result)
        assert int(failure.metadata["violation_count"]) >= 1000
        assert failure.violations[0].description == "120000 tags; allowed: at most 50"
        return slowest

    # The best of several runs, because the machine may be busy. Checking every tag would take far longer each time.
    assert min(slowest_health_check() for _ in range(6)) < 0.05
    assert cloudfront.requests == ()


def test_reads_after_an_error_count_against_the_limit_of_upstream_calls(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront), max_concurrent_upstream_calls=2) as facade:
        created = facade.functions.CreateFunction(function())
        facade.functions.UpdateFunction(updating(created.etag))
        cloudfront.always("DescribeFunction", delay(0.2))
        stale = updating(created.etag, b"// 3")
        calls = [facade.functions.UpdateFunction.future(stale, timeout=20) for _ in range(30)]
        reasons = {failing(call.result).reason for call in calls}
    assert reasons == {"ETAG_MISMATCH", "OVERLOADED"}
    assert cloudfront.count("DescribeFunction") > 0
    assert cloudfront.max_in_flight <= 2
