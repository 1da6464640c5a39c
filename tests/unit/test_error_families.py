"""Every code of throttling, clocks and credentials that the AWS SDKs know has its row, by its meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import botocore
import pytest
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from cloudfront_facade_server.errors.classify import may_need_new_credentials, proven_not_applied
from support.cloudfront.wire import client_error
from support.translated import translated

CLOCKS_OF_OTHER_SDKS: Final = (
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
)
"""The codes after which the SDKs for JavaScript, Java, Go and .NET correct their clock."""

EXPIRED_TEXTS: Final = (
    "Signature expired: 20260926T101112Z is now earlier than 20260926T102112Z (20260926T102612Z - 5 min.)",
    "Signature not yet current: 20260926T111112Z is still later than 20260926T102112Z (20260926T101612Z + 5 min.)",
    "Request timestamp is too skewed",
)


def codes_in(tree: Any) -> Iterator[str]:
    """Yields every error code in botocore's rules for retries."""
    if isinstance(tree, dict):
        if code := tree.get("service_error_code"):
            yield code
        for branch in tree.values():
            yield from codes_in(branch)


def retry_codes() -> set[str]:
    """Returns the error codes of botocore's legacy retries."""
    path = Path(botocore.__file__).parent / "data" / "_retry.json"
    return set(codes_in(json.loads(path.read_text())))


@pytest.mark.parametrize("code", ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
@pytest.mark.parametrize("http_status", [400, 429, 503])
def test_every_throttling_code_of_botocore_is_throttling(code: str, http_status: int) -> None:
    failure = translated(client_error(code, http_status))
    assert failure.reason == "UPSTREAM_THROTTLED"
    assert failure.retry_after is not None


def test_every_code_of_botocores_lists_is_recognized() -> None:
    codes = {*retry_codes(), *TransientRetryableChecker._TRANSIENT_ERROR_CODES}
    assert {"Throttling", "RequestTimeoutException", "BandwidthLimitExceeded"} <= codes, "the lists were found"
    reasons = {code: translated(client_error(code, 400)).reason for code in sorted(codes)}
    assert [code for code, reason in reasons.items() if reason == "UPSTREAM_UNRECOGNIZED"] == []


@pytest.mark.parametrize("code", CLOCKS_OF_OTHER_SDKS)
@pytest.mark.parametrize("text", EXPIRED_TEXTS)
def test_every_clock_code_that_speaks_of_a_clock_is_expired(code: str, text: str) -> None:
    error = client_error(code, 403, text)
    failure = translated(error)
    assert (failure.reason, failure.retry_after) == ("UPSTREAM_CREDENTIALS_EXPIRED", 5.0)
    assert failure.metadata["aws_code"] == code
    assert may_need_new_credentials(error)


@pytest.mark.parametrize("code", ["AuthFailure", "InvalidSignatureException", "SignatureDoesNotMatch"])
def test_a_signature_that_does_not_match_is_about_the_credentials(code: str) -> None:
    error = client_error(code, 403, "The request signature we calculated does not match the signature you provided.")
    failure = translated(error)
    assert (failure.reason, failure.retry_after) == ("UPSTREAM_CREDENTIALS_INVALID", None)
    assert not may_need_new_credentials(error)


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_authentication_failed_is_not_a_missing_permission(code: str) -> None:
    assert translated(client_error(code, 403, "Authentication failed")).reason == "UPSTREAM_CREDENTIALS_INVALID"
    denied = "User: x is not authorized to perform: cloudfront-keyvaluestore:GetKey. Authentication failed"
    assert translated(client_error(code, 403, denied)).reason == "UPSTREAM_ACCESS_DENIED"


@pytest.mark.parametrize("text", ["", "1 validation error detected", "No Pre-Condition failed"])
def test_every_other_validation_exception_is_invalid(text: str) -> None:
    assert translated(client_error("ValidationException", 400, text)).reason == "UPSTREAM_INVALID_ARGUMENT"


@pytest.mark.parametrize("code", ["RequestTimeout", "RequestTimeoutException", "RequestAbortedException"])
@pytest.mark.parametrize("http_status", [400, 408])
def test_a_request_that_was_cut_off_may_have_been_applied(code: str, http_status: int) -> None:
    assert not proven_not_applied(client_error(code, http_status))
