"""Reads that determine whether a create was applied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.cloudfront.faults import (
    apply_then_close,
    fail_with,
    garble,
    misstate,
    reset,
    status_only,
    throttle,
    wrong_root,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, Facade, failing, function


@pytest.mark.parametrize(
    "fault",
    [garble(), wrong_root(), reset(), misstate("CreatedTime", "yesterday"), misstate("CreatedTime", "")],
    ids=["garbled", "wrong root", "reset", "no time", "an empty time"],
)
def test_a_malformed_response_is_reconciled(facade: Facade, cloudfront: CloudFrontDouble, fault: Any) -> None:
    cloudfront.script("CreateFunction", fault)

    facade.functions.CreateFunction(function(request_id=REQUEST_ID))

    assert cloudfront.effects("CreateFunction") == 1


@pytest.mark.parametrize(
    "fault",
    [
        misstate("CreatedTime", "yesterday"),
        misstate("FunctionMetadata", None),
        misstate("FunctionARN", None),
        misstate("Name", ""),
    ],
)
def test_the_outcome_is_unknown_if_the_read_is_malformed_and_a_repeat_succeeds(
    facade: Facade, cloudfront: CloudFrontDouble, fault: Any
) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("DescribeFunction", fault)

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    cloudfront.always("DescribeFunction", None)
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1


def test_a_function_without_a_creation_time_and_tags_is_read_again(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.tags_lag = 0.3
    cloudfront.always("DescribeFunction", misstate("CreatedTime", None))
    cloudfront.script("CreateFunction", apply_then_close())
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1


def test_the_age_of_a_resource_is_measured_with_cloudfronts_clock(
    facade: Facade, cloudfront: CloudFrontDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudfront, "clock", lambda: datetime.now(UTC) - timedelta(hours=1))
    cloudfront.tags_lag = 0.3
    cloudfront.script("CreateFunction", apply_then_close())
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag


def test_a_resource_whose_tags_are_not_found_yet_is_read_again(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.script("ListTagsForResource", fail_with("NoSuchResource", 404))
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1
    assert cloudfront.count("CreateFunction") == 1


def test_a_resource_with_a_tag_without_a_key_is_foreign(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("ListTagsForResource", misstate("Key", None))
    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))
    assert (failure.reason, failure.outcome) == ("FUNCTION_ALREADY_EXISTS", "unknown")


def test_the_outcome_is_unknown_if_the_reads_fail(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("DescribeFunction", status_only(503))

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert cloudfront.count("CreateFunction") == 1, "a name that cannot be read may exist"


def test_denied_reads_immediately_return_an_unknown_outcome(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("ListTagsForResource", fail_with("AccessDenied", 403, "not authorized"))

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert failure.reason == "UPSTREAM_OUTCOME_UNKNOWN"
    assert failure.metadata["aws_code"] == "AccessDenied"
    assert cloudfront.count("ListTagsForResource") == 1


def test_an_error_of_the_second_send_does_not_prove_that_nothing_was_applied(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.script("CreateFunction", status_only(503), throttle())

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    assert failure.pushback is None


def test_the_outcome_is_unknown_if_the_lost_create_may_have_exhausted_the_quota(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.describe_lag = 5.0  # longer than settling after both sends
    cloudfront.script("CreateFunction", apply_then_close(), fail_with("TooManyFunctions", 400, "100 functions"))

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    cloudfront.describe_lag = 0.0
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1
