"""The account of credentials, from moto's STS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError
from moto.server import ThreadedMotoServer

from cloudfront_facade_server.backends.aws.caller_account import caller_account

CREDENTIALS = ReadOnlyCredentials("AKIDEXAMPLE", "an-example-of-a-secret-key", None)


@pytest.fixture(scope="module")
def sts() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.mark.usefixtures("aws_environment")
def test_the_account_is_the_one_that_sts_returns(sts: str) -> None:
    assert caller_account(CREDENTIALS, "us-east-1", sts) == "123456789012"


@pytest.mark.usefixtures("aws_environment")
def test_an_sts_that_cannot_be_reached_raises() -> None:
    with pytest.raises(EndpointConnectionError):
        caller_account(CREDENTIALS, "us-east-1", "http://127.0.0.1:1")
