"""Refreshes of credentials while calls run: which calls wait, for how long, and what they send meanwhile."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import CredentialRetrievalError, InvalidConfigError

from cloudfront_facade_server.backends.aws import AwsBackend, credentials
from cloudfront_facade_server.call_context import upstream_deadline
from cloudfront_facade_server.errors.classify import proven_not_applied
from support.cloudfront import faults
from support.cloudfront.credentials import CredentialSource, keys
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import FULL_FUNCTION
from support.values import STORE_ARN
from support.waiting import wait_until

MakeBackend = Callable[..., AwsBackend]


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails if the block takes longer."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def call_with_time(seconds: float, work: Callable[..., Any], **arguments: Any) -> Any:
    """Makes a call with this many seconds left before the deadline of its rpc."""
    with upstream_deadline(time.monotonic() + seconds):
        return work(**arguments)


def test_credentials_with_minutes_left_sign_immediately_while_their_source_hangs_or_fails(
    cloudfront: CloudFrontDouble,
    aws_backend: MakeBackend,
    source: CredentialSource,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source.expire_in(timedelta(minutes=14))
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    runs = source.runs
    with source.hanging():
        with within(5.0):  # a call that waited for the source would take ten seconds
            for _ in range(4):
                backend.list_key_value_stores()
        wait_until(lambda: source.runs > runs)
        source.break_down()
    wait_until(lambda: "Refreshing temporary credentials failed" in caplog.text)
    assert source.runs == runs + 1, "all calls share one refresh"
    backend.list_key_value_stores()
    assert keys(cloudfront) == [f"AKID{runs}"] * 5
    assert backend.credentials_failure == ""

    source.repair()
    source.expire_in(timedelta(hours=1))
    monkeypatch.setattr(credentials, "_BACKGROUND_INTERVAL_SECONDS", 0.5)

    def renewed() -> bool:
        backend.list_key_value_stores()
        return keys(cloudfront)[-1] != f"AKID{runs}"

    wait_until(renewed)


@pytest.mark.parametrize(("max_wait", "call"), [(60.0, 0.3), (0.3, 60.0)], ids=["call deadline", "maximum wait"])
def test_calls_wait_briefly_for_new_credentials_in_the_last_minutes(
    cloudfront: CloudFrontDouble,
    aws_backend: MakeBackend,
    source: CredentialSource,
    monkeypatch: pytest.MonkeyPatch,
    max_wait: float,
    call: float,
) -> None:
    source.expire_in(timedelta(minutes=5))
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    runs = source.runs
    with source.hanging(), monkeypatch.context() as patch:
        patch.setattr(credentials, "_MAX_WAIT_SECONDS", max_wait)
        started = time.monotonic()
        with within(6.0), pytest.raises(CredentialRetrievalError, match="no response in time") as late:
            call_with_time(call, backend.create_function, **FULL_FUNCTION)
        assert time.monotonic() - started > 0.25, "the call waits for the refresh"
        assert proven_not_applied(late.value)
        source.expire_in(timedelta(hours=1))
    backend.create_function(**FULL_FUNCTION)

    assert keys(cloudfront) == [f"AKID{runs + 1}"], "the call joins the refresh in progress"


def test_a_refresh_that_fails_after_its_calls_ended_leaves_no_unhandled_error(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.expire_in(timedelta(minutes=5))
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    with source.hanging():
        with pytest.raises(CredentialRetrievalError, match="no response in time"):
            call_with_time(0.1, backend.list_key_value_stores)
        source.break_down()
    wait_until(lambda: backend.credentials_failure != "")
    source.repair()

    with suppress(CredentialRetrievalError):  # the call may join the refresh that fails
        backend.list_key_value_stores()
    backend.list_key_value_stores()

    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("expired", [False, True], ids=["first load", "refresh"])
def test_credentials_that_arrive_after_the_deadline_are_not_used(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource, expired: bool
) -> None:
    backend = aws_backend(cloudfront)
    if expired:
        assert backend.credentials_available() is True
        cloudfront.script("CreateFunction", faults.expire())
    runs = source.runs
    with ThreadPoolExecutor(1) as pool:
        with source.hanging():
            calling = pool.submit(call_with_time, 1.0, backend.create_function, **FULL_FUNCTION)
            wait_until(lambda: source.runs > runs)
            time.sleep(1.0)
        late = calling.exception(timeout=20)

    assert isinstance(late, Exception)
    assert proven_not_applied(late)
    assert backend.credentials_available() is True
    assert cloudfront.count("CreateFunction") == (1 if expired else 0)
    assert cloudfront.effects("CreateFunction") == 0


def test_a_token_that_is_not_a_valid_header_is_never_sent(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, source: CredentialSource
) -> None:
    source.expire_in(timedelta(minutes=5))
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    source.expire_in(timedelta(hours=1), token="hush\nhush")

    for work, arguments in (
        (backend.create_function, FULL_FUNCTION),
        (backend.put_key, {"KvsARN": STORE_ARN, "Key": "k", "Value": "v", "IfMatch": "KV1"}),
    ):
        with pytest.raises((CredentialRetrievalError, InvalidConfigError)) as rejected:
            work(**arguments)
        assert proven_not_applied(rejected.value)
        assert "hush" not in str(rejected.value)
    assert cloudfront.requests == ()


def test_a_hanging_refresh_is_replaced_by_a_new_one(
    cloudfront: CloudFrontDouble,
    aws_backend: MakeBackend,
    source: CredentialSource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(credentials, "_MAX_LOAD_AGE_SECONDS", 1.0)
    monkeypatch.setattr(credentials, "_MAX_WAIT_SECONDS", 0.3)
    source.expire_in(timedelta(minutes=5))
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    time.sleep(1.1)
    runs = source.runs
    with source.hanging():
        with pytest.raises(CredentialRetrievalError):
            backend.list_key_value_stores()
        wait_until(lambda: source.runs > runs)
        runs = source.runs
        time.sleep(1.1)
        with pytest.raises(CredentialRetrievalError):
            backend.list_key_value_stores()
        wait_until(lambda: source.runs > runs)  # a second refresh starts while the first one hangs
    source.expire_in(timedelta(hours=1))
    wait_until(lambda: _succeeds(backend))


def _succeeds(backend: AwsBackend) -> bool:
    with suppress(CredentialRetrievalError):
        return bool(backend.list_key_value_stores())
    return False
