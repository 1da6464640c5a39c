"""Responses to creates without the Name of the resource, which prove neither success nor failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.cloudfront.faults import Fault, misstate, status_only, wrong_root
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, Facade, failing, function


@dataclass(frozen=True)
class Kind:
    """A kind of resource: its operations and how to create one named `rewrite`."""

    create: str
    describe: str
    send: Callable[[Facade], Any]
    request: Callable[..., Any]
    name: Callable[[Any], str]


KINDS = {
    "function": Kind(
        "CreateFunction",
        "DescribeFunction",
        lambda facade: facade.functions.CreateFunction,
        lambda **fields: function("rewrite", **fields),
        lambda response: str(response.function_summary.name),
    ),
    "store": Kind(
        "CreateKeyValueStore",
        "DescribeKeyValueStore",
        lambda facade: facade.stores.CreateKeyValueStore,
        lambda **fields: CreateKeyValueStoreRequest(name="rewrite", **fields),
        lambda response: str(response.key_value_store.name),
    ),
}
NAMELESS: dict[str, Fault] = {
    "another root": wrong_root(),
    "no name": misstate("Name", None),
    "an empty name": misstate("Name", ""),
}


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture(params=list(NAMELESS.values()), ids=list(NAMELESS))
def nameless(request: pytest.FixtureRequest) -> Fault:
    fault: Fault = request.param
    return fault


def test_without_a_request_id_a_response_without_a_name_has_an_unknown_outcome(
    facade: Facade, cloudfront: CloudFrontDouble, kind: Kind, nameless: Fault
) -> None:
    cloudfront.script(kind.create, nameless)

    failure = failing(kind.send(facade), kind.request())

    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert (failure.retry_after, failure.pushback) == (None, "-1")
    assert cloudfront.count(kind.create) == cloudfront.effects(kind.create) == 1
    assert cloudfront.count(kind.describe) == 0


def test_with_a_request_id_a_response_without_a_name_is_settled_by_reads(
    facade: Facade, cloudfront: CloudFrontDouble, kind: Kind, nameless: Fault
) -> None:
    cloudfront.script(kind.create, nameless)

    response = kind.send(facade)(kind.request(request_id=REQUEST_ID))

    assert kind.name(response) == "rewrite"
    assert response.etag
    assert response.location == "", "the response comes from a read, which has no location"
    assert cloudfront.count(kind.describe) == 1
    assert cloudfront.count(kind.create) == cloudfront.effects(kind.create) == 1


def test_with_a_request_id_a_response_without_a_name_is_never_ok_if_the_reads_fail(
    facade: Facade, cloudfront: CloudFrontDouble, kind: Kind, nameless: Fault
) -> None:
    cloudfront.script(kind.create, nameless)
    cloudfront.always(kind.describe, status_only(503))

    failure = failing(kind.send(facade), kind.request(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    assert failure.pushback is None
    assert cloudfront.count(kind.create) == 1
