"""The clock of the machine jumps; timeouts are measured by another clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.cloudfront.faults import hang
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, failing, function, open_channel
from support.process import FacadeProcess
from support.tools import skip_or_fail


def libfaketime() -> str:
    """Returns the path of Debian's libfaketime; skips the test if it is missing."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else skip_or_fail("libfaketime is not installed")


@contextmanager
def server(cloudfront: CloudFrontDouble, clock: Path) -> Iterator[FacadeProcess]:
    """Runs a server whose clock follows a file with an offset."""
    environment = {
        "LD_PRELOAD": libfaketime(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    flags = ("--backend", "aws", "--endpoint-url", cloudfront.url, "--drain-delay", "0")
    with FacadeProcess(*flags, environment=environment) as process:
        yield process


@pytest.mark.parametrize("hours", [1, -1])
def test_calls_go_on_and_deadlines_hold_when_the_clock_jumps(
    cloudfront: CloudFrontDouble, tmp_path: Path, hours: int
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    with server(cloudfront, clock) as process, open_channel(process.address) as channel:
        functions = FunctionServiceStub(channel)
        assert functions.CreateFunction(function("before"), timeout=30).etag
        before = process.wait_for("rpc")
        cloudfront.script("CreateFunction", hang())
        hanging = functions.CreateFunction.future(function("during", request_id=REQUEST_ID), timeout=4)
        cloudfront.wait_for("CreateFunction", times=2, timeout=4)
        started = time.monotonic()
        clock.write_text(f"{hours * 3600:+d}")

        failure = failing(hanging.result)
        assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert 2 < time.monotonic() - started < 30
        cloudfront.release()
        line = process.wait_for("rpc")
        assert abs(moved(before, line) - timedelta(hours=hours)) < timedelta(minutes=1), "the clock did not jump"
        assert 2_000 < line["duration_ms"] < 30_000
        assert functions.CreateFunction(function("during", request_id=REQUEST_ID), timeout=30).etag
        assert functions.CreateFunction(function("after"), timeout=30).etag
    assert not [line for line in process.lines if "text" in line or line["level"] == "error"]


def moved(first: dict[str, str], second: dict[str, str]) -> timedelta:
    """Returns the time between two log lines."""
    times = [datetime.fromisoformat(line["timestamp"]) for line in (first, second)]
    return times[1] - times[0]
