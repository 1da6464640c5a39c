"""The trailers and messages of errors."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from cloudfront_facade_server.errors.facade_errors import (
    MAX_VIOLATIONS,
    deadline_exceeded,
    overloaded,
    shutting_down,
    validation_failed,
)
from cloudfront_facade_server.errors.status_error import MAX_STATUS_BYTES, Outcome, StatusError
from cloudfront_facade_server.errors.violations import Violation


def status_and_trailers(error: StatusError) -> tuple[status_pb2.Status, dict[str, str | bytes]]:
    trailers = dict(error.trailing_metadata("CreateFunction"))
    content = trailers["grpc-status-details-bin"]
    assert isinstance(content, bytes)
    return status_pb2.Status.FromString(content), trailers


def violations_of(status: status_pb2.Status) -> list[error_details_pb2.BadRequest.FieldViolation]:
    bad = error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(bad)
    return list(bad.field_violations)


def test_an_error_carries_one_error_info_with_operation_and_outcome() -> None:
    status, trailers = status_and_trailers(
        StatusError(grpc.StatusCode.ABORTED, "SOME_REASON", "a message", metadata={"a": "b"})
    )
    info = error_details_pb2.ErrorInfo()
    assert [detail.Unpack(info) for detail in status.details] == [True]
    assert (status.code, status.message) == (10, "a message")
    assert (info.reason, info.domain) == ("SOME_REASON", "cloudfront-facade")
    assert dict(info.metadata) == {"a": "b", "operation": "CreateFunction", "outcome": "not_applied"}
    assert "grpc-retry-pushback-ms" not in trailers


def test_an_overloaded_error_has_retry_info_and_pushback() -> None:
    status, trailers = status_and_trailers(overloaded(32, "calls"))
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    assert 500 <= retry.retry_delay.ToMilliseconds() <= 1500
    assert trailers["grpc-retry-pushback-ms"] == str(retry.retry_delay.ToMilliseconds())


@pytest.mark.parametrize(("pushback", "sent"), [(0, "1"), (1, "1"), (250, "250"), (-1, "-1")])
def test_a_pushback_is_never_zero_because_grpc_clients_hang_on_it(pushback: int, sent: str) -> None:
    error = StatusError(grpc.StatusCode.UNAVAILABLE, "SOME_REASON", "a message", pushback=pushback)
    assert dict(error.trailing_metadata("CreateFunction"))["grpc-retry-pushback-ms"] == sent


@pytest.mark.parametrize(("repeatable", "pushback"), [(True, None), (False, "-1")])
def test_a_call_interrupted_by_shutdown_is_retried_only_if_that_is_safe(repeatable: bool, pushback: str | None) -> None:
    _, trailers = status_and_trailers(shutting_down("unknown", repeatable=repeatable))
    assert trailers.get("grpc-retry-pushback-ms") == pushback


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("not_applied", "nothing was changed"),
        ("applied", "the change was applied"),
        ("partial", "some of the changes were applied"),
        ("unknown", "it is unknown whether the change was applied"),
    ],
)
def test_the_error_of_an_interrupted_call_names_the_outcome_and_whether_to_retry(outcome: Outcome, text: str) -> None:
    advice = "; retry the same request"
    assert deadline_exceeded(outcome).message == f"the deadline expired while the call was in flight; {text}"
    for repeatable in (False, True):
        error = shutting_down(outcome, repeatable=repeatable)
        is_safe = repeatable or outcome == "not_applied"
        cause = "the server stopped while the call was in flight; "
        assert error.message == f"{cause}{text}{advice if is_safe else ''}"
        assert (error.retry_after is not None) is is_safe


def test_twenty_violations_are_listed_with_distinct_fields_first_and_all_are_counted() -> None:
    violations = [Violation(f"tags[{index // 2}].key", f"RULE_{index % 2}", "sent; allowed") for index in range(500)]
    error = validation_failed(violations)
    status, _ = status_and_trailers(error)
    listed = violations_of(status)
    assert len(listed) == MAX_VIOLATIONS == 20
    assert len({violation.field for violation in listed}) == 20
    assert error.metadata["violation_count"] == "500"
    assert status.message == "tags[0].key: sent; allowed (and 499 more, see the details)"
    single, _ = status_and_trailers(validation_failed(violations[:1]))
    assert single.message == "tags[0].key: sent; allowed"


def test_details_that_are_too_long_are_truncated_except_error_info() -> None:
    violations = [Violation(f"field{index}", "RULE", "x" * 400) for index in range(20)]
    status, trailers = status_and_trailers(validation_failed(violations))
    listed = violations_of(status)
    assert 1 <= len(listed) < 20
    assert [violation.field for violation in listed] == [f"field{index}" for index in range(len(listed))]
    assert len(trailers["grpc-status-details-bin"]) <= MAX_STATUS_BYTES

    violation = error_details_pb2.PreconditionFailure.Violation(subject="x" * 400)
    precondition = error_details_pb2.PreconditionFailure(violations=[violation] * 20)
    status, _ = status_and_trailers(StatusError(grpc.StatusCode.FAILED_PRECONDITION, "R", "m", details=[precondition]))
    shortened = error_details_pb2.PreconditionFailure()
    assert status.details[1].Unpack(shortened)
    assert 1 <= len(shortened.violations) < 20

    huge = error_details_pb2.ResourceInfo(description="x" * 10_000)
    status, _ = status_and_trailers(StatusError(grpc.StatusCode.ABORTED, "R", "m", details=[huge]))
    assert len(status.details) == 1
