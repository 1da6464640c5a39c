"""The errors of failed calls."""

from __future__ import annotations

import asyncio
import copy
import pickle

import grpc
import pytest
from google.protobuf import duration_pb2
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from client.canned import Canned, ErrorStatus, details_trailer, error_status, reserved_target, running_server
from cloudfront_facade import FacadeError, Precondition, Quota, Resource, Violation, connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub

REQUEST = CreateFunctionRequest(name="rewrite", request_id="0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f")


def error_of(answer: ErrorStatus) -> FacadeError:
    with (
        running_server(Canned(answer)) as target,
        connect(target, retry=False) as facade,
        pytest.raises(FacadeError) as caught,
    ):
        facade.functions.CreateFunction(REQUEST)
    return caught.value


def info(reason: str, domain: str = "cloudfront-facade", **metadata: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(
        reason=reason, domain=domain, metadata={"operation": "CreateFunction", "outcome": "not_applied", **metadata}
    )


def bad_request(*violations: Violation) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=violation.field, description=violation.description, reason=violation.reason
            )
            for violation in violations
        ]
    )


def test_the_violations_of_a_request_are_listed() -> None:
    violations = (
        Violation("tags[2].key", "'aws:x' starts with 'aws:', which is reserved", "TAG_KEY_RESERVED"),
        Violation("name", "must have 1 to 64 characters", "NAME_LENGTH"),
    )
    error = error_of(
        error_status(
            StatusCode.INVALID_ARGUMENT,
            "the request breaks 2 rules",
            bad_request(*violations),
            info("VALIDATION_FAILED", violation_count="2"),
        )
    )
    assert isinstance(error, grpc.RpcError)
    assert (error.code(), error.details()) == (StatusCode.INVALID_ARGUMENT, "the request breaks 2 rules")
    assert (error.reason, error.domain, error.outcome) == ("VALIDATION_FAILED", "cloudfront-facade", "not_applied")
    assert error.metadata == {"operation": "CreateFunction", "outcome": "not_applied", "violation_count": "2"}
    assert error.violations == violations
    assert (error.preconditions, error.quotas, error.resource, error.retry_delay) == ((), (), None, None)
    assert str(error).splitlines() == [
        "INVALID_ARGUMENT: the request breaks 2 rules [VALIDATION_FAILED, outcome not_applied]",
        "  tags[2].key: 'aws:x' starts with 'aws:', which is reserved",
        "  name: must have 1 to 64 characters",
    ]


def test_omitted_violations_are_counted() -> None:
    error = error_of(
        error_status(
            StatusCode.INVALID_ARGUMENT,
            "500 rules",
            bad_request(Violation("", "one of many")),
            info("VALIDATION_FAILED", violation_count="500"),
        )
    )
    assert str(error).splitlines()[1:] == ["  request: one of many", "  and 499 more"]


def test_the_precondition_resource_and_retry_delay_of_an_error_are_read() -> None:
    precondition = Precondition("KEY_VALUE_STORE", "redirects", "must be READY, but is PROVISIONING")
    error = error_of(
        error_status(
            StatusCode.FAILED_PRECONDITION,
            "not ready",
            info("KEY_VALUE_STORE_NOT_READY", "cloudfront.amazonaws.com", aws_code="InvalidArgument"),
            error_details_pb2.PreconditionFailure(
                violations=[
                    error_details_pb2.PreconditionFailure.Violation(
                        type=precondition.type, subject=precondition.subject, description=precondition.description
                    )
                ]
            ),
            error_details_pb2.ResourceInfo(
                resource_type="KeyValueStore", resource_name="redirects", description="waits for its import"
            ),
            error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=2, nanos=500_000_000)),
        )
    )
    assert error.preconditions == (precondition,)
    assert error.resource == Resource("KeyValueStore", "redirects", "waits for its import")
    assert error.retry_delay == 2.5
    assert str(error).splitlines()[1:] == [
        "  redirects: must be READY, but is PROVISIONING",
        "  Retry after 2.5 s.",
    ]


def test_a_retry_delay_of_zero_is_kept() -> None:
    error = error_of(
        error_status(
            StatusCode.UNAVAILABLE,
            "retry now",
            error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=0)),
        )
    )
    assert error.retry_delay == 0


def test_an_exceeded_quota_is_read() -> None:
    error = error_of(
        error_status(
            StatusCode.RESOURCE_EXHAUSTED,
            "too many",
            info("FUNCTION_QUOTA_EXCEEDED"),
            error_details_pb2.QuotaFailure(
                violations=[error_details_pb2.QuotaFailure.Violation(subject="functions", description="100 of 100")]
            ),
        )
    )
    assert error.quotas == (Quota("functions", "100 of 100"),)
    assert "  functions: 100 of 100" in str(error).splitlines()


def test_the_counts_of_changes_are_read() -> None:
    counts = {"applied_changes": "450", "unknown_changes": "50", "outcome": "partial"}
    error = error_of(error_status(StatusCode.UNAVAILABLE, "lost", info("UPSTREAM_OUTCOME_UNKNOWN", **counts)))
    assert (error.outcome, error.applied_changes, error.unknown_changes) == ("partial", 450, 50)
    assert "  Changes: 450 applied, the next 50 unknown." in str(error).splitlines()


