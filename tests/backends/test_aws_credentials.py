"""Credential sources that hang, fail or have no credentials, with real files, processes and endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import CredentialRetrievalError

from cloudfront_facade_server.backends.aws import AwsBackend, AwsBackendError
from support.cloudfront.credentials import SECRET_OUTPUT, CredentialSource, keys
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import FULL_FUNCTION
from support.cloudfront.server import LoopbackServer, Reply
from support.cloudfront.sts import StsDouble
from support.cloudfront.wire import HttpResponse
from support.waiting import wait_until

MakeBackend = Callable[..., AwsBackend]


def test_credentials_are_loaded_when_a_failed_source_recovers(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    source.break_down()
    backend = aws_backend(cloudfront)

    assert backend.credentials_available() is False
    assert backend.credentials_failure == ("the credential_process failed, or printed something else than credentials")
    with pytest.raises(CredentialRetrievalError):
        backend.create_function(**FULL_FUNCTION)
    assert cloudfront.requests == ()

    source.repair()
    assert backend.credentials_available() is True
    assert backend.credentials_failure == ""
    backend.create_function(**FULL_FUNCTION)


def test_credentials_that_disappear_while_their_source_fails_are_an_error(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.break_down()
    backend = aws_backend(cloudfront)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(AwsBackendError, match="no AWS credentials found"):
        backend.credentials_available()


def test_valid_credentials_are_used_while_their_source_fails(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.expire_in(timedelta(minutes=12))  # botocore refreshes them in the last 15 minutes
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    runs = source.runs
    source.break_down()

    backend.list_key_value_stores()

    assert keys(cloudfront) == [f"AKID{runs}"]
    wait_until(lambda: "Refreshing temporary credentials failed" in caplog.text)
    assert source.runs == runs + 1
    assert SECRET_OUTPUT not in caplog.text


def test_credentials_are_refreshed_before_they_expire(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    source.expire_in(timedelta(minutes=5))
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    source.expire_in(timedelta(hours=1))
    backend.list_key_value_stores()
    runs = source.runs
    backend.list_key_value_stores()
    assert keys(cloudfront) == [f"AKID{runs}"] * 2
    assert source.runs == runs


def test_expired_credentials_are_unavailable_while_their_source_fails(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    source.expire_in(timedelta(minutes=-1))
    backend = aws_backend(cloudfront)

    assert backend.credentials_available() is False
    with pytest.raises(CredentialRetrievalError):
        backend.list_key_value_stores()
    assert cloudfront.requests == ()

    source.expire_in(timedelta(hours=1))
    assert backend.credentials_available() is True


def test_expiring_credentials_are_loaded_again_after_a_failed_refresh(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    source.expire_in(timedelta(minutes=5))  # so soon that botocore must refresh them before the next use
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    source.break_down()
    with pytest.raises(CredentialRetrievalError):
        backend.list_key_value_stores()

    source.repair()
    source.expire_in(timedelta(hours=1))
    backend.list_key_value_stores()

    assert cloudfront.count("ListKeyValueStores") == 1


@pytest.fixture
def no_keys(aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def container_endpoint() -> Iterator[tuple[LoopbackServer, list[HttpResponse]]]:
    """A container credentials endpoint, and the responses that it returns; the last one counts."""
    responses: list[HttpResponse] = []
    server = LoopbackServer(lambda *_: Reply(responses[-1], {}))
    yield server, responses
    server.end()


@pytest.mark.usefixtures("no_keys")
def test_a_container_endpoint_without_a_server_is_unavailable(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CloudFrontDouble() as gone:
        pass
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", gone.url)
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is False  # takes two seconds, because botocore retries
    assert backend.credentials_failure == (
        "the container's credentials endpoint does not respond, or returned an error"
    )


@pytest.mark.usefixtures("no_keys")
def test_a_container_endpoint_returns_credentials(
    cloudfront: CloudFrontDouble,
    aws_backend: MakeBackend,
    container_endpoint: tuple[LoopbackServer, list[HttpResponse]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, responses = container_endpoint
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_port}/")
    responses.append(HttpResponse(200, b"{}"))
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is False
    assert backend.credentials_failure == "the response of the source lacks a member"

    role_credentials = {"AccessKeyId": "AKIDROLE", "SecretAccessKey": "s", "Token": "t"}
    expiry = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    responses.append(HttpResponse(200, json.dumps({**role_credentials, "Expiration": expiry}).encode()))
    assert backend.credentials_available() is True
    backend.list_key_value_stores()

    assert keys(cloudfront) == ["AKIDROLE"]


def test_an_error_of_assume_role_is_not_reported_as_an_error_of_cloudfront(
    cloudfront: CloudFrontDouble,
    aws_backend: MakeBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/edge\nsource_profile = base\nregion = us-east-1\n"
        "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with StsDouble() as sts:
        sts.rejection = "AccessDenied"
        for name, value in sts.variables.items():
            monkeypatch.setenv(name, value)

        backend = aws_backend(cloudfront, profile="role")

        assert backend.credentials_available() is False
        assert backend.credentials_failure == "AssumeRole returned AccessDenied"
        with pytest.raises(CredentialRetrievalError):
            backend.list_key_value_stores()
    assert cloudfront.requests == ()
