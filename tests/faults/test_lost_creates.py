"""Creates whose answer is lost, and names that others hold: promise 2, rule by rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2 import FunctionConfig, FunctionRuntime, KeyValueStoreAssociation
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.faults import (
    apply_then_close,
    apply_then_hang,
    apply_then_reset,
    apply_then_status,
    garble,
    misstate,
    refuse,
    reset,
    status_only,
    throttle,
    wrong_root,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import ANOTHER_ID, REQUEST_ID, Facade, failing, function, running_facade

MakeBackend = Callable[..., AwsBackend]


@contextmanager
def facade_on(double: Any, aws_backend: MakeBackend, **settings: Any) -> Iterator[Facade]:
    backend = aws_backend(double, read_timeout=0.5)
    with running_facade(backend, read_timeout=0.5, **settings) as facade:
        yield facade


@pytest.fixture
def facade(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> Iterator[Facade]:
    with facade_on(cloudfront, aws_backend) as running:
        yield running


def tags_of(double: CloudFrontDouble) -> list[Mapping[str, str]]:
    return double.tags[double.functions["rewrite"].arn]


LOST = {
    "no answer": apply_then_hang(),
    "connection closed": apply_then_close(),
    "503": apply_then_status(503),
    "408": apply_then_status(408),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_create_whose_answer_was_lost_is_ok_and_exists_once(
    facade: Facade, cloudfront: CloudFrontDouble, fault: Any
) -> None:
    cloudfront.script("CreateFunction", fault)
    request = function(request_id=REQUEST_ID, tags=[Tag(key="team", value="edge"), Tag(key="empty", value="")])

    answer = facade.functions.CreateFunction(request)

    assert answer.function_summary.name == "rewrite"
    assert answer.etag
    assert answer.location == "", "no read gives the location back"
    assert cloudfront.effects("CreateFunction") == 1
    tags = tags_of(cloudfront)
    assert tags[:2] == [{"Key": "team", "Value": "edge"}, {"Key": "empty", "Value": ""}]
    assert tags[2]["Key"] == "cloudfront-facade:request"
    assert tags[2]["Value"].startswith(REQUEST_ID + "/")


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_store_whose_answer_was_lost_is_ok_and_exists_once(
    facade: Facade, cloudfront: CloudFrontDouble, fault: Any
) -> None:
    cloudfront.script("CreateKeyValueStore", fault)

    answer = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects", request_id=REQUEST_ID))

    assert answer.key_value_store.name == "redirects"
    assert cloudfront.effects("CreateKeyValueStore") == 1


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_without_a_request_id_a_lost_answer_is_unknown_and_not_to_be_retried(
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
    assert tags_of(cloudfront) == [], "no tag of the facade's own"


def test_a_create_that_did_not_happen_is_sent_once_more(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", status_only(503))

    facade.functions.CreateFunction(function(request_id=REQUEST_ID))

    assert cloudfront.count("CreateFunction") == 2
    assert cloudfront.effects("CreateFunction") == 1


def test_a_create_that_fails_twice_is_unknown_and_its_repeat_is_ok(
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


def test_a_repeat_from_another_replica_and_after_a_restart_is_ok(
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


@pytest.mark.parametrize(
    "fault",
    [garble(), wrong_root(), reset(), misstate("CreatedTime", "yesterday"), misstate("CreatedTime", "")],
    ids=["garbled", "wrong root", "reset", "no time", "an empty time"],
)
def test_an_answer_that_cannot_be_read_is_reconciled(facade: Facade, cloudfront: CloudFrontDouble, fault: Any) -> None:
    cloudfront.script("CreateFunction", fault)

    facade.functions.CreateFunction(function(request_id=REQUEST_ID))

    assert cloudfront.effects("CreateFunction") == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        misstate("CreatedTime", "yesterday"),
        misstate("FunctionMetadata", None),
        misstate("FunctionARN", None),
        misstate("Name", ""),
    ],
)
def test_a_reconciliation_that_reads_nonsense_is_unknown_and_its_repeat_ok(
    facade: Facade, cloudfront: CloudFrontDouble, spoilt: Any
) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("DescribeFunction", spoilt)

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    cloudfront.always("DescribeFunction", None)
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1


def test_a_function_that_shows_no_time_of_creation_and_no_tags_yet_is_waited_for(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.tags_lag = 0.3
    cloudfront.always("DescribeFunction", misstate("CreatedTime", None))
    cloudfront.script("CreateFunction", apply_then_close())
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1


@pytest.mark.usefixtures("aws_environment")
@pytest.mark.parametrize("fault", [apply_then_close(), apply_then_reset()], ids=["closed", "reset"])
def test_a_create_whose_answer_was_lost_behind_a_proxy_is_ok_and_exists_once(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    # The double is the proxy: it does not mind that it is asked for another host.
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


def test_the_age_of_a_resource_is_told_by_cloudfronts_own_clock(
    facade: Facade, cloudfront: CloudFrontDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudfront, "clock", lambda: datetime.now(UTC) - timedelta(hours=1))
    cloudfront.tags_lag = 0.3
    cloudfront.script("CreateFunction", apply_then_close())
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag


def test_a_resource_that_only_describe_knows_yet_is_waited_for(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.script("ListTagsForResource", refuse("NoSuchResource", 404))
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1
    assert cloudfront.count("CreateFunction") == 1


def test_a_tag_without_a_key_is_another_s(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("ListTagsForResource", misstate("Key", None))
    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))
    assert (failure.reason, failure.outcome) == ("FUNCTION_ALREADY_EXISTS", "unknown")


def test_a_reconciliation_that_cannot_read_is_unknown(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("DescribeFunction", status_only(503))

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert cloudfront.count("CreateFunction") == 1, "an unread name is not an absent one"


def test_a_reconciliation_that_may_not_read_is_unknown_at_once(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_close())
    cloudfront.always("ListTagsForResource", refuse("AccessDenied", 403, "not authorized"))

    started = time.monotonic()
    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert failure.reason == "UPSTREAM_OUTCOME_UNKNOWN"
    assert failure.metadata["aws_code"] == "AccessDenied"
    assert time.monotonic() - started < 0.8


def test_a_refusal_of_the_second_send_does_not_claim_that_nothing_happened(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.script("CreateFunction", status_only(503), throttle())

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    assert failure.pushback is None


def test_a_quota_that_its_own_lost_create_filled_is_no_reason_to_give_up(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.describe_lag = 2.0  # longer than the settling time
    cloudfront.script("CreateFunction", apply_then_close(), refuse("TooManyFunctions", 400, "100 functions"))

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert (failure.reason, failure.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    assert failure.retry_after
    cloudfront.describe_lag = 0.0
    assert facade.functions.CreateFunction(function(request_id=REQUEST_ID)).etag
    assert cloudfront.effects("CreateFunction") == 1


def test_a_tagging_conflict_is_answered_as_it_is_and_never_retried_without_tags(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.script("CreateFunction", refuse("TaggingConflict", 409, "try again in a few minutes"))

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID, tags=[Tag(key="a")]))

    assert failure.code is grpc.StatusCode.ABORTED
    assert (failure.reason, failure.outcome) == ("TAGGING_CONFLICT", "not_applied")
    assert failure.retry_after == 120
    assert [request.operation for request in cloudfront.requests] == ["CreateFunction"]


def test_a_repeat_is_ok_though_its_own_first_create_filled_the_quota(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    request = function(request_id=REQUEST_ID)
    facade.functions.CreateFunction(request)
    cloudfront.always("CreateFunction", refuse("TooManyFunctions", 400, "100 functions"))

    facade.functions.CreateFunction(request)
    failure = failing(facade.functions.CreateFunction, function("another", request_id=ANOTHER_ID))

    assert (failure.reason, failure.outcome) == ("FUNCTION_QUOTA_EXCEEDED", "not_applied")
    assert failure.retry_after is None
    assert failure.pushback == "-1"
    assert failure.details["QuotaFailure"].violations
    reused = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID, function_code=b"other"))
    assert (reused.reason, reused.outcome) == ("REQUEST_ID_REUSED", "not_applied")
    cloudfront.tags_lag = 60.0
    undecided = failing(facade.functions.CreateFunction, request)
    assert (undecided.reason, undecided.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")
    cloudfront.always("DescribeFunction", status_only(503))
    unread = failing(facade.functions.CreateFunction, request)
    assert (unread.reason, unread.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")


def test_validate_only_tells_and_changes_nothing(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    answer = facade.functions.CreateFunction(function(validate_only=True))
    assert not answer.HasField("function_summary")
    assert cloudfront.count("CreateFunction") == 0

    facade.functions.CreateFunction(function(request_id=REQUEST_ID))
    facade.functions.CreateFunction(function(request_id=REQUEST_ID, validate_only=True))
    taken = failing(facade.functions.CreateFunction, function(validate_only=True))
    theirs = failing(facade.functions.CreateFunction, function(validate_only=True, request_id=ANOTHER_ID))
    reused = failing(
        facade.functions.CreateFunction, function(validate_only=True, request_id=REQUEST_ID, function_code=b"other")
    )

    assert [failure.code.name for failure in (taken, theirs)] == ["ALREADY_EXISTS"] * 2
    assert {failure.outcome for failure in (taken, theirs, reused)} == {"not_applied"}
    assert reused.reason == "REQUEST_ID_REUSED"
    assert cloudfront.count("CreateFunction") == 1


def test_validate_only_says_what_it_could_not_read(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("DescribeFunction", status_only(503))
    failed = failing(facade.functions.CreateFunction, function(validate_only=True))
    assert (failed.reason, failed.outcome) == ("UPSTREAM_UNAVAILABLE", "not_applied")

    cloudfront.tags_lag = 30.0
    request = function(request_id=REQUEST_ID)
    facade.functions.CreateFunction(request)
    request.validate_only = True
    undecided = failing(facade.functions.CreateFunction, request)
    assert (undecided.reason, undecided.outcome) == ("UPSTREAM_UNAVAILABLE", "not_applied")


def test_an_association_is_explained_by_the_stores_state(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    missing = "arn:aws:cloudfront::123456789012:key-value-store/00000000-0000-0000-0000-000000000000"
    store = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects")).key_value_store

    def associated(arn: str, **fields: Any) -> Any:
        config = FunctionConfig(
            runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
            key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=arn)],
        )
        return failing(facade.functions.CreateFunction, function(function_config=config, **fields))

    for validate_only in (False, True):
        absent = associated(missing, validate_only=validate_only)
        assert absent.code is grpc.StatusCode.FAILED_PRECONDITION
        assert (absent.reason, absent.outcome) == ("KEY_VALUE_STORE_NOT_FOUND", "not_applied")
        assert absent.details["PreconditionFailure"].violations[0].subject == missing

    cloudfront.provisioning_seconds = 30.0
    for validate_only in (False, True):
        unready = associated(store.arn, validate_only=validate_only)
        assert unready.code is grpc.StatusCode.FAILED_PRECONDITION
        assert (unready.reason, unready.outcome) == ("KEY_VALUE_STORE_NOT_READY", "not_applied")
        assert unready.retry_after is not None


def test_a_caller_that_goes_away_finds_its_create_done(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    cloudfront.script("CreateFunction", apply_then_hang(0.3))
    request = function(request_id=REQUEST_ID)

    pending = facade.functions.CreateFunction.future(request)
    cloudfront.wait_for("CreateFunction")
    pending.cancel()

    facade.functions.CreateFunction(request)
    assert cloudfront.effects("CreateFunction") == 1
