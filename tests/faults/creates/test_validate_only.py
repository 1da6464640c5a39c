"""Creates with validate_only."""

from __future__ import annotations

from support.cloudfront.faults import (
    status_only,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import ANOTHER_ID, REQUEST_ID, Facade, failing, function


def test_validate_only_reports_errors_and_changes_nothing(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    response = facade.functions.CreateFunction(function(validate_only=True))
    assert not response.HasField("function_summary")
    assert cloudfront.count("CreateFunction") == 0

    facade.functions.CreateFunction(function(request_id=REQUEST_ID))
    facade.functions.CreateFunction(function(request_id=REQUEST_ID, validate_only=True))
    taken = failing(facade.functions.CreateFunction, function(validate_only=True))
    foreign = failing(facade.functions.CreateFunction, function(validate_only=True, request_id=ANOTHER_ID))
    reused = failing(
        facade.functions.CreateFunction, function(validate_only=True, request_id=REQUEST_ID, function_code=b"other")
    )

    assert [failure.code.name for failure in (taken, foreign)] == ["ALREADY_EXISTS"] * 2
    assert {failure.outcome for failure in (taken, foreign, reused)} == {"not_applied"}
    assert reused.reason == "REQUEST_ID_REUSED"
    assert cloudfront.count("CreateFunction") == 1


def test_validate_only_reports_failed_reads(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("DescribeFunction", status_only(503))
    failed = failing(facade.functions.CreateFunction, function(validate_only=True))
    assert (failed.reason, failed.outcome) == ("UPSTREAM_UNAVAILABLE", "not_applied")

    cloudfront.tags_lag = 30.0
    request = function(request_id=REQUEST_ID)
    facade.functions.CreateFunction(request)
    request.validate_only = True
    undecided = failing(facade.functions.CreateFunction, request)
    assert (undecided.reason, undecided.outcome) == ("UPSTREAM_UNAVAILABLE", "not_applied")
