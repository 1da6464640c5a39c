"""How CloudFront treats etags and stages in cases that its documentation leaves open."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aws.account import Account
from aws.facade import Facade, answer_of, outcome_of, report
from cloudfront_facade.v1 import function_service_pb2
from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionResponse,
    DescribeFunctionRequest,
    FunctionStage,
    PublishFunctionRequest,
    UpdateFunctionRequest,
)
from support.facade import function

pytestmark = [pytest.mark.aws, pytest.mark.timeout(1800)]

EVENT = b"""{
  "version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "198.51.100.11"},
  "request": {"method": "GET", "uri": "/", "querystring": {}, "headers": {}, "cookies": {}}
}"""
STAGES = {"DEVELOPMENT": FunctionStage.FUNCTION_STAGE_DEVELOPMENT, "LIVE": FunctionStage.FUNCTION_STAGE_LIVE}


def test_the_stages_of_a_published_function(
    account: Account, facade: Facade, function_name: Callable[[str], str]
) -> None:
    name = function_name("stages")
    created = facade.create_function(function(name))
    assert isinstance(created, CreateFunctionResponse), created
    account.function(name)

    published = facade.functions.PublishFunction(PublishFunctionRequest(name=name, etag=created.etag), timeout=60)

    stages = {
        stage: facade.functions.DescribeFunction(DescribeFunctionRequest(name=name, stage=number), timeout=60)
        for stage, number in STAGES.items()
    }
    statuses = ", ".join(f"{described.function_summary.status} in {stage}" for stage, described in stages.items())
    report(
        "which status a published function has",
        f"{published.function_summary.status} in the response, {statuses}",
    )
    development, live = stages["DEVELOPMENT"], stages["LIVE"]
    report("whether publishing changes the etag of DEVELOPMENT", _yes_or_no(development.etag != created.etag))
    report("whether LIVE has the etag of DEVELOPMENT", _yes_or_no(live.etag == development.etag))
    times = [described.function_summary.function_metadata.created_time for described in (development, live)]
    report("whether LIVE has the CreatedTime of DEVELOPMENT", _yes_or_no(times[0] == times[1]))
    for stage, number in STAGES.items():
        for whose, described in stages.items():
            request = function_service_pb2.TestFunctionRequest(
                name=name, stage=number, etag=described.etag, event_object=EVENT
            )
            end = outcome_of(answer_of(facade.functions.TestFunction, request))
            report(f"what a test of {stage} with the etag of {whose} returns", end)

    update = UpdateFunctionRequest(
        name=name,
        etag=development.etag,
        function_config=created.function_summary.function_config,
        function_code=b"function handler(event) { return event.response; }\n",
    )
    updated = facade.functions.UpdateFunction(update, timeout=60)
    assert updated.etag not in ("", development.etag)
    report("which status an updated function has", updated.function_summary.status)
    for description, etag in {"an old etag": development.etag, "an etag that never existed": "ENEVER"}.items():
        end = answer_of(facade.functions.PublishFunction, PublishFunctionRequest(name=name, etag=etag))
        report(f"what a publish with {description} returns", outcome_of(end))


def _yes_or_no(condition: bool) -> str:
    return "yes" if condition else "no"
