"""Fixtures of the tests against a real AWS account."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aws.account import Account
from aws.facade import Facade, running_command

ENDPOINT_VARIABLES = ("CLOUDFRONT_FACADE_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDFRONT", "AWS_ENDPOINT_URL")


@pytest.fixture(scope="session")
def endpoint_url() -> str | None:
    """An endpoint to use instead of CloudFront, to test these tests."""
    return next((os.environ[name] for name in ENDPOINT_VARIABLES if os.environ.get(name)), None)


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """A session with the credentials in the environment; without credentials no test runs."""
    try:
        session = boto3.Session()
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
            return session
        reason = "none were found"
    except (BotoCoreError, ClientError) as error:
        reason = str(error)
    pytest.exit(
        f"these tests need AWS credentials, but {reason}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY; see docs/guides/testing-against-aws.md",
        returncode=1,
    )


@pytest.fixture(scope="session")
def account(session: boto3.Session, endpoint_url: str | None) -> Iterator[Account]:
    """The account; everything is deleted at the end, even after a failure."""
    config = Config(retries={"total_max_attempts": 8, "mode": "standard"})
    client = session.client("cloudfront", region_name="us-east-1", endpoint_url=endpoint_url, config=config)
    account = Account(client)
    try:
        # Check that everything can be listed and deleted before anything is created.
        account.functions()
        account.stores()
    except (BotoCoreError, ClientError) as error:
        pytest.exit(f"these credentials cannot list CloudFront's resources: {error}", returncode=1)
    print(f"\nthe names of all resources of this run begin with {account.prefix}")
    try:
        yield account
    finally:
        account.sweep()
        client.close()


@pytest.fixture(scope="session")
def facade(session: boto3.Session, endpoint_url: str | None, account: Account) -> Iterator[Facade]:
    """The command on the AWS backend, with the same credentials."""
    with running_command(session, endpoint_url, account) as facade:
        yield facade


@pytest.fixture
def store_name(account: Account) -> Iterator[Callable[[str], str]]:
    """Returns names for stores, which are deleted after the test."""
    names: list[str] = []
    yield lambda suffix: _recorded(names, account.name(suffix))
    for name in names:
        account.delete_store(name)


@pytest.fixture
def function_name(account: Account, store_name: object) -> Iterator[Callable[[str], str]]:
    """Returns names for functions, which are deleted after the test and before the stores that they use."""
    names: list[str] = []
    yield lambda suffix: _recorded(names, account.name(suffix))
    for name in names:
        account.delete_function(name)


def _recorded(names: list[str], name: str) -> str:
    names.append(name)
    return name
