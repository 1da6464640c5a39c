"""Creates whose response is lost."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.creating import MakeBackend, facade_on
from support.cloudfront.faults import (
    apply_then_close,
    apply_then_hang,
    apply_then_reset,
    apply_then_status,
    status_only,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, Facade, failing, function


def tags_of(double: CloudFrontDouble) -> list[Mapping[str, str]]:
    return double.tags[double.functions["rewrite"].arn]


LOST = {
    "no response": apply_then_hang(),
    "connection closed": apply_then_close(),
    "503": apply_then_status(503),
    "408": apply_then_status(408),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_create_with_a_lost_response_succeeds_and_is_applied_once(
    facade: Facade, cloudfront: CloudFrontDouble, fault: Any
) -> None:
    cloudfront.script("CreateFunction", fault)
    request = function(request_id=REQUEST_ID, tags=[Tag(key="team", value="edge"), Tag(key="empty", value="")])

    response = facade.functions.CreateFunction(request)

    assert response.function_summary.name == "rewrite"
    assert response.etag
    assert response.location == "", "reads do not return the location"
    assert cloudfront.effects("CreateFunction") == 1
    tags = tags_of(cloudfront)
    assert tags[:2] == [{"Key": "team", "Value": "edge"}, {"Key": "empty", "Value": ""}]
    assert tags[2]["Key"] == "cloudfront-facade:request"
    assert tags[2]["Value"].startswith(REQUEST_ID + "/")


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_create_of_a_store_with_a_lost_response_succeeds_and_is_applied_once(
    facade: Facade, cloudfront: CloudFrontDouble, fault: Any
) -> None:
    cloudfront.script("CreateKeyValueStore", fault)

    response = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects", request_id=REQUEST_ID))

    assert response.key_value_store.name == "redirects"
    assert cloudfront.effects("CreateKeyValueStore") == 1


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_without_a_request_id_the_outcome_is_unknown_and_the_create_must_not_be_retried(
    facade: Facade, cloudfront: CloudFrontDouble, fault: Any
) -> None:
    cloudfront.script("CreateFunction", fault)

    failure = failing(facade.functions.CreateFunction, function())

    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after is None
    assert failure.pushback == "-1"
    assert cloudfront.count("CreateFunction") == 1
    assert cloudfront.count("DescribeFunction") == 0, "nothing is reconciled"
    assert tags_of(cloudfront) == [], "the facade must not add a tag"


def test_a_create_that_was_not_applied_is_sent_once_more(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", status_only(503))

    facade.functions.CreateFunction(function(request_id=REQUEST_ID))

    assert cloudfront.count("CreateFunction") == 2
    assert cloudfront.effects("CreateFunction") == 1


def test_a_create_that_fails_twice_has_an_unknown_outcome_and_its_repeat_succeeds(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.script("CreateFunction", status_only(503), status_only(500))
    request = function(request_id=REQUEST_ID)

    failure = failing(facade.functions.CreateFunction, request)

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after is not None
    assert failure.pushback is None
    assert cloudfront.count("CreateFunction") == 2, "at most two sends"
    facade.functions.CreateFunction(request)
    assert cloudfront.effects("CreateFunction") == 1


def test_a_repeated_create_succeeds_on_another_replica_and_after_a_restart(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    request = function(request_id=REQUEST_ID.upper(), tags=[Tag(key="b"), Tag(key="a", value="1")])
    reordered = function(request_id=REQUEST_ID, tags=[Tag(key="a", value="1"), Tag(key="b")])
    with facade_on(cloudfront, aws_backend) as before:
        before.functions.CreateFunction(request)
    with facade_on(cloudfront, aws_backend) as after:
        after.functions.CreateFunction(request)
        after.functions.CreateFunction(reordered)

    assert cloudfront.effects("CreateFunction") == 1
    assert tags_of(cloudfront)[-1]["Value"].startswith(REQUEST_ID)


@pytest.mark.usefixtures("aws_environment")
@pytest.mark.parametrize("fault", [apply_then_close(), apply_then_reset()], ids=["closed", "reset"])
def test_a_create_with_a_lost_response_behind_a_proxy_succeeds_and_is_applied_once(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    # The double is the proxy, because it accepts requests for any host.
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, cloudfront.url)
    monkeypatch.setenv("no_grpc_proxy", "127.0.0.1")
    elsewhere = SimpleNamespace(url="http://cloudfront.example")
    with facade_on(elsewhere, aws_backend) as facade:
        cloudfront.script("CreateFunction", fault)
        assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
        cloudfront.script("CreateFunction", fault)
        unknown = failing(facade.functions.CreateFunction, function("no-id"))
    assert (unknown.reason, unknown.outcome, unknown.pushback) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown", "-1")
    assert cloudfront.effects("CreateFunction") == 2


def test_a_cancelled_create_is_applied_and_its_repeat_succeeds(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_hang(0.3))
    request = function(request_id=REQUEST_ID)

    pending = facade.functions.CreateFunction.future(request)
    cloudfront.wait_for("CreateFunction")
    pending.cancel()

    facade.functions.CreateFunction(request)
    assert cloudfront.effects("CreateFunction") == 1
