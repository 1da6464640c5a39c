"""Changes of tags that are rejected, or whose response is lost."""

from __future__ import annotations

import time

import grpc

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.changing import LOST, UNKNOWN, Replica, status_of
from support.cloudfront.faults import (
    delay,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing, function


def test_too_many_new_and_existing_tags_are_rejected_before_anything_is_sent(
    cloudfront: CloudFrontDouble, facade: Facade
) -> None:
    existing = [Tag(key=f"existing-{number}") for number in range(45)]
    arn = facade.functions.CreateFunction(function(tags=existing)).function_summary.function_metadata.function_arn
    request = tags.TagResourceRequest(resource=arn, tags=[Tag(key=f"new-{number}") for number in range(6)])
    failure = failing(facade.tags.TagResource, request)
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert cloudfront.count("TagResource") == 0


def test_lost_tags_are_not_confirmed_while_one_is_missing_or_has_another_value(
    cloudfront: CloudFrontDouble, facade: Facade
) -> None:
    created = facade.functions.CreateFunction(function(tags=[Tag(key="a", value="1"), Tag(key="b", value="1")]))
    arn = created.function_summary.function_metadata.function_arn
    for wanted in ([Tag(key="a", value="1"), Tag(key="c")], [Tag(key="a", value="1"), Tag(key="b", value="2")]):
        cloudfront.script("TagResource", LOST)
        assert (
            status_of(failing(facade.tags.TagResource, tags.TagResourceRequest(resource=arn, tags=wanted))) == UNKNOWN
        )


def test_a_lost_removal_is_not_confirmed_while_one_tag_exists(cloudfront: CloudFrontDouble, facade: Facade) -> None:
    created = facade.functions.CreateFunction(function(tags=[Tag(key="a", value="1")]))
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.script("UntagResource", LOST)
    request = tags.UntagResourceRequest(resource=arn, tag_keys=["a", "none"])
    assert status_of(failing(facade.tags.UntagResource, request)) == UNKNOWN


def test_nothing_is_changed_if_the_deadline_is_too_short(
    cloudfront: CloudFrontDouble, replica: Replica, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    request = tags.TagResourceRequest(resource=arn, tags=[Tag(key="a")])
    with replica(min_upstream_time=9) as facade:
        failure = failing(facade.tags.TagResource, request, timeout=8)
    assert failure.reason == "DEADLINE_TOO_SHORT"
    assert cloudfront.count("TagResource") == 0


def test_nothing_is_changed_after_a_cancellation(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.script("ListTagsForResource", delay(0.4))
    request = tags.TagResourceRequest(resource=arn, tags=[Tag(key="a")])
    call = facade.tags.TagResource.future(request, timeout=20)
    cloudfront.wait_for("ListTagsForResource")
    call.cancel()
    time.sleep(0.8)
    assert cloudfront.count("TagResource") == 0
