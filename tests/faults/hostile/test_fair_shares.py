"""A caller that floods the server is served in its share; others hardly notice."""

from __future__ import annotations

import itertools
import threading
import time
from statistics import median
from typing import Any

import grpc

from cloudfront_facade.v1.function_service_pb2 import DescribeFunctionRequest, FunctionStage
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.cloudfront.faults import delay
from support.cloudfront.http import CloudFrontDouble
from support.facade import function, open_channel
from support.http2 import attackers
from support.process import FacadeProcess

LOOPS = 80
LATENCY = 0.1
REQUEST = DescribeFunctionRequest(name="f", stage=FunctionStage.FUNCTION_STAGE_DEVELOPMENT)


def flood(address: str) -> None:
    """Calls in many loops over one connection, until the process is terminated."""
    channel: Any = grpc.insecure_channel(address)
    describe = FunctionServiceStub(channel).DescribeFunction

    def loop() -> None:
        while True:
            describe.future(REQUEST, timeout=5).exception()

    for _ in range(LOOPS):
        threading.Thread(target=loop, daemon=True).start()
    time.sleep(600)


def polite(address: str, seconds: float) -> tuple[list[float], int]:
    """Calls in one loop; returns the durations of the calls that succeeded, and how many failed."""
    durations, failed = [], 0
    with open_channel(address, use_local_subchannel_pool=1) as channel:
        describe = FunctionServiceStub(channel).DescribeFunction
        describe(REQUEST, timeout=5)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            started = time.monotonic()
            if describe.future(REQUEST, timeout=5).exception() is None:
                durations.append(time.monotonic() - started)
            else:
                failed += 1
    return durations, failed


def delay_of_polite_callers(address: str) -> tuple[float, float]:
    """Returns by how much the median of four polite callers is longer during a flood, and the share that fails."""
    alone, _ = polite(address, 0.6)
    results: list[tuple[list[float], int]] = []
    with attackers(flood, address, count=1):
        time.sleep(1.5)
        threads = [threading.Thread(target=lambda: results.append(polite(address, 2.0))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    durations = list(itertools.chain.from_iterable(times for times, _ in results))
    failed = sum(count for _, count in results)
    return median(durations) - median(alone), failed / (len(durations) + failed)


def test_four_polite_callers_are_served_although_one_has_eighty_loops(cloudfront: CloudFrontDouble) -> None:
    with FacadeProcess("--backend", "aws", "--endpoint-url", cloudfront.url, "--drain-delay", "0") as process:
        with open_channel(process.address) as channel:
            FunctionServiceStub(channel).CreateFunction(function("f"))
        cloudfront.always("DescribeFunction", delay(LATENCY))
        measured = []
        for _ in range(3):  # the machine may be busy
            measured.append(delay_of_polite_callers(process.address))
            if measured[-1][0] < 0.05 and measured[-1][1] <= 0.02:
                return
    raise AssertionError(measured)
