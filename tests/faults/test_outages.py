"""An upstream that fails for a while: how many requests it receives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import grpc
import pytest

from cloudfront_facade import FacadeError, connect
from cloudfront_facade.v1 import function_service_pb2 as functions
from faults.changing import MakeBackend, updating
from support.cloudfront.faults import Fault, close, hang, status_only, throttle
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, failing, function, running_facade

OPERATIONS: Final = ("CreateFunction", "UpdateFunction", "DescribeFunction", "GetFunction", "ListTagsForResource")
MAX_REQUESTS: Final = 12

DEAD: Final[dict[str, Callable[[], Fault]]] = {
    "500": lambda: status_only(500),
    "503": lambda: status_only(503),
    "closed": close,
    "silent": hang,
}


def break_down(double: CloudFrontDouble, fault: Fault) -> int:
    """Lets all requests fail; returns how many there were before."""
    for operation in OPERATIONS:
        double.always(operation, fault)
    return len(double.requests)


@pytest.mark.parametrize("fault", DEAD.values(), ids=DEAD.keys())
def test_a_call_sends_a_dead_upstream_at_most_three_requests(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, fault: Callable[[], Fault]
) -> None:
    backend = aws_backend(cloudfront, read_timeout=0.3)
    with running_facade(backend, settle_timeout=2) as facade:
        etag = facade.functions.CreateFunction(function()).etag
        for call, request in (
            (facade.functions.CreateFunction, function("another", request_id=REQUEST_ID)),
            (facade.functions.UpdateFunction, updating(etag)),
        ):
            before = break_down(cloudfront, fault())
            failure = failing(call, request)
            assert (failure.code, failure.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")
            assert len(cloudfront.requests) - before <= 3


def test_one_create_costs_a_dead_upstream_at_most_twelve_requests_with_all_retries_of_the_client(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    before = break_down(cloudfront, status_only(503))
    with (
        running_facade(aws_backend(cloudfront), settle_timeout=1) as facade,
        connect(facade.address) as client,
        pytest.raises(FacadeError) as caught,
    ):
        client.functions.CreateFunction(function())
    assert (caught.value.reason, caught.value.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    sends = cloudfront.count("CreateFunction")
    assert 1 < sends <= len(cloudfront.requests) - before <= MAX_REQUESTS


def test_reads_that_fail_while_a_change_is_settled_back_off(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront), settle_timeout=5) as facade:
        break_down(cloudfront, status_only(503))
        started = time.monotonic()
        failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))
        duration = time.monotonic() - started
    assert cloudfront.count("DescribeFunction") == 2
    assert 1.9 < duration < 4


def test_the_pushback_of_throttling_has_jitter(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    cloudfront.always("ListFunctions", throttle())
    with running_facade(aws_backend(cloudfront)) as facade:
        failures = [failing(facade.functions.ListFunctions, functions.ListFunctionsRequest()) for _ in range(12)]
    delays: set[Any] = {failure.retry_after for failure in failures}
    assert len(delays) > 6
    assert all(1.0 <= delay <= 3.0 for delay in delays)
    assert all(failure.pushback == str(round((failure.retry_after or 0) * 1000)) for failure in failures)
