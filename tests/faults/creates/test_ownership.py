"""Creates of a name that exists: the resource is the caller's, foreign or undecided, for functions and stores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.changing import Replica
from support.cloudfront.faults import (
    Exchange,
    Fault,
    Hangup,
    apply_then_hang,
    fail_with,
    garble,
    hang,
    html,
    status_only,
    truncated,
    wrong_root,
)
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.wire import HttpResponse
from support.facade import ANOTHER_ID, REQUEST_ID, Facade, failing, function


@dataclass(frozen=True)
class Kind:
    """A kind of resource: its operations, and how a test reads and writes the stored resource."""

    create: str
    describe: str
    exists: str
    method: Callable[[Facade], Any]
    make: Callable[..., Any]
    stored: Callable[[CloudFrontDouble], Any]
    content: str
    sent: Callable[[str], Any]
    arn: Callable[[Any], str]

    def request(self, content: str = "ours", **fields: Any) -> Any:
        """Returns a create with this content."""
        return self.make("rewrite", **{self.content_field: self.sent(content)}, **fields)

    @property
    def content_field(self) -> str:
        """The field of the request that has the content."""
        return "function_code" if self.content == "code" else "comment"

    def stored_content(self, double: CloudFrontDouble) -> Any:
        """Returns the stored content."""
        return getattr(self.stored(double), self.content)

    def set_age(self, double: CloudFrontDouble, seconds: float) -> None:
        """Sets the age of the resource."""
        self.stored(double).created = datetime.now(UTC) - timedelta(seconds=seconds)


FUNCTION = Kind(
    create="CreateFunction",
    describe="DescribeFunction",
    exists="FUNCTION_ALREADY_EXISTS",
    method=lambda facade: facade.functions.CreateFunction,
    make=function,
    stored=lambda double: double.functions["rewrite"],
    content="code",
    sent=lambda content: content.encode(),
    arn=lambda response: str(response.function_summary.function_metadata.function_arn),
)
STORE = Kind(
    create="CreateKeyValueStore",
    describe="DescribeKeyValueStore",
    exists="KEY_VALUE_STORE_ALREADY_EXISTS",
    method=lambda facade: facade.stores.CreateKeyValueStore,
    make=lambda name, **fields: CreateKeyValueStoreRequest(name=name, **fields),
    stored=lambda double: double.stores["rewrite"],
    content="comment",
    sent=lambda content: content,
    arn=lambda response: str(response.key_value_store.arn),
)


@pytest.fixture(params=[FUNCTION, STORE], ids=["function", "store"])
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


def test_a_resource_that_becomes_visible_late_is_not_treated_as_absent(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.describe_lag = 2.0
    cloudfront.script(kind.create, apply_then_hang())
    with replica(settle_timeout=5) as facade:
        kind.method(facade)(kind.request(request_id=REQUEST_ID))

    assert cloudfront.count(kind.create) == 1
    assert cloudfront.effects(kind.create) == 1


def test_the_name_of_a_foreign_resource_is_rejected_and_the_resource_does_not_change(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    with replica() as facade:
        create = kind.method(facade)
        create(kind.request("theirs", request_id=ANOTHER_ID))
        cloudfront.script(kind.create, hang(0.1))
        failure = failing(create, kind.request("ours", request_id=REQUEST_ID))
        taken = failing(create, kind.request("ours", request_id=REQUEST_ID))

    assert failure.code is grpc.StatusCode.ALREADY_EXISTS
    assert failure.reason == kind.exists
    assert failure.domain == "cloudfront.amazonaws.com"
    assert failure.outcome == "unknown", "the first send may have been applied"
    assert failure.details["ResourceInfo"].resource_name == "rewrite"
    assert (taken.reason, taken.outcome, taken.retry_after) == (kind.exists, "not_applied", None)
    assert taken.metadata["aws_code"].endswith("AlreadyExists")
    assert kind.stored_content(cloudfront) == kind.sent("theirs")
    assert cloudfront.effects(kind.create) == 1


def test_the_same_request_id_with_other_content_is_rejected_and_changes_nothing(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    with replica() as facade:
        kind.method(facade)(kind.request("first", request_id=REQUEST_ID))
        failure = failing(kind.method(facade), kind.request("second", request_id=REQUEST_ID))

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (failure.reason, failure.outcome) == ("REQUEST_ID_REUSED", "not_applied")
    assert [violation.field for violation in failure.violations] == ["request_id"]
    assert kind.stored_content(cloudfront) == kind.sent("first")
    assert cloudfront.effects(kind.create) == 1


def test_concurrent_creates_with_the_same_request_id_succeed_on_both_replicas(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.tags_lag = 2.0
    request = kind.request(request_id=REQUEST_ID)
    with (
        replica(settle_timeout=5) as first,
        replica(settle_timeout=5) as second,
        ThreadPoolExecutor() as callers,
    ):
        responses = list(callers.map(lambda facade: kind.method(facade)(request), (first, second)))

    assert len({kind.arn(response) for response in responses}) == 1
    assert cloudfront.effects(kind.create) == 1


def test_only_one_of_two_concurrent_creates_with_different_request_ids_succeeds(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    with replica() as first, replica() as second:
        calls = [
            kind.method(facade).future(kind.request(request_id=request_id))
            for facade, request_id in ((first, REQUEST_ID), (second, ANOTHER_ID))
        ]
        codes = {call.code() for call in calls}

    assert codes == {grpc.StatusCode.OK, grpc.StatusCode.ALREADY_EXISTS}
    assert cloudfront.effects(kind.create) == 1


def test_a_repeated_create_after_an_update_returns_the_current_state_and_changes_nothing(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    request = kind.request(request_id=REQUEST_ID)
    with replica() as facade:
        created = kind.method(facade)(request)
        stored = kind.stored(cloudfront)
        setattr(stored, kind.content, kind.sent("updated since"))
        if kind is FUNCTION:
            stored.config = {**stored.config, "Comment": "updated since"}
        stored.etag = "E2UPDATED"
        repeated = kind.method(facade)(request)

    current = repeated.function_summary.function_config if kind is FUNCTION else repeated.key_value_store
    assert current.comment == "updated since"
    assert kind.arn(repeated) == kind.arn(created)
    assert repeated.etag == "E2UPDATED"
    assert kind.stored_content(cloudfront) == kind.sent("updated since")


UNREADABLE: dict[str, Fault] = {"another root": wrong_root(), "HTML": html(200), "no body": status_only(200)}


def test_a_resource_with_unreadable_tags_is_never_foreign(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    request = kind.request(request_id=REQUEST_ID)
    with replica(settle_timeout=0.2) as facade:
        kind.method(facade)(request)
        kind.set_age(cloudfront, 3600)
        for name, fault in UNREADABLE.items():
            cloudfront.always("ListTagsForResource", fault)
            failure = failing(kind.method(facade), request)
            assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_OUTCOME_UNKNOWN"), name
            assert failure.outcome == "unknown"
            assert failure.retry_after
        cloudfront.always("ListTagsForResource", None)
        assert kind.arn(kind.method(facade)(request)) == kind.stored(cloudfront).arn
    assert cloudfront.effects(kind.create) == 1


@pytest.mark.parametrize(
    ("age", "reason"), [(50, "UPSTREAM_OUTCOME_UNKNOWN"), (70, "ALREADY_EXISTS")], ids=["young", "old"]
)
def test_a_resource_without_tags_is_foreign_only_after_a_minute(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica, age: int, reason: str
) -> None:
    with replica(settle_timeout=1.0) as facade:
        kind.method(facade)(kind.request())
        kind.set_age(cloudfront, age)
        failure = failing(kind.method(facade), kind.request(request_id=REQUEST_ID))
    assert failure.reason.endswith(reason)
    assert (cloudfront.count("ListTagsForResource") > 1) is (age < 60), "a young resource must be read again"


def dated(text: str) -> Fault:
    """Returns a normal response, but with this Date header."""

    def with_date(exchange: Exchange) -> HttpResponse | Hangup:
        response = exchange.response()
        return replace(response, headers={**response.headers, "Date": text})

    return with_date


@pytest.mark.parametrize(
    "date", ["yesterday", "", "Wed, 25 Nov 1990 02:04:15 -0000", "Wed, 99 Nov 2026 99:99:99 GMT"],
    ids=["garbage", "empty", "no zone", "impossible"],
)  # fmt: skip
def test_the_local_clock_is_used_if_the_date_header_is_invalid(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica, date: str
) -> None:
    with replica(settle_timeout=0.2) as facade:
        kind.method(facade)(kind.request())
        cloudfront.always(kind.describe, dated(date))
        young = failing(kind.method(facade), kind.request(request_id=REQUEST_ID))
        kind.set_age(cloudfront, 3600)
        old = failing(kind.method(facade), kind.request(request_id=REQUEST_ID))
    assert young.reason == "UPSTREAM_OUTCOME_UNKNOWN"
    assert (old.reason, old.outcome) == (kind.exists, "not_applied")


def test_a_resource_with_foreign_tags_is_rejected_immediately(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    with replica(settle_timeout=20) as facade:
        kind.method(facade)(kind.request(tags=[Tag(key="team", value="other")]))
        failure = failing(kind.method(facade), kind.request(request_id=REQUEST_ID), timeout=10)

    assert failure.code is grpc.StatusCode.ALREADY_EXISTS
    assert cloudfront.count("ListTagsForResource") == 1


GARBLED: dict[str, Fault] = {
    "garbled": garble(),
    "truncated": truncated(),
    "another root": wrong_root(),
    "HTML": html(409),
    "no body": status_only(409),
}


@pytest.mark.parametrize("fault", GARBLED.values(), ids=GARBLED.keys())
def test_a_name_that_is_taken_is_recognized_although_the_body_of_the_rejection_is_garbled(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica, fault: Fault
) -> None:
    request = kind.request(request_id=REQUEST_ID)
    with replica() as facade:
        create = kind.method(facade)
        first = create(request)
        cloudfront.always(kind.create, fault)
        assert kind.arn(create(request)) == kind.arn(first)
        foreign = failing(create, kind.request(request_id=ANOTHER_ID))
        without_id = failing(create, kind.request())
    for failure in (foreign, without_id):
        assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, kind.exists)
        assert (failure.outcome, failure.retry_after) == ("not_applied", None)
    assert cloudfront.effects(kind.create) == 1


def test_a_garbled_conflict_of_a_free_name_can_be_repeated_with_a_request_id(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.script(kind.create, status_only(409), status_only(409))
    with replica(settle_timeout=0.2) as facade:
        unknown = failing(kind.method(facade), kind.request(request_id=REQUEST_ID))
        rejected = failing(kind.method(facade), kind.request())
        assert kind.method(facade)(kind.request(request_id=REQUEST_ID)).etag
    assert (unknown.reason, unknown.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert unknown.retry_after
    assert (rejected.code, rejected.reason) == (grpc.StatusCode.ABORTED, "UPSTREAM_UNRECOGNIZED")
    assert (rejected.outcome, cloudfront.effects(kind.create)) == ("not_applied", 1)


def test_another_conflict_is_returned_and_nothing_is_read(
    kind: Kind, cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.always(kind.create, fail_with("TaggingConflict", 409))
    with replica() as facade:
        assert failing(kind.method(facade), kind.request()).reason == "TAGGING_CONFLICT"
    assert cloudfront.count(kind.describe) == 0
