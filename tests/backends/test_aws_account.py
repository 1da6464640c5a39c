"""The account of credentials, from moto's STS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError

from cloudfront_facade_server.backends.aws.caller_account import caller_account
from cloudfront_facade_server.backends.aws.credential_source import CredentialSource
from support.moto import moto_server

SOURCE = CredentialSource("us-east-1")
CREDENTIALS = ReadOnlyCredentials("AKIDEXAMPLE", "an-example-of-a-secret-key", None)


@pytest.fixture(scope="module")
def sts() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.mark.usefixtures("aws_environment")
def test_the_account_is_the_one_that_sts_returns(sts: str) -> None:
    assert caller_account(CREDENTIALS, SOURCE, sts) == "123456789012"


@pytest.mark.usefixtures("aws_environment")
def test_an_sts_that_cannot_be_reached_raises() -> None:
    with pytest.raises(EndpointConnectionError):
        caller_account(CREDENTIALS, SOURCE, "http://127.0.0.1:1")


@pytest.mark.usefixtures("aws_environment")
def test_the_profile_of_the_service_is_used_although_the_environment_names_a_missing_one(
    sts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile edge]\naws_access_key_id = AKIDEDGE\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "missing")
    source = CredentialSource("us-east-1", profile="edge")
    _, frozen = source.load()
    assert frozen.access_key == "AKIDEDGE"
    assert caller_account(frozen, source, sts) == "123456789012"
