"""The errors that the client's retry policy retries when it calls the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from cloudfront_facade import Client, FacadeError, connect
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.faults import (
    Fault,
    apply_then_status,
    fail_with,
    normally,
    status_only,
    throttle,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing, function, running_facade


@pytest.fixture
def facade(cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]) -> Iterator[Facade]:
    with running_facade(aws_backend(cloudfront), settle_timeout=0.3) as running:
        yield running


@pytest.fixture
def client(facade: Facade) -> Iterator[Client]:
    with connect(facade.address) as connected:
        yield connected


@pytest.mark.parametrize("status", [400, 429])
def test_throttling_has_a_retry_delay_and_the_call_is_sent_once(
    facade: Facade, cloudfront: CloudFrontDouble, status: int
) -> None:
    cloudfront.always("CreateFunction", throttle(status))

    failure = failing(facade.functions.CreateFunction, function())

    assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (failure.reason, failure.outcome) == ("UPSTREAM_THROTTLED", "not_applied")
    assert failure.retry_after is not None
    assert failure.pushback == str(round(failure.retry_after * 1000))
    assert cloudfront.count("CreateFunction") == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (fail_with("TooManyFunctions", 400), "FUNCTION_QUOTA_EXCEEDED"),
        (fail_with("FunctionAlreadyExists", 409), "FUNCTION_ALREADY_EXISTS"),
        (fail_with("InvalidArgument", 400), "UPSTREAM_INVALID_ARGUMENT"),
        (fail_with("AccessDenied", 403), "UPSTREAM_ACCESS_DENIED"),
        (fail_with("TaggingConflict", 409), "TAGGING_CONFLICT"),
        (throttle(), "UPSTREAM_THROTTLED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_is_not_retried_by_a_standard_retry_policy(
    facade: Facade, cloudfront: CloudFrontDouble, fault: Fault, reason: str
) -> None:
    cloudfront.always("CreateFunction", fault)
    with connect(facade.address, request_ids=False) as client, pytest.raises(FacadeError) as caught:
        client.functions.CreateFunction(function())
    assert caught.value.reason == reason
    assert cloudfront.count("CreateFunction") == 1


def test_a_missing_permission_is_named_without_arns(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    text = (
        "User: arn:aws:sts::123456789012:assumed-role/facade/i-0 is not authorized to perform: "
        "cloudfront:TagResource on resource: arn:aws:cloudfront::123456789012:function/rewrite"
    )
    cloudfront.always("CreateFunction", fail_with("AccessDenied", 403, text))
    failure = failing(facade.functions.CreateFunction, function())
    assert failure.code is grpc.StatusCode.PERMISSION_DENIED
    assert failure.metadata["aws_action"] == "cloudfront:TagResource"
    assert "arn:" not in repr(failure)
    assert "123456789012" not in repr(failure)


def test_an_unknown_outcome_is_retried_with_the_same_request_id_until_it_succeeds(
    client: Client, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.script("CreateFunction", status_only(503), status_only(503), normally())

    client.functions.CreateFunction(function())

    assert cloudfront.count("CreateFunction") == 3, "the first call sends twice, its retry once"
    assert cloudfront.effects("CreateFunction") == 1


def test_a_create_without_a_request_id_is_never_retried_after_a_lost_response(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.script("CreateFunction", apply_then_status(503))
    with connect(facade.address, request_ids=False) as client, pytest.raises(FacadeError) as caught:
        client.functions.CreateFunction(function())
    assert (caught.value.reason, caught.value.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert caught.value.retry_delay is None
    time.sleep(0.5)
    assert cloudfront.count("CreateFunction") == 1


def test_a_refused_connection_is_unreachable_and_not_applied(
    aws_backend: Callable[..., AwsBackend],
) -> None:
    with CloudFrontDouble() as closed:
        backend = aws_backend(closed)
    with running_facade(backend) as facade:
        failure = failing(facade.functions.CreateFunction, function(request_id="0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f"))
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert (failure.reason, failure.outcome) == ("UPSTREAM_UNREACHABLE", "not_applied")
    assert failure.retry_after is not None


def test_a_test_that_cloudfront_cannot_run_is_sent_once(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.always("TestFunction", fail_with("TestFunctionFailed", 500))
    request = functions.TestFunctionRequest(name="rewrite", etag=created.etag, event_object=b"{}")
    failure = failing(facade.functions.TestFunction, request)
    assert (failure.code, failure.reason, failure.outcome) == (
        grpc.StatusCode.INTERNAL,
        "TEST_FUNCTION_FAILED",
        "not_applied",
    )
    assert cloudfront.count("TestFunction") == 1
