"""A call is one HTTP request, regardless of the machine's AWS configuration, and ends within its timeouts."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from backends.failures import FAILURES
from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.timeouts import short_timeouts
from support.aws_backend import new_aws_backend
from support.cloudfront import faults
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import FULL_FUNCTION
from support.event_loop import waiting

MakeBackend = Callable[..., AwsBackend]

FAULTS = {**FAILURES, "503": (faults.status_only(503), ClientError)}

OTHER_TIMEOUT, BEFORE_OTHER_TIMEOUT = 8.0, 6.0
"""The timeout that must not end a call, and the seconds within which the other timeout must end it."""

CONFIG_FILE = """
[default]
region = eu-west-1
retry_mode = adaptive
max_attempts = 5
defaults_mode = standard
endpoint_url = {other_endpoint}
services = other
[services other]
cloudfront =
  endpoint_url = {other_endpoint}
"""


@pytest.fixture
def other_endpoint() -> Iterator[CloudFrontDouble]:
    with CloudFrontDouble() as double:
        yield double


@pytest.fixture
def hostile_environment(
    aws_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other_endpoint: CloudFrontDouble
) -> None:
    """An environment and a config file that set another endpoint and five attempts."""
    config = tmp_path / "config"
    config.write_text(CONFIG_FILE.format(other_endpoint=other_endpoint.url))
    for name, value in {
        "AWS_CONFIG_FILE": str(config),
        "AWS_MAX_ATTEMPTS": "5",
        "AWS_RETRY_MODE": "adaptive",
        "AWS_DEFAULTS_MODE": "standard",
        "AWS_ENDPOINT_URL": other_endpoint.url,
        "AWS_ENDPOINT_URL_CLOUDFRONT": other_endpoint.url,
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile_environment")
def test_the_hostile_environment_makes_plain_boto3_retry_and_use_another_endpoint(
    other_endpoint: CloudFrontDouble,
) -> None:
    other_endpoint.script("CreateFunction", faults.apply_then_status(503))
    client = boto3.Session().client("cloudfront")
    with pytest.raises(ClientError, match="FunctionAlreadyExists"):
        client.create_function(**FULL_FUNCTION)
    client.close()
    assert other_endpoint.count("CreateFunction") == 2, "otherwise the other tests here prove nothing"


@pytest.mark.usefixtures("hostile_environment")
@pytest.mark.parametrize(("fault", "error"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("operation", ["CreateFunction", "ListKeyValueStores"])
def test_a_call_is_sent_once(
    cloudfront: CloudFrontDouble,
    other_endpoint: CloudFrontDouble,
    aws_backend: MakeBackend,
    operation: str,
    fault: faults.Fault,
    error: type[Exception],
) -> None:
    backend = aws_backend(cloudfront, read_timeout=0.3 if error is ReadTimeoutError else 15.0)
    cloudfront.always(operation, fault)

    with pytest.raises(error):
        _call(backend, operation)

    cloudfront.release()
    assert cloudfront.count(operation) == 1
    assert cloudfront.effects(operation) <= 1
    assert other_endpoint.requests == ()


@pytest.mark.usefixtures("hostile_environment")
def test_a_connection_that_the_server_closed_does_not_cause_a_second_request(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    backend = aws_backend(cloudfront)
    cloudfront.script("CreateFunction", faults.normally(), faults.apply_then_close())
    backend.create_function(**FULL_FUNCTION)

    with pytest.raises(ConnectionClosedError):
        backend.create_function(**{**FULL_FUNCTION, "Name": "second"})

    assert cloudfront.count("CreateFunction") == 2


@pytest.mark.usefixtures("hostile_environment")
def test_without_an_endpoint_setting_requests_go_to_cloudfront(other_endpoint: CloudFrontDouble) -> None:
    backend = waiting(new_aws_backend())
    assert backend._clients.control.meta.endpoint_url == "https://cloudfront.amazonaws.com"
    backend.close()


def test_a_call_without_a_response_ends_at_the_read_timeout(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    backend = aws_backend(cloudfront, connect_timeout=OTHER_TIMEOUT, read_timeout=0.2)
    cloudfront.script("DescribeFunction", faults.hang())
    with pytest.raises(ReadTimeoutError):
        _within(BEFORE_OTHER_TIMEOUT, backend.describe_function, Name="rewrite")


def test_short_timeouts_end_with_their_block(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront, read_timeout=OTHER_TIMEOUT, short_timeout=0.2)
    cloudfront.script("DescribeFunction", faults.hang())
    with pytest.raises(ReadTimeoutError), short_timeouts():
        _within(BEFORE_OTHER_TIMEOUT, backend.describe_function, Name="rewrite")

    cloudfront.script("DescribeFunction", faults.delay(0.4))
    backend.create_function(**{**FULL_FUNCTION, "Name": "rewrite"})
    backend.describe_function(Name="rewrite")


def test_short_timeouts_never_extend_the_other_timeouts(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront, read_timeout=0.2, short_timeout=OTHER_TIMEOUT)
    cloudfront.script("DescribeFunction", faults.hang())
    with pytest.raises(ReadTimeoutError), short_timeouts():
        _within(BEFORE_OTHER_TIMEOUT, backend.describe_function, Name="rewrite")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves the connection attempt unanswered")
@pytest.mark.usefixtures("aws_environment")
@pytest.mark.parametrize("short", [False, True])
def test_a_connection_attempt_ends_at_the_connect_timeout(short: bool) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        for _ in range(2):  # fills the backlog, so later connections are dropped
            queued = stack.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        timeout = OTHER_TIMEOUT if short else 0.2
        backend = waiting(new_aws_backend(endpoint_url=url, connect_timeout=timeout, short_timeout=0.2))
        with pytest.raises(ConnectTimeoutError), short_timeouts() if short else nullcontext():
            _within(BEFORE_OTHER_TIMEOUT, backend.list_key_value_stores)
        backend.close()


def test_a_refused_connection_is_reported(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront, connect_timeout=OTHER_TIMEOUT)
    cloudfront.close()
    with pytest.raises(EndpointConnectionError):
        _within(BEFORE_OTHER_TIMEOUT, backend.list_key_value_stores)


def _call(backend: AwsBackend, operation: str) -> Any:
    return (
        backend.create_function(**FULL_FUNCTION) if operation == "CreateFunction" else backend.list_key_value_stores()
    )


def _within(seconds: float, work: Callable[..., Any], **arguments: Any) -> Any:
    started = time.monotonic()
    try:
        return work(**arguments)
    finally:
        assert time.monotonic() - started < seconds