@pytest.mark.parametrize("count", ["", "-1", "many", "٣"])
def test_a_malformed_count_is_ignored(count: str) -> None:
    error = error_of(error_status(StatusCode.ABORTED, "no", info("ETAG_MISMATCH", applied_changes=count)))
    assert (error.applied_changes, error.unknown_changes) == (None, None)
    assert "Changes" not in str(error)


def test_an_unknown_outcome_shows_the_request_id_to_retry_with() -> None:
    error = error_of(error_status(StatusCode.UNAVAILABLE, "lost", info("UPSTREAM_OUTCOME_UNKNOWN", outcome="unknown")))
    assert error.request_id == REQUEST.request_id
    assert REQUEST.request_id in str(error)


def test_an_error_without_details_is_still_typed() -> None:
    error = error_of(ErrorStatus(StatusCode.INTERNAL, "a proxy's"))
    assert (error.code(), error.details(), error.reason, error.domain) == (StatusCode.INTERNAL, "a proxy's", "", "")
    assert (error.outcome, error.metadata, error.violations) == ("unknown", {}, ())
    assert str(error).startswith("INTERNAL: a proxy's [outcome unknown]")


def test_an_unreachable_server_raises_a_facade_error_without_a_reason() -> None:
    with (
        reserved_target() as target,
        connect(target, retry=False) as facade,
        pytest.raises(FacadeError) as caught,
    ):
        facade.functions.CreateFunction(REQUEST)
    assert (caught.value.code(), caught.value.reason) == (StatusCode.UNAVAILABLE, "")


BROKEN_INFO = Packed(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")


@pytest.mark.parametrize(
    "trailers",
    [
        (("grpc-status-details-bin", b"\xff no protobuf"),),
        (("grpc-status-details-bin", b""),),
        details_trailer(StatusCode.ABORTED, "no", info("ETAG_MISMATCH")),
        details_trailer(StatusCode.NOT_FOUND, "another message", info("FUNCTION_NOT_FOUND")),
        (("grpc-status-details-bin", status_pb2.Status(code=77, message="no").SerializeToString()),),
        (
            (
                "grpc-status-details-bin",
                status_pb2.Status(code=5, message="no", details=[BROKEN_INFO]).SerializeToString(),
            ),
        ),
    ],
    ids=["garbage", "empty", "another code", "another message", "unknown code", "garbage within"],
)
def test_malformed_or_mismatched_details_are_ignored(trailers: tuple[tuple[str, bytes], ...]) -> None:
    error = error_of(ErrorStatus(StatusCode.NOT_FOUND, "no", trailers))
    assert (error.code(), error.details(), error.reason) == (StatusCode.NOT_FOUND, "no", "")
    assert error.trailing_metadata()[0] == trailers[0]


def test_unknown_details_do_not_hide_known_ones() -> None:
    status = status_pb2.Status(code=StatusCode.NOT_FOUND.value[0], message="no")
    status.details.add(type_url="type.googleapis.com/google.rpc.FromTheFuture", value=b"\x01")
    status.details.append(BROKEN_INFO)
    status.details.add().Pack(info("FUNCTION_NOT_FOUND"))
    trailers = (("grpc-status-details-bin", status.SerializeToString()), ("x-more", "1"))
    error = error_of(ErrorStatus(StatusCode.NOT_FOUND, "no", trailers))
    assert error.reason == "FUNCTION_NOT_FOUND"
    assert dict(error.trailing_metadata())["x-more"] == "1"


def test_an_error_survives_pickling_and_copying() -> None:
    error = error_of(error_status(StatusCode.INVALID_ARGUMENT, "no", info("X"), bad_request(Violation("name", "bad"))))
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert isinstance(copied, FacadeError)
        assert str(copied) == str(error)
        assert (copied.code(), copied.violations, copied.request_id) == (
            error.code(),
            error.violations,
            error.request_id,
        )


def test_errors_of_bare_stubs_can_be_converted() -> None:
    answer = error_status(StatusCode.NOT_FOUND, "no", info("FUNCTION_NOT_FOUND"))
    with (
        running_server(Canned(answer)) as target,
        grpc.insecure_channel(target) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        FunctionServiceStub(channel).CreateFunction(REQUEST)
    error = FacadeError.of(caught.value, REQUEST.request_id)
    assert (error.reason, error.request_id) == ("FUNCTION_NOT_FOUND", REQUEST.request_id)
    assert FacadeError.of(error) is error


def test_errors_of_bare_asyncio_stubs_can_be_converted() -> None:
    async def call(target: str) -> FacadeError:
        async with grpc.aio.insecure_channel(target) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                await FunctionServiceStub(channel).CreateFunction(REQUEST)
            return FacadeError.of(caught.value)

    with running_server(Canned(error_status(StatusCode.NOT_FOUND, "no", info("FUNCTION_NOT_FOUND")))) as target:
        error = asyncio.run(call(target))
    assert (error.code(), error.details(), error.reason) == (StatusCode.NOT_FOUND, "no", "FUNCTION_NOT_FOUND")


def test_an_error_without_a_status_is_unknown() -> None:
    error = FacadeError.of(grpc.RpcError("torn"))
    assert (error.code(), error.details(), error.outcome) == (StatusCode.UNKNOWN, "torn", "unknown")


def test_an_error_of_grpc_itself_does_not_advise_a_retry() -> None:
    error = FacadeError(
        StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (300055 vs. 262144)", (), "an-id"
    )
    assert "retry" not in str(error)
    assert "retry" in str(FacadeError(StatusCode.UNAVAILABLE, "lost", (), "an-id"))
