"""How the server ends: by SIGTERM, within its grace or not, and by SIGKILL; real processes over the HTTP double."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health_pb2

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.cloudfront_faults import Exchange, Hangup, apply_then, apply_then_hang, hold, normally, status_only
from support.cloudfront_http import CloudFrontDouble
from support.cloudfront_wire import Answer
from support.facade import REQUEST_ID, Failure, failing, function, open_channel
from support.process import FacadeProcess


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


def test_a_create_that_fits_the_grace_is_answered_ok(cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor) -> None:
    cloudfront.script("CreateFunction", hold())
    process = start(cloudfront, "--drain-delay", "0.2")
    answer = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")

    process.signal(signal.SIGTERM)
    process.wait_for("draining")
    cloudfront.release()

    assert answer.result(10) is grpc.StatusCode.OK
    assert process.wait() == 0
    assert cloudfront.effects("CreateFunction") == 1


def test_a_create_that_does_not_fit_the_grace_is_unavailable_and_its_repeat_ok(
    cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor
) -> None:
    cloudfront.script("CreateFunction", apply_then_hang(), normally())
    process = start(cloudfront, "--drain-delay", "0.2", "--grace", "1.5")
    answer = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")

    process.signal(signal.SIGTERM)
    failure = answer.result(10)

    assert isinstance(failure, Failure)
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert (failure.reason, failure.outcome) == ("SHUTTING_DOWN", "unknown")
    assert failure.retry_after is not None
    assert process.wait(10) == 0, "a call that hangs upstream does not hold the process"
    assert [line["reason"] for line in process.lines if line["event"] == "rpc"] == ["SHUTTING_DOWN"]
    repeat_is_ok(cloudfront)


def test_a_create_that_sigkill_cuts_off_is_unavailable_and_its_repeat_ok(
    cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor
) -> None:
    cloudfront.script("CreateFunction", apply_then_hang(), normally())
    process = start(cloudfront)
    answer = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")

    process.signal(signal.SIGKILL)
    failure = answer.result(10)

    assert isinstance(failure, Failure)
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert process.wait() == -signal.SIGKILL
    repeat_is_ok(cloudfront)


def repeat_is_ok(cloudfront: CloudFrontDouble) -> None:
    cloudfront.release()
    with start(cloudfront, "--drain-delay", "0") as another:
        assert create(another) is grpc.StatusCode.OK
    assert cloudfront.effects("CreateFunction") == 1


def fail_when_released(exchange: Exchange) -> Answer | Hangup:
    exchange.wait(None)
    return status_only(503)(exchange)


@pytest.mark.parametrize(("grace", "sends"), [("45", 2), ("15", 1)])
def test_a_second_send_starts_only_where_the_grace_has_room_for_it(
    cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor, grace: str, sends: int
) -> None:
    cloudfront.script("CreateFunction", fail_when_released)
    process = start(cloudfront, "--drain-delay", "0.1", "--grace", grace, "--settling-time", "0.5")
    answer: Future[grpc.StatusCode | Failure] = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")
    process.signal(signal.SIGTERM)
    process.wait_for("draining")
    cloudfront.release()

    answered = answer.result(10)

    assert cloudfront.count("CreateFunction") == sends
    if sends == 2:
        assert answered is grpc.StatusCode.OK
    else:
        assert isinstance(answered, Failure)
        assert (answered.reason, answered.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert process.wait() == 0


def test_new_calls_are_served_while_it_drains_and_health_says_not_serving(cloudfront: CloudFrontDouble) -> None:
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


def test_a_second_signal_hurries_the_end(cloudfront: CloudFrontDouble, caller: ThreadPoolExecutor) -> None:
    cloudfront.script("CreateFunction", apply_then(hold()))
    process = start(cloudfront, "--drain-delay", "20")
    answer = caller.submit(create, process)
    cloudfront.wait_for("CreateFunction")
    process.signal(signal.SIGINT)
    process.wait_for("draining")

    started = time.monotonic()
    process.signal(signal.SIGINT)
    time.sleep(0.3)
    process.signal(signal.SIGINT)

    failure = answer.result(10)
    assert isinstance(failure, Failure)
    assert failure.reason == "SHUTTING_DOWN"
    assert process.wait(10) == 0
    assert time.monotonic() - started < 5


def test_a_create_whose_caller_went_away_has_the_grace_too(cloudfront: CloudFrontDouble) -> None:
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


def test_an_idle_server_stops_at_once(cloudfront: CloudFrontDouble) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(cloudfront)
        started = time.monotonic()
        process.signal(number)
        assert process.wait() == 0
        assert time.monotonic() - started < 2
