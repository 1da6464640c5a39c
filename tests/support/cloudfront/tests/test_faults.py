"""The faults of the double, as observed by plain boto3."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from support.cloudfront import faults
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import (
    code_and_status,
    create_function,
    plain_client,
    plain_data_client,
)
from support.values import STORE_ARN

pytestmark = pytest.mark.usefixtures("aws_environment")


APPLIED = {
    "closed": (faults.apply_then_close(), ConnectionClosedError),
    "reset": (faults.apply_then_reset(), ConnectionClosedError),
    "no response": (faults.apply_then_hang(), ReadTimeoutError),
    "503": (faults.apply_then_status(503), ClientError),
    "502 as HTML": (faults.apply_then(faults.html(502)), ClientError),
    "201 as HTML": (faults.apply_then(faults.html(201)), ResponseParserError),
    "garbled": (faults.garble(), ResponseParserError),
    "truncated": (faults.truncated(), ResponseParserError),
    "cut off": (faults.cut_body(), ResponseParserError),
}
NOT_APPLIED = {
    "closed": (faults.close(), ConnectionClosedError),
    "reset": (faults.reset(), ConnectionClosedError),
    "no response": (faults.hang(), ReadTimeoutError),
    "500": (faults.status_only(500), ClientError),
    "403 as HTML": (faults.html(403), ClientError),
    "an error": (faults.fail_with("TaggingConflict", 409, "wait a few minutes"), ClientError),
    "throttled": (faults.throttle(), ClientError),
    "throttled by status": (faults.throttle(429), ClientError),
    "expired": (faults.expire(), ClientError),
}


@pytest.mark.parametrize(("fault", "error"), APPLIED.values(), ids=APPLIED.keys())
def test_a_fault_after_the_effect_occurs_once_and_the_effect_remains(
    cloudfront: CloudFrontDouble, client: Any, fault: faults.Fault, error: type[Exception]
) -> None:
    cloudfront.script("CreateFunction", fault)

    with pytest.raises(error):
        create_function(client)

    assert cloudfront.effects("CreateFunction") == 1
    client.describe_function(Name="rewrite")
    create_function(client, "another")


@pytest.mark.parametrize(("fault", "error"), NOT_APPLIED.values(), ids=NOT_APPLIED.keys())
def test_a_fault_before_the_effect_occurs_once_and_nothing_is_applied(
    cloudfront: CloudFrontDouble, client: Any, fault: faults.Fault, error: type[Exception]
) -> None:
    cloudfront.script("CreateFunction", fault)

    with pytest.raises(error):
        create_function(client)

    assert cloudfront.effects("CreateFunction") == 0
    create_function(client)


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (faults.status_only(503), "503", 503),
        (faults.html(403), "403", 403),
        (faults.html(502), "502", 502),
        (faults.html(403, "<html><body>HTML that is XML too</body></html>"), "", 403),
        (faults.fail_with("TaggingConflict", 409), "TaggingConflict", 409),
        (faults.throttle(), "Throttling", 400),
        (faults.throttle(429), "TooManyRequestsException", 429),
        (faults.expire("RequestExpired"), "RequestExpired", 403),
    ],
)
def test_a_scripted_error_has_its_code_and_status(
    cloudfront: CloudFrontDouble, client: Any, fault: faults.Fault, code: str, status: int
) -> None:
    cloudfront.script("CreateFunction", fault)
    with pytest.raises(ClientError) as caught:
        create_function(client)
    assert code_and_status(caught.value) == (code, status)


def test_a_response_with_a_wrong_root_has_no_members(cloudfront: CloudFrontDouble, client: Any) -> None:
    cloudfront.script("CreateFunction", faults.wrong_root())

    created = create_function(client)

    assert not created.get("FunctionSummary")
    assert cloudfront.effects("CreateFunction") == 1


def test_scripted_faults_occur_in_order_and_only_for_their_operation(cloudfront: CloudFrontDouble, client: Any) -> None:
    cloudfront.script("CreateFunction", faults.normally(), faults.fail_with("One", 400), faults.fail_with("Two", 400))
    cloudfront.always("CreateFunction", faults.fail_with("Always", 400))

    create_function(client, "a")
    client.create_key_value_store(Name="a")
    codes = []
    for _ in range(4):
        with pytest.raises(ClientError) as caught:
            create_function(client, "b")
        codes.append(code_and_status(caught.value)[0])

    assert codes == ["One", "Two", "Always", "Always"]
    cloudfront.always("CreateFunction", None)
    create_function(client, "b")


def test_a_delayed_request_gets_a_late_response(cloudfront: CloudFrontDouble, client: Any) -> None:
    cloudfront.script("CreateFunction", faults.delay(0.1))
    started = time.monotonic()
    create_function(client)
    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize("early", [False, True])
def test_held_requests_get_a_response_when_released(cloudfront: CloudFrontDouble, early: bool) -> None:
    entered = threading.Event()

    def hold_late(exchange: faults.Exchange) -> Any:
        if early:  # the release happens before the wait
            entered.wait()
        return faults.hold()(exchange)

    cloudfront.script("CreateFunction", hold_late)
    with plain_client(cloudfront.url) as client, ThreadPoolExecutor() as pool:
        creating = pool.submit(create_function, client)
        cloudfront.wait_for("CreateFunction")
        assert cloudfront.effects("CreateFunction") == 0
        cloudfront.release()
        entered.set()
        creating.result(timeout=5)
    assert cloudfront.effects("CreateFunction") == 1


def test_hanging_requests_are_closed_when_released(cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", faults.apply_then_hang())
    with plain_client(cloudfront.url, retries={"total_max_attempts": 1}) as client, ThreadPoolExecutor() as pool:
        creating = pool.submit(create_function, client)
        cloudfront.wait_for_effect("CreateFunction")
        cloudfront.release()
        with pytest.raises(ConnectionClosedError):
            creating.result(timeout=5)


@pytest.mark.parametrize("fault", [faults.hang(), faults.hold(), faults.delay(60)])
def test_closing_ends_waiting_requests_and_every_thread(fault: faults.Fault) -> None:
    before = set(threading.enumerate())
    double = CloudFrontDouble()
    double.script("CreateFunction", fault)
    with plain_client(double.url, retries={"total_max_attempts": 1}) as client, ThreadPoolExecutor() as pool:
        creating = pool.submit(create_function, client)
        double.wait_for("CreateFunction")
        double.close()
        with pytest.raises(ConnectionClosedError):
            creating.result(timeout=5)
    assert set(threading.enumerate()) <= before
    double.close()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(double.address):
        pass


def test_waiting_for_requests_times_out(cloudfront: CloudFrontDouble) -> None:
    with pytest.raises(TimeoutError, match="0 of 1 CreateFunction"):
        cloudfront.wait_for("CreateFunction", timeout=0.01)
    with pytest.raises(TimeoutError, match="0 of 2 CreateFunction"):
        cloudfront.wait_for_effect("CreateFunction", times=2, timeout=0.01)


def test_a_bug_in_the_handler_is_raised_on_close() -> None:
    def apply(name: str, arguments: Mapping[str, Any]) -> Any:
        raise LookupError("a bug in a test")

    double = CloudFrontDouble(apply)
    with plain_client(double.url, retries={"total_max_attempts": 1}) as client:
        with pytest.raises(ConnectionClosedError):
            create_function(client)
        with pytest.raises(ExceptionGroup) as caught:
            double.close()
    assert caught.group_contains(LookupError, match="a bug in a test")


def test_requests_are_served_concurrently(cloudfront: CloudFrontDouble) -> None:
    barrier = threading.Barrier(8)

    def together(exchange: faults.Exchange) -> Any:
        barrier.wait(timeout=10)
        return exchange.response()

    cloudfront.always("CreateFunction", together)
    with plain_client(cloudfront.url, max_pool_connections=8) as client, ThreadPoolExecutor(8) as pool:
        creating = [pool.submit(create_function, client, f"f{number % 4}") for number in range(8)]
        errors = [error for error in (future.exception(timeout=10) for future in creating) if error]

    assert len(errors) == 4
    assert cloudfront.effects("CreateFunction") == 4


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (faults.fail_with("ConflictException", 409, "so"), "ConflictException", 409),
        (faults.throttle(), "Throttling", 400),
        (faults.throttle(429), "TooManyRequestsException", 429),
        (faults.expire("ExpiredTokenException"), "ExpiredTokenException", 403),
        (faults.status_only(503), "503", 503),
    ],
)
def test_an_error_of_the_data_plane_has_its_code_and_status(
    cloudfront: CloudFrontDouble, fault: faults.Fault, code: str, status: int
) -> None:
    cloudfront.script("GetKey", fault)
    attempts = {"total_max_attempts": 1}
    with plain_data_client(cloudfront.url, retries=attempts) as client, pytest.raises(ClientError) as caught:
        client.get_key(KvsARN=STORE_ARN, Key="k")
    assert code_and_status(caught.value) == (code, status)


def test_a_response_of_the_data_plane_can_be_changed(cloudfront: CloudFrontDouble) -> None:
    arn = cloudfront.apply("CreateKeyValueStore", {"Name": "s"})["KeyValueStore"]["ARN"]
    operation = "DescribeKeyValueStoreData"
    cloudfront.script(operation, faults.misstate("Status", "FAILED"), faults.misstate("Status", None))
    cloudfront.script(operation, faults.wrong_root(), faults.without_header("ETag"))

    with plain_data_client(cloudfront.url) as client:
        changed, missing, other, without_etag = (client.describe_key_value_store(KvsARN=arn) for _ in range(4))

    assert (changed["Status"], missing.get("Status")) == ("FAILED", None)
    assert "KvsARN" in missing
    assert other.keys() == {"ResponseMetadata", "ETag"}
    assert without_etag["Status"] == "READY"
    assert "ETag" not in without_etag
