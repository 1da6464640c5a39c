"""The account of credentials, from moto's STS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError

from cloudfront_facade_server.backends.aws.caller_account import caller_account
from support.moto import moto_server

CREDENTIALS = ReadOnlyCredentials("AKIDEXAMPLE", "an-example-of-a-secret-key", None)


@pytest.fixture(scope="module")
def sts() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.mark.usefixtures("aws_environment")
def test_the_account_is_the_one_that_sts_returns(sts: str) -> None:
    assert caller_account(CREDENTIALS, "us-east-1", sts) == "123456789012"


@pytest.mark.usefixtures("aws_environment")
def test_an_sts_that_cannot_be_reached_raises() -> None:
    with pytest.raises(EndpointConnectionError):
        caller_account(CREDENTIALS, "us-east-1", "http://127.0.0.1:1")
