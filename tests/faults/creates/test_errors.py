"""Errors of CloudFront that depend on quotas, tags or stores."""

from __future__ import annotations

from typing import Any

import grpc

from cloudfront_facade.v1.function_service_pb2 import FunctionConfig, FunctionRuntime, KeyValueStoreAssociation
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from support.cloudfront.faults import (
    fail_with,
    status_only,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import ANOTHER_ID, REQUEST_ID, Facade, failing, function


def test_a_tagging_conflict_is_returned_and_the_create_is_never_retried_without_tags(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    cloudfront.script("CreateFunction", fail_with("TaggingConflict", 409, "try again in a few minutes"))

    failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID, tags=[Tag(key="a")]))

    assert failure.code is grpc.StatusCode.ABORTED
    assert (failure.reason, failure.outcome) == ("TAGGING_CONFLICT", "not_applied")
    assert failure.retry_after == 120
    assert [request.operation for request in cloudfront.requests] == ["CreateFunction"]


def test_a_repeated_create_succeeds_even_if_the_first_one_exhausted_the_quota(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    request = function(request_id=REQUEST_ID)
    facade.functions.CreateFunction(request)
    cloudfront.always("CreateFunction", fail_with("TooManyFunctions", 400, "100 functions"))

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
    unreadable = failing(facade.functions.CreateFunction, request)
    assert (unreadable.reason, unreadable.outcome) == ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")


def test_an_association_error_names_the_state_of_the_store(facade: Facade, cloudfront: CloudFrontDouble) -> None:
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
        not_ready = associated(store.arn, validate_only=validate_only)
        assert not_ready.code is grpc.StatusCode.FAILED_PRECONDITION
        assert (not_ready.reason, not_ready.outcome) == ("KEY_VALUE_STORE_NOT_READY", "not_applied")
        assert not_ready.retry_after is not None
