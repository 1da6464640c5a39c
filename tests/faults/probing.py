"""Measures what a server still does for others while it is attacked."""

from __future__ import annotations

import time
from statistics import median
from typing import Any, Final

from cloudfront_facade.v1.function_service_pb2 import ListFunctionsRequest
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.process import FacadeProcess

HEALTH: Final = "/grpc.health.v1.Health/Check"

MAX_GROWTH: Final = 300.0
"""MiB above the idle server."""

SECONDS: Final = 0.6


def probe(process: FacadeProcess, channel: Any) -> tuple[float, float, float]:
    """Calls the server for a while; returns its largest memory in MiB, the calls' median duration, and what failed."""
    check, read = channel.unary_unary(HEALTH), FunctionServiceStub(channel).ListFunctions
    peak, failed, durations, ends = 0.0, 0, [], time.monotonic() + SECONDS
    while time.monotonic() < ends:
        for method, request in ((check, b""), (read, ListFunctionsRequest())):
            started = time.monotonic()
            failed += method.future(request, timeout=5).exception() is not None
            durations.append(time.monotonic() - started)
        peak = max(peak, process.memory())
        time.sleep(0.01)
    return peak, median(durations), failed / len(durations)
