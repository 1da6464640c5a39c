"""Why there are no credentials, in words: with botocore's own sources, files and processes."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path

import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from cloudfront_facade_server import readiness
from cloudfront_facade_server.backends.aws import AwsBackendError
from cloudfront_facade_server.backends.aws.credential_failures import in_words
from support.aws_backend import new_aws_backend
from support.cloudfront.fixtures import AWS_VARIABLES
from support.cloudfront.sts import StsDouble
from support.process import FacadeProcess
from support.waiting import wait_until

ROLE = "arn:aws:iam::210987654321:role/edge"
START_URL = "https://example.awsapps.com/start"
SSO_ACCOUNT = "sso_account_id = 123456789012\nsso_role_name = edge\n"
SSO_PROFILE = f"[default]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n{SSO_ACCOUNT}"
SSO_SESSION = (
    f"[default]\nsso_session = s\n{SSO_ACCOUNT}[sso-session s]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n"
)


@pytest.fixture
def config(aws_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes the AWS config file, which is the only source of credentials."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    def write(text: str) -> None:
        (tmp_path / "config").write_text(text)

    return write


def failure_of(**arguments: str) -> str:
    """Returns why there are no credentials now."""
    backend = new_aws_backend(**arguments)
    assert backend.credentials_available() is False
    return backend.credentials_failure


def put_sso_token(home: Path, cache_key: str, expires_in: timedelta) -> None:
    expiry = (datetime.now(UTC) + expires_in).strftime("%Y-%m-%dT%H:%M:%SZ")
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    name = sha1(cache_key.encode()).hexdigest()  # noqa: S324 (the AWS CLI's name of the file)
    token = {"accessToken": "hush", "expiresAt": expiry, "startUrl": START_URL, "region": "us-east-1"}
    (cache / f"{name}.json").write_text(json.dumps(token))


@pytest.mark.parametrize("profile", [SSO_PROFILE, SSO_SESSION], ids=["profile", "session"])
def test_a_missing_sso_token(config: Callable[[str], None], profile: str) -> None:
    config(profile)
    assert failure_of() == 'there is no SSO token; run "aws sso login"'


@pytest.mark.parametrize(("profile", "key"), [(SSO_PROFILE, START_URL), (SSO_SESSION, "s")], ids=["profile", "session"])
def test_an_expired_sso_token(
    config: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, key: str
) -> None:
    config(profile)
    put_sso_token(tmp_path, key, timedelta(hours=-1))
    # botocore computes the folder from HOME when it is imported.
    for owner in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(owner, "_SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws" / "sso" / "cache"))
    assert failure_of() == 'the SSO session has expired; run "aws sso login"'


@pytest.mark.parametrize("source", ["Environment", "EcsContainer"])
def test_a_source_without_variables_is_rejected(config: Callable[[str], None], source: str) -> None:
    config(f"[default]\nrole_arn = {ROLE}\ncredential_source = {source}\n")
    with pytest.raises(AwsBackendError, match=f'credential_source "{source}" needs variables that are not set$'):
        new_aws_backend().credentials_available()


def test_an_mfa_prompt_is_rejected(config: Callable[[str], None]) -> None:
    config(
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/x\n"
        "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n"
    )
    with pytest.raises(AwsBackendError, match="the profile has an mfa_serial"):
        new_aws_backend().credentials_available()


@pytest.mark.parametrize("token", ["", "abc"])
def test_a_web_identity_token_that_is_too_short(
    config: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    (tmp_path / "token").write_text(token)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    assert failure_of() == "the web identity token file is empty or too short"


def test_a_web_identity_token_file_that_does_not_exist(
    config: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    assert failure_of() == f"cannot read or run {tmp_path / 'token'}: No such file or directory"


@pytest.mark.parametrize("output", ["hush", "[]", "{}", '{"Version": 1, "AccessKeyId": "hush"}', '{"Version": 2}'])
def test_a_process_that_prints_something_else(config: Callable[[str], None], tmp_path: Path, output: str) -> None:
    (tmp_path / "output").write_text(output)
    config(f"[default]\ncredential_process = cat {tmp_path / 'output'}\n")
    failure = failure_of()
    assert " " in failure
    assert "Error" not in failure
    assert "hush" not in failure


def test_a_process_that_does_not_exist(config: Callable[[str], None]) -> None:
    config("[default]\ncredential_process = /no/such/process\n")
    assert failure_of() == "cannot read or run /no/such/process: No such file or directory"


def test_an_sts_endpoint_without_a_server(
    config: Callable[[str], None], aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**AWS_VARIABLES, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    nobody = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_keywords: [nobody])
    assert failure_of(role_arn=ROLE) == "no response from sts.us-east-1.amazonaws.com"


def test_an_unexpected_error_is_described_too() -> None:
    assert in_words(RuntimeError("hush")) == "the source failed unexpectedly (RuntimeError)"


def test_a_source_that_fails_slowly_is_reported_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(readiness, "_POLL_SECONDS", (0.02, 0.02))
    reasons = iter(["no response from sts", "no response from sts", "no response from sts", ""])

    def check() -> str:
        time.sleep(0.1)
        return next(reasons)

    asyncio.run(readiness.wait_until_ready(check, {}))

    lines = [line for line in capsys.readouterr().out.splitlines() if "waiting for AWS credentials" in line]
    assert ["no response from sts" in line for line in lines] == [False, True]


def test_a_server_says_once_why_it_waits() -> None:
    """With a source about which botocore itself writes a warning for each attempt."""
    with StsDouble() as sts:
        sts.rejection = "AccessDenied"
        flags = ("--backend", "aws", "--drain-delay", "0", "--role-arn", ROLE)
        process = FacadeProcess(*flags, environment=sts.variables)
        try:
            waiting = process.wait_for("waiting for AWS credentials")
            assert waiting["reason"] == "AssumeRole returned AccessDenied"
            wait_until(lambda: len(sts.requests) >= 2, timeout=20)
        finally:
            process.signal()
            assert process.wait() == 0
    assert [line["event"] for line in process.lines if line.get("level") == "warning"] == [
        "waiting for AWS credentials"
    ]
    assert all("text" not in line for line in process.lines)
