"""CloudFront's errors, as received by a caller of the facade."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.cloudfront.faults import Fault, fail_with, html, status_only
from support.facade import Failure, failing, function
from wire.expected_errors import BY_HTTP_STATUS, FAILURES, REJECTIONS, Expected, assert_reads
from wire.side_by_side import SideBySide

ROLE: Final = "arn:aws:sts::999988887777:assumed-role/deployer/session"
REQUESTS: Final[dict[str, Any]] = {
    "CreateFunction": function(),
    "CreateKeyValueStore": CreateKeyValueStoreRequest(name="redirects"),
}
EXPIRED: Final = "UPSTREAM_CREDENTIALS_EXPIRED"


@contextmanager
def every_create(side_by_side: SideBySide, fault: Fault) -> Iterator[None]:
    for operation in REQUESTS:
        side_by_side.cloudfront.always(operation, fault)
    try:
        yield
    finally:
        for operation in REQUESTS:
            side_by_side.cloudfront.always(operation, None)


def failures_of(side_by_side: SideBySide) -> dict[str, tuple[Failure, int]]:
    """Calls both creates; returns for each the failure and the number of requests that CloudFront received."""
    failures = {}
    for operation, request in REQUESTS.items():
        before = len(side_by_side.cloudfront.requests)
        failure = failing(side_by_side.create, request)
        failures[operation] = (failure, len(side_by_side.cloudfront.requests) - before)
    return failures


@pytest.mark.parametrize(("code", "http_status", "expected"), [(code, *row) for code, row in REJECTIONS.items()])
def test_an_error_is_classified_by_its_code(
    side_by_side: SideBySide, code: str, http_status: int, expected: Expected
) -> None:
    with every_create(side_by_side, fail_with(code, http_status, f"{ROLE} may not do this in 999988887777")):
        for operation, (failure, requests) in failures_of(side_by_side).items():
            assert_reads(failure, expected)
            assert (failure.metadata["operation"], failure.outcome) == (operation, "not_applied")
            assert (failure.metadata["aws_code"], failure.metadata["aws_http_status"]) == (code, str(http_status))
            assert failure.metadata["aws_request_id"]
            assert "999988887777" not in failure.message + str(failure.trailers)
            assert requests == (2 if expected.reason == EXPIRED else 1), (
                "a request is sent again only with fresh credentials"
            )


@pytest.mark.parametrize(
    "fault",
    [
        *(fail_with(code, status, f"{ROLE} failed") for code, (status, _) in FAILURES.items()),
        *(status_only(status) for status in BY_HTTP_STATUS if status >= 500),
        html(502),
    ],
)
def test_a_failed_create_has_an_unknown_outcome_and_must_not_be_retried(side_by_side: SideBySide, fault: Fault) -> None:
    with every_create(side_by_side, fault):
        for failure, requests in failures_of(side_by_side).values():
            assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_OUTCOME_UNKNOWN")
            assert (failure.outcome, failure.retry_after, failure.pushback) == ("unknown", None, "-1")
            assert "999988887777" not in failure.message + str(failure.trailers)
            assert requests == 1


@pytest.mark.parametrize("http_status", [status for status in BY_HTTP_STATUS if status < 500])
@pytest.mark.parametrize("response", [status_only, html, lambda status: fail_with("SomethingNew", status, ROLE)])
def test_an_error_without_a_known_code_is_classified_by_its_http_status(
    side_by_side: SideBySide, http_status: int, response: Any
) -> None:
    with every_create(side_by_side, response(http_status)):
        for failure, requests in failures_of(side_by_side).values():
            assert_reads(failure, BY_HTTP_STATUS[http_status])
            assert failure.outcome == "not_applied"
            assert failure.metadata["aws_http_status"] == str(http_status)
            assert "html" not in failure.message.lower()
            assert "999988887777" not in failure.message + str(failure.trailers)
            may_be_taken = http_status == 409 and "aws_code" not in failure.metadata
            assert requests == (2 if may_be_taken else 1), "a read finds out whether the name is taken"
