"""The outcome of a change that reads must settle: at its deadline, and in the log."""

from __future__ import annotations

from contextlib import AbstractContextManager

import grpc
import pytest
from structlog.testing import capture_logs

from faults.changing import Replica, updating
from support.cloudfront.faults import Fault, fail_with, hang, normally, status_only, throttle
from support.cloudfront.http import CloudFrontDouble
from support.facade import ANOTHER_ID, REQUEST_ID, Facade, failing, function

LOST, TAKEN, FULL = status_only(503), fail_with("FunctionAlreadyExists", 409), fail_with("TooManyFunctions", 400)


@pytest.fixture
def short_deadline(replica: Replica) -> AbstractContextManager[Facade]:
    """A server whose default deadline expires during a read that hangs."""
    return replica(timeout=5, short_timeout=5, settle_timeout=0, min_upstream_time=0, default_deadline=1.5)


@pytest.mark.parametrize(
    ("sends", "reads", "outcome"),
    [
        ([LOST], [hang()], "unknown"),
        ([LOST, throttle()], [normally(), hang()], "unknown"),
        ([TAKEN], [hang()], "unknown"),
        ([FULL], [hang()], "not_applied"),
    ],
    ids=["lost", "lost, then throttled", "the name is taken", "the quota is used up"],
)
def test_a_deadline_during_the_reads_of_a_create_returns_the_known_outcome(
    cloudfront: CloudFrontDouble,
    short_deadline: AbstractContextManager[Facade],
    sends: list[Fault],
    reads: list[Fault],
    outcome: str,
) -> None:
    cloudfront.script("CreateFunction", *sends)
    cloudfront.script("DescribeFunction", *reads)
    with short_deadline as facade:
        failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))
        cloudfront.release()
    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (failure.reason, failure.outcome) == ("DEADLINE_EXCEEDED", outcome)
    assert cloudfront.count("CreateFunction") == len(sends)


def test_a_deadline_during_the_reads_of_an_update_returns_an_unknown_outcome(
    cloudfront: CloudFrontDouble, short_deadline: AbstractContextManager[Facade]
) -> None:
    with short_deadline as facade:
        created = facade.functions.CreateFunction(function())
        cloudfront.script("UpdateFunction", LOST)
        cloudfront.script("DescribeFunction", hang())
        failure = failing(facade.functions.UpdateFunction, updating(created.etag))
        cloudfront.release()
    assert (failure.reason, failure.outcome) == ("DEADLINE_EXCEEDED", "unknown")


def test_the_log_has_the_outcome_that_the_caller_receives(cloudfront: CloudFrontDouble, replica: Replica) -> None:
    with capture_logs() as lines, replica(settle_timeout=0) as facade:
        create = facade.functions.CreateFunction
        create(function(request_id=ANOTHER_ID))
        failures = [
            failing(create, function(request_id=REQUEST_ID)),
            failing(create, function(request_id=ANOTHER_ID, function_code=b"other")),
        ]
        cloudfront.script("CreateFunction", LOST)
        failures.append(failing(create, function(request_id=REQUEST_ID)))
    assert [(failure.reason, failure.outcome) for failure in failures] == [
        ("FUNCTION_ALREADY_EXISTS", "not_applied"),
        ("REQUEST_ID_REUSED", "not_applied"),
        ("FUNCTION_ALREADY_EXISTS", "unknown"),
    ]
    rpcs = [line for line in lines if line["event"] == "rpc"]
    assert [line["outcome"] for line in rpcs] == ["applied", *(failure.outcome for failure in failures)]
    assert rpcs[1]["aws_request_id"] == failures[0].metadata["aws_request_id"]
