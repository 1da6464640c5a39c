"""Changes whose response is lost."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.changing import LIVE, UNKNOWN, describe, updating
from support.cloudfront.faults import (
    Fault,
    apply_then_close,
    apply_then_hang,
    apply_then_status,
    garble,
    hang,
    status_only,
    without_header,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing

FAULTS: dict[str, Callable[[], Fault]] = {
    "no response": apply_then_hang,
    "garbled": garble,
    "closed": apply_then_close,
    "503": lambda: apply_then_status(503),
}


@pytest.mark.parametrize("fault_name", FAULTS)
def test_an_update_with_a_lost_response_succeeds_when_a_read_shows_it(
    fault_name: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("UpdateFunction", FAULTS[fault_name]())

    updated = facade.functions.UpdateFunction(updating(created.etag, comment="new"))

    assert updated.etag == cloudfront.functions["rewrite"].etag != created.etag
    assert updated.function_summary.function_config.comment == "new"
    assert cloudfront.count("UpdateFunction") == 1


def test_a_repeated_update_succeeds_and_changes_nothing(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    first = facade.functions.UpdateFunction(updating(created.etag))
    again = facade.functions.UpdateFunction(updating(created.etag))
    assert again == first
    assert cloudfront.effects("UpdateFunction") == 1


def test_an_update_that_was_not_applied_has_an_unknown_outcome_and_can_be_repeated(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("UpdateFunction", status_only(503))
    failure = failing(facade.functions.UpdateFunction, updating(created.etag))
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    assert failure.retry_after is not None
    assert failure.pushback is None
    assert facade.functions.UpdateFunction(updating(created.etag)).etag
    assert cloudfront.effects("UpdateFunction") == 1


def test_an_update_with_an_outdated_etag_fails_and_changes_nothing(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    newer = facade.functions.UpdateFunction(updating(created.etag))
    failure = failing(facade.functions.UpdateFunction, updating(created.etag, b"// 3"))
    assert (failure.code, failure.reason, failure.outcome) == (
        grpc.StatusCode.ABORTED,
        "ETAG_MISMATCH",
        "not_applied",
    )
    assert failure.details["PreconditionFailure"].violations[0].subject == "rewrite"
    assert cloudfront.functions["rewrite"].etag == newer.etag


def test_the_etag_of_an_update_is_read_if_its_header_is_missing(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("UpdateFunction", without_header("ETag"))
    updated = facade.functions.UpdateFunction(updating(created.etag))
    assert updated.etag == cloudfront.functions["rewrite"].etag


@pytest.mark.parametrize("fault_name", FAULTS)
def test_a_publish_with_a_lost_response_succeeds_when_a_read_shows_it(
    fault_name: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("PublishFunction", FAULTS[fault_name]())
    request = functions.PublishFunctionRequest(name="rewrite", etag=created.etag)

    published = facade.functions.PublishFunction(request)

    assert published.function_summary.function_metadata.stage == LIVE
    assert cloudfront.count("PublishFunction") == 1
    assert facade.functions.PublishFunction(request).function_summary.name == "rewrite"


def test_a_publish_that_was_not_applied_has_an_unknown_outcome(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("PublishFunction", hang())
    request = functions.PublishFunctionRequest(name="rewrite", etag=created.etag)
    failure = failing(facade.functions.PublishFunction, request)
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    failure = failing(describe, facade)
    assert failure.message.endswith("has no LIVE stage: publish it with PublishFunction first")
    assert failure.metadata["stage"] == "LIVE"


@pytest.mark.parametrize("fault_name", FAULTS)
def test_a_deletion_with_a_lost_response_succeeds_and_its_repeat_is_not_found(
    fault_name: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("DeleteFunction", FAULTS[fault_name]())
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    facade.functions.DeleteFunction(request)
    assert "rewrite" not in cloudfront.functions
    failure = failing(facade.functions.DeleteFunction, request)
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND")


def test_a_deletion_that_was_not_applied_has_an_unknown_outcome(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("DeleteFunction", status_only(500))
    failure = failing(
        facade.functions.DeleteFunction, functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    )
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    assert "rewrite" in cloudfront.functions


@pytest.mark.parametrize("fault_name", FAULTS)
def test_changes_of_a_store_with_lost_responses_succeed_when_reads_show_them(
    fault_name: str, cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    etag = facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects")).etag
    cloudfront.script("UpdateKeyValueStore", FAULTS[fault_name]())
    cloudfront.script("DeleteKeyValueStore", FAULTS[fault_name]())
    request = stores.UpdateKeyValueStoreRequest(name="redirects", comment="new", etag=etag)
    updated = facade.stores.UpdateKeyValueStore(request)
    assert updated.key_value_store.comment == "new"
    assert facade.stores.UpdateKeyValueStore(request).etag == updated.etag
    facade.stores.DeleteKeyValueStore(stores.DeleteKeyValueStoreRequest(name="redirects", etag=updated.etag))
    assert "redirects" not in cloudfront.stores


@pytest.mark.parametrize("fault_name", FAULTS)
def test_changes_of_keys_with_lost_responses_succeed_when_reads_show_them(
    fault_name: str, cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("PutKey", FAULTS[fault_name]())
    cloudfront.script("DeleteKey", FAULTS[fault_name]())
    put = facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="v"))
    assert put.item_count == 1
    deleted = facade.key_values.DeleteKey(data.DeleteKeyRequest(kvs_arn=store.arn, key="k", etag=put.etag))
    assert deleted.item_count == 0
    assert (cloudfront.count("PutKey"), cloudfront.count("DeleteKey")) == (1, 1)


@pytest.mark.parametrize("fault_name", FAULTS)
def test_changes_of_tags_with_lost_responses_succeed_when_reads_show_them(
    fault_name: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.script("TagResource", FAULTS[fault_name]())
    cloudfront.script("UntagResource", FAULTS[fault_name]())
    facade.tags.TagResource(tags.TagResourceRequest(resource=arn, tags=[Tag(key="a", value="1"), Tag(key="b")]))
    assert cloudfront.tags[arn] == [{"Key": "a", "Value": "1"}, {"Key": "b"}]
    facade.tags.UntagResource(tags.UntagResourceRequest(resource=arn, tag_keys=["a"]))
    assert cloudfront.tags[arn] == [{"Key": "b"}]
