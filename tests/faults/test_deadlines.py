"""Calls and their deadlines: what is still sent, when a call ends, and what is logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from cloudfront_facade.v1.function_service_pb2 import (
    DeleteFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    KeyValueStoreAssociation,
    UpdateFunctionRequest,
)
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, DeleteKeyValueStoreRequest
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade_server.backends.aws import AwsBackend
from faults.changing import Replica, updating
from support.cloudfront.faults import Exchange, Fault, apply_then_close, delay, hang, normally, status_only
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.stores import StoredStore, utc_now
from support.cloudfront.wire import HttpResponse
from support.facade import REQUEST_ID, check_health, failing, function, open_channel, running_facade
from support.process import FacadeProcess
from support.waiting import wait_until

DELAY = 1.2
"""Seconds that CloudFront takes for a request."""

FOR_A_READ = {"timeout": 5.0, "short_timeout": 5.0, "min_upstream_time": 1.5}
"""Settings with which a read needs 1.5 s before the deadline."""

SHORT = 2.4
"""A deadline that allows a request, and after its delay no read. On both sides, 0.9 s and more are to spare."""

MISSING_STORE = "arn:aws:cloudfront::123456789012:key-value-store/00000000-0000-0000-0000-000000000000"


def test_a_hanging_call_ends_at_its_deadline_and_does_not_delay_others(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.script("CreateFunction", hang(30), normally())
    with capture_logs() as lines, replica(timeout=20, shutdown_grace_period=2) as facade:
        started = time.monotonic()
        durations: list[float] = []
        waiting = facade.functions.CreateFunction.future(function("a"), timeout=1)
        waiting.add_done_callback(lambda _: durations.append(time.monotonic() - started))
        cloudfront.wait_for("CreateFunction")
        facade.functions.CreateFunction(function("b"))
        served_meanwhile = not waiting.done()
        assert waiting.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        wait_until(lambda: durations)
        cloudfront.release()
    assert served_meanwhile
    assert 0.9 < durations[0] < 10
    outcomes = {line["status"]: line["outcome"] for line in lines if line["event"] == "rpc"}
    assert outcomes == {"OK": "applied", "DEADLINE_EXCEEDED": "unknown"}


def test_settling_ends_before_the_deadline(cloudfront: CloudFrontDouble, replica: Replica) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.describe_lag = 60.0
    with replica(settle_timeout=5, default_deadline=1.4) as facade:
        failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))
        reads = cloudfront.count("DescribeFunction")
        time.sleep(1.2)
        assert cloudfront.count("DescribeFunction") == reads, "reads must end with the call"

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    assert reads >= 3


@pytest.mark.parametrize(("deadline", "sends"), [(1.4, 1), (10, 2)])
def test_a_create_is_sent_again_only_if_the_deadline_allows_it(
    cloudfront: CloudFrontDouble, replica: Replica, deadline: float, sends: int
) -> None:
    cloudfront.script("CreateFunction", status_only(503))
    with replica(settle_timeout=0.4, min_upstream_time=1.3) as facade:
        call = facade.functions.CreateFunction.future(function(request_id=REQUEST_ID), timeout=deadline)
        if sends == 2:
            assert call.result().etag
        else:
            failure = failing(call.result)
            assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
            assert failure.retry_after
    assert cloudfront.count("CreateFunction") == sends
    assert cloudfront.effects("CreateFunction") == sends - 1


def test_settling_reads_have_short_timeouts(cloudfront: CloudFrontDouble) -> None:
    arguments = ("--backend", "aws", "--endpoint-url", cloudfront.url, "--read-timeout", "30", "--drain-delay", "0")
    with FacadeProcess(*arguments) as process, open_channel(process.address) as channel:
        functions, stores = FunctionServiceStub(channel), KeyValueStoreServiceStub(channel)
        existing = functions.CreateFunction(function("existing"))
        for operation in ("CreateFunction", "CreateKeyValueStore", "UpdateFunction"):
            cloudfront.script(operation, apply_then_close())
        cloudfront.script("DescribeFunction", hang(), hang())
        cloudfront.script("DescribeKeyValueStore", hang())

        started = time.monotonic()
        update = UpdateFunctionRequest(
            name="existing",
            etag=existing.etag,
            function_config=FunctionConfig(runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0),
            function_code=b"another code",
        )
        calls = [
            functions.CreateFunction.future(function(request_id=REQUEST_ID), timeout=20),
            stores.CreateKeyValueStore.future(
                CreateKeyValueStoreRequest(name="redirects", request_id=REQUEST_ID), timeout=20
            ),
            functions.UpdateFunction.future(update, timeout=20),
        ]
        assert all(call.result().etag for call in calls)
        assert time.monotonic() - started < 6
    assert cloudfront.effects("CreateFunction") == 2
    assert cloudfront.effects("CreateKeyValueStore") == 1
    assert cloudfront.effects("UpdateFunction") == 1


def associated(arn: str, **fields: Any) -> Any:
    config = FunctionConfig(
        runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
        key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=arn)],
    )
    return function("associated", function_config=config, **fields)


def test_the_store_of_an_association_is_read_only_if_the_deadline_allows_it(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.script("CreateFunction", delay(DELAY), normally())
    cloudfront.script("DescribeFunction", delay(DELAY))
    with replica(**FOR_A_READ) as facade:
        short = failing(facade.functions.CreateFunction, associated(MISSING_STORE), timeout=SHORT)
        assert cloudfront.count("ListKeyValueStores") == 0
        long = failing(facade.functions.CreateFunction, associated(MISSING_STORE), timeout=10)
        assert cloudfront.count("ListKeyValueStores") == 1
        validated = facade.functions.CreateFunction(associated(MISSING_STORE, validate_only=True), timeout=SHORT)
        assert cloudfront.count("ListKeyValueStores") == 1
    assert (short.reason, short.outcome) == ("UPSTREAM_INVALID_ARGUMENT", "not_applied")
    assert (long.reason, long.outcome) == ("KEY_VALUE_STORE_NOT_FOUND", "not_applied")
    assert not validated.HasField("function_summary")


def test_reading_many_pages_of_stores_ends_before_the_deadline(cloudfront: CloudFrontDouble, replica: Replica) -> None:
    for number in range(900):
        name = f"store-{number}"
        cloudfront.stores[name] = StoredStore(name, None, utc_now(), "E1")
    cloudfront.always("ListKeyValueStores", delay(0.3))
    with replica() as facade:
        failure = failing(facade.functions.CreateFunction, associated(MISSING_STORE), timeout=1.6)
    assert (failure.reason, failure.outcome) == ("UPSTREAM_INVALID_ARGUMENT", "not_applied")
    assert 1 <= cloudfront.count("ListKeyValueStores") < 6, "a store that was not read is not reported as missing"


def late(code: str, status: int) -> Fault:
    """Returns an error of CloudFront after the delay."""

    def error(exchange: Exchange) -> HttpResponse:
        exchange.wait(DELAY)
        return exchange.error(code, status, "")

    return error


def test_a_read_that_hangs_does_not_replace_a_known_status_with_the_deadline(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.script("ListKeyValueStores", hang())
    with replica(timeout=5, short_timeout=5) as facade:
        failure = failing(facade.functions.CreateFunction, associated(MISSING_STORE), timeout=1.2)
        cloudfront.release()
    assert (failure.reason, failure.outcome) == ("UPSTREAM_INVALID_ARGUMENT", "not_applied")


@pytest.mark.parametrize("seconds", [0.9, 3.0])
def test_a_repeated_update_succeeds_with_little_time_left(
    cloudfront: CloudFrontDouble, replica: Replica, seconds: float
) -> None:
    with replica(timeout=10, short_timeout=2, settle_timeout=5) as facade:
        etag = facade.functions.CreateFunction(function()).etag
        first = facade.functions.UpdateFunction(updating(etag))
        started = time.monotonic()
        assert facade.functions.UpdateFunction(updating(etag), timeout=seconds) == first
        assert time.monotonic() - started < seconds
    assert cloudfront.effects("UpdateFunction") == 1


def test_what_uses_a_resource_is_read_only_if_the_deadline_allows_it(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.always("DeleteFunction", late("FunctionInUse", 409))
    cloudfront.always("DeleteKeyValueStore", late("CannotDeleteEntityWhileInUse", 409))
    with replica(**FOR_A_READ) as facade:
        function_etag = facade.functions.CreateFunction(function()).etag
        store_etag = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects")).etag
        deletes = (
            (facade.functions.DeleteFunction, DeleteFunctionRequest(name="rewrite", etag=function_etag)),
            (facade.stores.DeleteKeyValueStore, DeleteKeyValueStoreRequest(name="redirects", etag=store_etag)),
        )
        for delete, request in deletes:
            before = len(cloudfront.requests)
            short = failing(delete, request, timeout=SHORT)
            assert len(cloudfront.requests) == before + 1, "only the delete may be sent"
            long = failing(delete, request, timeout=10)
            assert len(cloudfront.requests) > before + 2
            for failure in (short, long):
                assert failure.code is grpc.StatusCode.FAILED_PRECONDITION
                assert failure.reason.endswith("_IN_USE")


def test_an_exceeded_deadline_is_logged_as_the_caller_sees_it(cloudfront: CloudFrontDouble, replica: Replica) -> None:
    count = 12
    with capture_logs() as lines, replica(timeout=20, shutdown_grace_period=3) as facade:
        facade.functions.CreateFunction(function())
        cloudfront.always("CreateFunction", hang())
        calls = []
        for number in range(count):
            # gRPC rounds such a deadline up to hundredths of a second on the wire, so the caller's expires first.
            calls.append(facade.functions.CreateFunction.future(function(), timeout=1.001 + number / 100))
            cloudfront.wait_for("CreateFunction", number + 2)
        assert {call.code() for call in calls} == {grpc.StatusCode.DEADLINE_EXCEEDED}
        check_health(facade)
        cloudfront.release()
    rpcs = [line for line in lines if line["event"] == "rpc"][1:]
    assert [line["outcome"] for line in rpcs] == ["unknown"] * count
    # On a busy machine, the caller's deadline may expire earlier than the rounding accounts for.
    statuses = [line["status"] for line in rpcs]
    assert statuses.count("DEADLINE_EXCEEDED") > count // 2, statuses


def test_a_deadline_above_the_maximum_is_shortened(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    cloudfront.script("CreateFunction", hang())
    with running_facade(aws_backend(cloudfront), default_deadline=1, max_deadline=1, shutdown_grace_period=1) as facade:
        started = time.monotonic()
        failure = failing(facade.functions.CreateFunction, function(), timeout=30)
        assert time.monotonic() - started < 3
    assert failure.reason == "DEADLINE_EXCEEDED"


def test_nothing_is_sent_if_the_deadline_is_too_short(cloudfront: CloudFrontDouble, replica: Replica) -> None:
    with replica(min_upstream_time=9) as facade:
        failure = failing(facade.functions.CreateFunction, function(), timeout=8)

    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (failure.reason, failure.outcome) == ("DEADLINE_TOO_SHORT", "not_applied")
    assert failure.metadata["required_ms"] == "9000"
    assert cloudfront.requests == ()


def test_a_hanging_call_ends_at_the_default_deadline_and_its_outcome_is_logged(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    cloudfront.script("CreateFunction", hang())
    with (
        capture_logs() as lines,
        running_facade(aws_backend(cloudfront), default_deadline=1, drain_delay=0, shutdown_grace_period=1) as facade,
    ):
        started = time.monotonic()
        failure = failing(facade.functions.CreateFunction, function())
        assert time.monotonic() - started < 10
        cloudfront.release()

    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (failure.reason, failure.outcome) == ("DEADLINE_EXCEEDED", "unknown")
    (line,) = [line for line in lines if line["event"] == "rpc"]
    assert (line["status"], line["reason"], line["outcome"]) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "unknown")
    assert line["log_level"] == "warning"
