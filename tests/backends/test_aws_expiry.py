"""When CloudFront reports expired credentials, they are refreshed once and the call is sent once more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, NoCredentialsError

from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.timeouts import short_timeouts
from cloudfront_facade_server.errors.aws_code_families import EXPIRED
from support.cloudfront import faults
from support.cloudfront.credentials import CredentialSource, keys
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import FULL_FUNCTION, code_and_status

MakeBackend = Callable[..., AwsBackend]


@pytest.mark.parametrize("code", sorted(EXPIRED))
def test_a_call_succeeds_after_one_refresh(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource, code: str
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("CreateFunction", faults.expire(code))

    created = backend.create_function(**FULL_FUNCTION)

    assert created["FunctionSummary"]["Name"] == FULL_FUNCTION["Name"]
    assert keys(cloudfront) == ["AKID1", "AKID2"]
    assert cloudfront.effects("CreateFunction") == 1
    first, second = cloudfront.requests
    assert first.body == second.body


def test_credentials_that_expire_twice_are_an_error(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.always("CreateFunction", faults.expire())

    with pytest.raises(ClientError) as caught:
        backend.create_function(**FULL_FUNCTION)

    assert code_and_status(caught.value) == ("ExpiredToken", 403)
    assert cloudfront.count("CreateFunction") == 2


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "Throttling"])
def test_other_errors_do_not_refresh_credentials(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource, code: str
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("CreateFunction", faults.fail_with(code, 403))

    with pytest.raises(ClientError, match=code):
        backend.create_function(**FULL_FUNCTION)

    assert cloudfront.count("CreateFunction") == 1
    assert source.runs == 1


def test_a_call_is_not_sent_again_after_a_lost_response_to_the_second_attempt(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("CreateFunction", faults.expire(), faults.apply_then_status(503))

    with pytest.raises(ClientError) as caught:
        backend.create_function(**FULL_FUNCTION)

    assert code_and_status(caught.value) == ("503", 503)
    assert (cloudfront.count("CreateFunction"), cloudfront.effects("CreateFunction")) == (2, 1)


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_call_is_not_sent_again_if_the_expiry_does_not_prove_that_nothing_was_applied(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource, status: int
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("CreateFunction", faults.apply_then(faults.fail_with("ExpiredToken", status)))

    with pytest.raises(ClientError) as caught:
        backend.create_function(**FULL_FUNCTION)

    assert code_and_status(caught.value) == ("ExpiredToken", status)
    assert (cloudfront.count("CreateFunction"), cloudfront.effects("CreateFunction")) == (1, 1)
    assert source.runs == 1


def test_concurrent_calls_share_one_refresh(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    together = threading.Barrier(16)

    def expire_together(exchange: faults.Exchange) -> Any:
        together.wait(timeout=20)
        return faults.expire()(exchange)

    cloudfront.script("ListKeyValueStores", *[expire_together] * 16)
    with ThreadPoolExecutor(16) as pool:
        listing = [pool.submit(backend.list_key_value_stores) for _ in range(16)]
        assert all(future.result(timeout=20)["KeyValueStoreList"]["Quantity"] == 0 for future in listing)

    assert source.runs == 2
    assert sorted(keys(cloudfront)) == ["AKID1"] * 16 + ["AKID2"] * 16


def test_concurrent_calls_share_the_failure_of_one_refresh(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    source.break_down()
    together = threading.Barrier(16)

    def expire_together(exchange: faults.Exchange) -> Any:
        together.wait(timeout=20)
        return faults.expire()(exchange)

    cloudfront.script("ListKeyValueStores", *[expire_together] * 16)
    with ThreadPoolExecutor(16) as pool:
        listing = [pool.submit(backend.list_key_value_stores) for _ in range(16)]
        assert all(isinstance(future.exception(timeout=20), CredentialRetrievalError) for future in listing)

    assert source.runs == 2
    assert cloudfront.count("ListKeyValueStores") == 16


def test_calls_with_short_timeouts_share_the_refreshed_credentials(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("ListKeyValueStores", faults.expire())

    with short_timeouts():
        backend.list_key_value_stores()
    backend.list_key_value_stores()

    assert keys(cloudfront) == ["AKID1", "AKID2", "AKID2"]


def test_a_rotated_credentials_file_is_read_again(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("[default]\naws_access_key_id = AKIDOLD\naws_secret_access_key = old\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True

    credentials.write_text("[default]\naws_access_key_id = AKIDNEW\naws_secret_access_key = new\n")
    backend.list_key_value_stores()
    cloudfront.script("ListKeyValueStores", faults.expire())
    backend.list_key_value_stores()

    assert keys(cloudfront) == ["AKIDOLD", "AKIDOLD", "AKIDNEW"]


def test_a_failed_refresh_is_retried_at_the_next_expiry(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("CreateFunction", faults.expire(), faults.expire())
    source.break_down()
    with pytest.raises(CredentialRetrievalError):
        backend.create_function(**FULL_FUNCTION)
    assert cloudfront.count("CreateFunction") == 1
    assert backend.credentials_failure.startswith("the credential_process failed")

    source.repair()
    backend.create_function(**FULL_FUNCTION)

    assert keys(cloudfront) == ["AKID1", "AKID1", "AKID3"]
    assert backend.credentials_failure == ""


def test_a_refresh_that_finds_no_credentials_is_reported(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("ListKeyValueStores", faults.expire())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(NoCredentialsError):
        backend.list_key_value_stores()
    backend.list_key_value_stores()
