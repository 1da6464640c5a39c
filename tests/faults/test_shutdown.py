"""Shutdown by SIGTERM and SIGKILL, with real processes in front of the CloudFront double."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.cloudfront.faults import Exchange, Hangup, apply_then, apply_then_hang, hang, hold, normally, status_only
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.wire import HttpResponse
from support.facade import REQUEST_ID, Failure, failing, function, open_channel
from support.process import EMBEDDED_WITH_DRAIN, FacadeProcess


def start(cloudfront: CloudFrontDouble, *arguments: str) -> FacadeProcess:
    return FacadeProcess("--backend", "aws", "--endpoint-url", cloudfront.url, *arguments).wait_until_serving()


@pytest.fixture
def caller() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as executor:
        yield executor


def create(process: FacadeProcess, timeout: float = 20) -> grpc.StatusCode | Failure:
    with open_channel(process.address) as channel:
        call = FunctionServiceStub(channel).CreateFunction.future(function(request_id=REQUEST_ID), timeout=timeout)
        code: grpc.StatusCode = call.code()
        return code if code is grpc.StatusCode.OK else failing(call.result)


def test_a_create_that_ends_within_the_grace_period_succeeds(
    cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor
) -> None:
    cloudfront.script("CreateFunction", hold())
    process = start(cloudfront, "--drain-delay", "0.2")
    calling = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")

    process.signal(signal.SIGTERM)
    process.wait_for("draining")
    cloudfront.release()

    assert calling.result(10) is grpc.StatusCode.OK
    assert process.wait() == 0
    assert cloudfront.effects("CreateFunction") == 1


def test_a_create_that_exceeds_the_grace_period_is_unavailable_and_its_repeat_succeeds(
    cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor
) -> None:
    cloudfront.script("CreateFunction", apply_then_hang(), normally())
    process = start(cloudfront, "--drain-delay", "0.2", "--shutdown-grace-period", "1.5")
    calling = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")

    process.signal(signal.SIGTERM)
    failure = calling.result(10)

    assert isinstance(failure, Failure)
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert (failure.reason, failure.outcome) == ("SHUTTING_DOWN", "unknown")
    assert failure.retry_after is not None
    assert process.wait(10) == 0, "a hanging upstream call must not delay the shutdown"
    assert [line["reason"] for line in process.lines if line["event"] == "rpc"] == ["SHUTTING_DOWN"]
    assert_repeat_succeeds(cloudfront)


def test_a_create_interrupted_by_sigkill_is_unavailable_and_its_repeat_succeeds(
    cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor
) -> None:
    cloudfront.script("CreateFunction", apply_then_hang(), normally())
    process = start(cloudfront)
    calling = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")

    process.signal(signal.SIGKILL)
    failure = calling.result(10)

    assert isinstance(failure, Failure)
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert process.wait() == -signal.SIGKILL
    assert_repeat_succeeds(cloudfront)


def assert_repeat_succeeds(cloudfront: CloudFrontDouble) -> None:
    cloudfront.release()
    with start(cloudfront, "--drain-delay", "0") as another:
        assert create(another) is grpc.StatusCode.OK
    assert cloudfront.effects("CreateFunction") == 1


def fail_when_released(exchange: Exchange) -> HttpResponse | Hangup:
    exchange.wait(None)
    return status_only(503)(exchange)


@pytest.mark.parametrize(("grace", "sends"), [("45", 2), ("15", 1)])
def test_a_create_is_sent_again_only_if_the_grace_period_allows_it(
    cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor, grace: str, sends: int
) -> None:
    cloudfront.script("CreateFunction", fail_when_released)
    process = start(cloudfront, "--drain-delay", "0.1", "--shutdown-grace-period", grace, "--settle-timeout", "0.5")
    calling: Future[grpc.StatusCode | Failure] = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")
    process.signal(signal.SIGTERM)
    process.wait_for("draining")
    cloudfront.release()

    ended = calling.result(10)

    assert cloudfront.count("CreateFunction") == sends
    if sends == 2:
        assert ended is grpc.StatusCode.OK
    else:
        assert isinstance(ended, Failure)
        assert (ended.reason, ended.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert process.wait() == 0


def test_new_calls_are_served_during_the_drain_and_health_is_not_serving(cloudfront: CloudFrontDouble) -> None:
    process = start(cloudfront, "--drain-delay", "2")
    with open_channel(process.address) as channel:
        functions = FunctionServiceStub(channel)
        functions.CreateFunction(function("before"))
        process.signal(signal.SIGTERM)
        process.wait_for("draining")

        functions.CreateFunction(function("while-draining"))
        health = channel.unary_unary(
            "/grpc.health.v1.Health/Check", response_deserializer=health_pb2.HealthCheckResponse.FromString
        )
        assert health(b"").status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert process.wait(10) == 0


def test_further_signals_shorten_the_shutdown(cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor) -> None:
    cloudfront.script("CreateFunction", apply_then(hold()))
    process = start(cloudfront, "--drain-delay", "20")
    calling = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")
    process.signal(signal.SIGINT)
    process.wait_for("draining")

    started = time.monotonic()
    process.signal(signal.SIGINT)
    time.sleep(0.3)
    process.signal(signal.SIGINT)

    failure = calling.result(10)
    assert isinstance(failure, Failure)
    assert failure.reason == "SHUTTING_DOWN"
    assert process.wait(10) == 0
    assert time.monotonic() - started < 5


def test_a_cancelled_create_also_has_the_grace_period(cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", hold())
    process = start(cloudfront, "--drain-delay", "0")
    with open_channel(process.address) as channel:
        call = FunctionServiceStub(channel).CreateFunction.future(function(request_id=REQUEST_ID), timeout=20)
        cloudfront.wait_for("CreateFunction")
        call.cancel()
    process.signal(signal.SIGTERM)
    process.wait_for("draining")
    time.sleep(0.5)
    cloudfront.release()
    assert process.wait(10) == 0
    assert cloudfront.effects("CreateFunction") == 1
    assert [line["outcome"] for line in process.lines if line["event"] == "rpc"] == ["applied"]


@pytest.mark.parametrize(
    ("idle", "service", "delay"),
    [
        ("300", "health", 20.0),
        ("300", "reflection", 20.0),
        ("300", "", 0.0),
        ("0.3", "health", 0.0),
    ],
    ids=["health", "reflection", "no call", "idle caller"],
)
def test_the_server_drains_only_if_there_was_a_call_within_the_idle_time(idle: str, service: str, delay: float) -> None:
    process = FacadeProcess(
        *EMBEDDED_WITH_DRAIN, "--max-connection-idle", idle, "--drain-delay", "20"
    ).wait_until_serving()
    with open_channel(process.address) as channel:
        if service == "health":
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5)
        if service == "reflection":
            reflection = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
            assert list(reflection(iter([b"\x3a\x00"]), timeout=5))
    time.sleep(0.4 if idle == "0.3" else 0)
    process.signal(signal.SIGTERM)
    assert process.wait_for("draining")["delay_s"] == delay
    if delay:
        with pytest.raises(subprocess.TimeoutExpired):
            process.process.wait(0.3)
        process.signal(signal.SIGINT)  # a second Ctrl-C skips the drain
    assert process.wait(10) == 0


def test_the_grace_period_has_the_configured_length(cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor) -> None:
    cloudfront.script("CreateFunction", hang())
    process = start(cloudfront, "--drain-delay", "0", "--shutdown-grace-period", "2")
    calling = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")
    process.signal(signal.SIGTERM)
    process.wait_for("draining")
    started = time.monotonic()

    failure = calling.result(20)

    assert isinstance(failure, Failure)
    assert failure.reason == "SHUTTING_DOWN"
    assert failure.message.endswith("; retry the same request")
    assert 1.7 < time.monotonic() - started < 10
    assert process.wait(10) == 0
    cloudfront.release()


def test_a_hanging_name_lookup_does_not_delay_the_shutdown(tmp_path: Path) -> None:
    # Without uvloop, which has its own resolver, names are resolved in a thread that Python joins on exit.
    (tmp_path / "sitecustomize.py").write_text(
        "import socket, sys, time\n"
        "sys.modules['uvloop'] = None\n"
        "real = socket.getaddrinfo\n"
        "def getaddrinfo(host, *rest, **named):\n"
        "    if host == 'hangs.example':\n"
        "        time.sleep(60)\n"
        "    return real(host, *rest, **named)\n"
        "socket.getaddrinfo = getaddrinfo\n"
    )
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    arguments = ("--backend", "aws", "--endpoint-url", "http://hangs.example:1", "--connect-timeout", "0.3")
    process = FacadeProcess(
        *arguments, "--drain-delay", "0", "--shutdown-grace-period", "1", environment={"PYTHONPATH": path}
    )
    with open_channel(process.wait_until_serving().address) as channel:
        failure = failing(FunctionServiceStub(channel).CreateFunction, function(), timeout=10)
    assert (failure.code, failure.outcome) == (grpc.StatusCode.UNAVAILABLE, "not_applied")

    started = time.monotonic()
    process.signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert time.monotonic() - started < 4
    assert [line["abandoned"] for line in process.lines if line["event"] == "stopped"] == [0]


def test_an_idle_server_stops_immediately(cloudfront: CloudFrontDouble) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(cloudfront)
        started = time.monotonic()
        process.signal(number)
        assert process.wait() == 0
        assert time.monotonic() - started < 4.5, "it waited for the drain delay"
