"""Puts, deletions and batches of keys that fail or whose response is lost."""

from __future__ import annotations

import grpc
import pytest

from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from faults.changing import LOST, UNKNOWN, status_of
from support.cloudfront.faults import (
    apply_then_status,
    fail_with,
    normally,
    status_only,
    throttle,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing


def test_a_put_without_an_etag_and_with_an_unknown_outcome_must_not_be_retried(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("PutKey", status_only(503))
    failure = failing(facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=store.arn, key="k", value="secret"))
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    assert (failure.retry_after, failure.pushback) == (None, "-1")
    assert "secret" not in str(failure)


def test_a_lost_batch_counts_as_unknown_after_the_applied_batches(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("UpdateKeys", normally(), normally(), apply_then_status(503))
    changes = [data.KeyChange(put=data.KeyValue(key=f"k{number}", value="v")) for number in range(180)]
    failure = failing(facade.key_values.UpdateKeys, data.UpdateKeysRequest(kvs_arn=store.arn, changes=changes))
    assert (failure.code, failure.reason, failure.outcome) == (
        grpc.StatusCode.UNAVAILABLE,
        "UPSTREAM_OUTCOME_UNKNOWN",
        "partial",
    )
    counts = failure.metadata["applied_changes"], failure.metadata["unknown_changes"]
    assert counts == ("100", "50")
    assert (failure.retry_after, failure.pushback) == (None, "-1")
    assert cloudfront.count("UpdateKeys") == 3


def test_a_failed_first_batch_reports_that_nothing_was_applied(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("UpdateKeys", throttle())
    changes = [data.KeyChange(put=data.KeyValue(key="k", value="v"))]
    failure = failing(facade.key_values.UpdateKeys, data.UpdateKeysRequest(kvs_arn=store.arn, changes=changes))
    assert (failure.code, failure.reason, failure.outcome) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "UPSTREAM_THROTTLED",
        "not_applied",
    )
    assert failure.metadata["applied_changes"] == "0"
    assert failure.retry_after is not None


def test_a_put_is_retried_a_limited_number_of_times_after_conflicts(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    put = data.PutKeyRequest(kvs_arn=store.arn, key="k", value="v")
    conflict = fail_with("ConflictException", 409)
    cloudfront.script("PutKey", conflict, conflict)
    assert facade.key_values.PutKey(put).item_count == 1
    cloudfront.always("PutKey", conflict)
    before = cloudfront.count("PutKey")
    failure = failing(facade.key_values.PutKey, put, timeout=20)
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert failure.retry_after is not None
    assert cloudfront.count("PutKey") - before == 8


def test_another_value_does_not_confirm_a_lost_put(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1"))
    cloudfront.script("PutKey", LOST)
    assert (
        status_of(failing(facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=store.arn, key="k", value="2")))
        == UNKNOWN
    )


def test_a_write_with_an_etag_is_not_confirmed_by_a_value_of_another_writer(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    put = data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1")
    put.etag = facade.key_values.PutKey(put).etag
    cloudfront.script("PutKey", LOST)
    assert status_of(failing(facade.key_values.PutKey, put)) == UNKNOWN
    cloudfront.script("DeleteKey", LOST)
    deletion = data.DeleteKeyRequest(kvs_arn=store.arn, key="never", etag=put.etag)
    assert status_of(failing(facade.key_values.DeleteKey, deletion)) == UNKNOWN


def test_a_write_confirmed_by_a_read_returns_no_etag_of_another_writer(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("PutKey", apply_then_status(503))
    assert facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1")).etag == ""


def test_a_write_with_a_possibly_outdated_etag_must_not_be_retried(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    etag = facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1")).etag
    cloudfront.script("UpdateKeys", apply_then_status(503))
    changes = [data.KeyChange(put=data.KeyValue(key="k", value="2"))]
    request = data.UpdateKeysRequest(kvs_arn=store.arn, changes=changes, etag=etag)
    failure = failing(facade.key_values.UpdateKeys, request)
    assert status_of(failure) == UNKNOWN
    assert (failure.retry_after, failure.pushback) == (None, "-1")


@pytest.mark.parametrize("fault", [None, throttle()], ids=["exists", "unreadable"])
def test_a_deletion_is_not_confirmed_while_the_key_exists_or_is_unreadable(
    fault: object, cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1"))
    cloudfront.script("DeleteKey", LOST)
    cloudfront.always("GetKey", throttle() if fault else None)
    assert status_of(failing(facade.key_values.DeleteKey, data.DeleteKeyRequest(kvs_arn=store.arn, key="k"))) == UNKNOWN
