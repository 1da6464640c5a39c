"""Roles: which STS endpoint they are assumed at, what is sent, and when their credentials are refreshed."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import CredentialRetrievalError

from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.errors.translate import cause
from support.aws_backend import new_aws_backend
from support.cloudfront import faults
from support.cloudfront.credentials import keys
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.sts import StsDouble
from support.process import run_command
from support.waiting import wait_until

MakeBackend = Callable[..., AwsBackend]

ROLE = "arn:aws:iam::210987654321:role/edge/cloudfront"


@pytest.fixture
def sts(aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[StsDouble]:
    """A stand-in for STS, at which roles are assumed."""
    with StsDouble() as double:
        for name, value in double.variables.items():
            monkeypatch.setenv(name, value)
        yield double


@pytest.fixture
def proxied_hosts(aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The hosts that HTTPS requests go to, through a proxy that rejects them all."""
    hosts: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reject() -> None:
            with suppress(OSError):  # the listener is closed at the end
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        hosts.append(connection.recv(4096).split()[1].decode())
                        connection.sendall(b"HTTP/1.1 502 rejected\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=reject)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield hosts
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def use_web_identity(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    token = folder / "token"
    token.write_text("a-token-of-the-cluster")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)


def use_profile(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    config = folder / "config"
    config.write_text(
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nregion = eu-west-1\nsts_regional_endpoints = legacy\n"
        "endpoint_url = http://127.0.0.1:9\nservices = local\n[services local]\nsts =\n  endpoint_url = http://127.0.0.1:9\n"
        "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\nregion = eu-west-1\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


def use_flag(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Keeps the keys of the environment: the role comes from --role-arn."""


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
@pytest.mark.parametrize("configure", [use_web_identity, use_profile, use_flag])
def test_roles_are_assumed_at_the_sts_endpoint_of_the_region(
    proxied_hosts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    configure: Callable[[pytest.MonkeyPatch, Path], None],
    region: str,
) -> None:
    configure(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    role = ROLE if configure is use_flag else None

    backend = new_aws_backend(region=region, role_arn=role)

    assert backend.credentials_available() is False
    assert set(proxied_hosts) == {f"sts.{region}.amazonaws.com:443"}


def test_the_role_of_the_flag_is_assumed_with_its_external_id(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, sts: StsDouble
) -> None:
    backend = aws_backend(cloudfront, role_arn=ROLE, external_id="customer-7")

    backend.list_key_value_stores()

    assert keys(cloudfront) == ["ASIA1"]
    assert cloudfront.requests[0].headers["x-amz-security-token"] == "token-1"
    assert sts.hosts == ["sts.us-east-1.amazonaws.com"]
    (request,) = sts.requests
    assert (request["Action"], request["RoleArn"]) == ("AssumeRole", ROLE)
    assert (request["ExternalId"], request["RoleSessionName"]) == ("customer-7", "cloudfront-facade")
    assert re.search(r"Credential=AKIDEXAMPLE/\d{8}/us-east-1/sts/", request["authorization"])


def test_the_credentials_of_a_role_are_refreshed_in_time(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, sts: StsDouble
) -> None:
    sts.lifetime = timedelta(minutes=5)
    backend = aws_backend(cloudfront, role_arn=ROLE)
    assert backend.credentials_available() is True
    first = len(sts.requests)
    sts.lifetime = timedelta(hours=1)

    backend.list_key_value_stores()
    backend.list_key_value_stores()

    assert keys(cloudfront) == [f"ASIA{first + 1}"] * 2, "five minutes are too few"

    cloudfront.script("ListKeyValueStores", faults.expire())
    backend.list_key_value_stores()
    assert keys(cloudfront)[2:] == [f"ASIA{first + 1}", f"ASIA{first + 2}"], "a revoked session is replaced"


def test_a_role_with_minutes_left_signs_while_a_new_session_is_fetched(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, sts: StsDouble
) -> None:
    sts.lifetime = timedelta(minutes=13)
    backend = aws_backend(cloudfront, role_arn=ROLE)
    assert backend.credentials_available() is True
    first = len(sts.requests)
    sts.lifetime = timedelta(hours=1)

    def renewed() -> bool:
        backend.list_key_value_stores()
        return keys(cloudfront)[-1] == f"ASIA{first + 1}"

    wait_until(renewed)
    assert keys(cloudfront)[0] == f"ASIA{first}"


def test_a_role_that_may_not_be_assumed_is_named_by_its_code(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, sts: StsDouble
) -> None:
    sts.rejection = "AccessDenied"
    backend = aws_backend(cloudfront, role_arn=ROLE)
    assert backend.credentials_available() is False
    assert backend.credentials_failure == "AssumeRole returned AccessDenied"
    with pytest.raises(CredentialRetrievalError) as caught:
        backend.list_key_value_stores()
    assert cause(caught.value) == "CredentialSourceError: AssumeRole returned AccessDenied"
    assert cloudfront.requests == ()

    sts.rejection = ""
    backend.list_key_value_stores()
    assert cloudfront.count("ListKeyValueStores") == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--role-arn", "edge"], "must be arn:aws:iam::ACCOUNT:role/NAME"),
        (["--role-arn", ROLE, "--external-id", "x"], "must have 2 to 1224 characters"),
        (["--external-id", "customer-7"], "--external-id requires --role-arn"),
    ],
)
def test_a_malformed_role_stops_the_start(flags: list[str], message: str) -> None:
    completed = run_command("serve", "--backend", "aws", *flags)
    assert completed.returncode != 0
    assert message in completed.stderr
    assert len(completed.stderr.splitlines()) == 1
