"""Which errors prove that CloudFront applied nothing."""

from __future__ import annotations

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from cloudfront_facade_server.errors.aws_codes import MalformedResponseError
from cloudfront_facade_server.errors.classify import proven_not_applied
from support.cloudfront.wire import client_error
from wire.expected_errors import FAILURES, REJECTIONS


@pytest.mark.parametrize(("code", "http_status"), [(code, status) for code, (status, _) in REJECTIONS.items()])
def test_a_rejection_proves_that_nothing_was_changed(code: str, http_status: int) -> None:
    assert proven_not_applied(client_error(code, http_status))


@pytest.mark.parametrize(("code", "http_status"), [(code, status) for code, (status, _) in FAILURES.items()])
def test_a_failure_of_cloudfront_does_not_prove_that_nothing_was_changed(code: str, http_status: int) -> None:
    assert not proven_not_applied(client_error(code, http_status))


def test_only_a_4xx_or_a_failed_connect_proves_that_nothing_was_changed() -> None:
    assert proven_not_applied(boto.ConnectTimeoutError(endpoint_url="x"))
    assert proven_not_applied(boto.SSLError(endpoint_url="x", error="[SSL: CERTIFICATE_VERIFY_FAILED] expired"))
    assert proven_not_applied(boto.EndpointConnectionError(endpoint_url="x"))
    for error in (
        client_error("RequestTimeout", 400),
        client_error("", 408),
        client_error("", 503),
        client_error("", 302),
        boto.ProxyConnectionError(proxy_url="x", error="reset after the request"),
        boto.ReadTimeoutError(endpoint_url="x"),
        boto.ConnectionClosedError(endpoint_url="x"),
        ResponseParserError("x"),
        MalformedResponseError("x"),
    ):
        assert not proven_not_applied(error), error
