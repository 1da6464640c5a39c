"""The outcome of a call covers all its attempts, because the last one alone may find what an earlier one changed."""

from __future__ import annotations

import grpc
import pytest

from client.both import Run, both
from client.canned import Canned, error_status, info, running_server
from cloudfront_facade import FacadeError
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, UpdateFunctionRequest

CREATE = ("functions", "CreateFunction", CreateFunctionRequest(name="f"))
UPDATE = ("functions", "UpdateFunction", UpdateFunctionRequest(name="f", etag="E1"))
UNKNOWN = error_status(grpc.StatusCode.UNAVAILABLE, "lost", info("UPSTREAM_OUTCOME_UNKNOWN", outcome="unknown"))
NOT_APPLIED = error_status(grpc.StatusCode.UNAVAILABLE, "down", info("UPSTREAM_UNAVAILABLE"))
MISMATCH = error_status(grpc.StatusCode.ABORTED, "etag", info("ETAG_MISMATCH"))
SHED = error_status(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", info("OVERLOADED"))
TAKEN = error_status(grpc.StatusCode.ALREADY_EXISTS, "taken", info("ALREADY_EXISTS"))


@both
@pytest.mark.parametrize(
    ("call", "answers", "reason", "outcome"),
    [
        (UPDATE, (UNKNOWN, MISMATCH), "ETAG_MISMATCH", "unknown"),
        (UPDATE, (NOT_APPLIED, MISMATCH), "ETAG_MISMATCH", "not_applied"),
        (UPDATE, (UNKNOWN, NOT_APPLIED, MISMATCH), "ETAG_MISMATCH", "unknown"),
        (CREATE, (UNKNOWN, SHED), "OVERLOADED", "unknown"),
        (CREATE, (NOT_APPLIED, SHED), "OVERLOADED", "not_applied"),
        (CREATE, (UNKNOWN, TAKEN), "ALREADY_EXISTS", "not_applied"),
    ],
)
def test_not_applied_needs_every_attempt_to_be_not_applied(
    run: Run, call: tuple[str, str, object], answers: tuple[object, ...], reason: str, outcome: str
) -> None:
    service, name, request = call
    servicer = Canned(*answers)  # type: ignore[arg-type]
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, service, name, request)
    assert (caught.value.reason, caught.value.outcome) == (reason, outcome)
    assert len(servicer.received) == len(answers)
