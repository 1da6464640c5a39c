"""Changes that were lost and not applied: what is there by chance, or in part, is not taken for them."""

from __future__ import annotations

import time
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.changing import CODE, UNKNOWN, V2, describe, updating
from support.cloudfront.faults import apply_then_status, delay, misstate, status_only, throttle
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.state import distribution
from support.facade import Facade, Failure, failing, function

LOST = status_only(503)


def what(failure: Failure) -> tuple[grpc.StatusCode, str, str]:
    return failure.code, failure.reason, failure.outcome


def publishing(etag: str) -> functions.PublishFunctionRequest:
    return functions.PublishFunctionRequest(name="rewrite", etag=etag)


def etag_of(facade: Facade) -> str:
    return facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects")).etag


def test_an_update_to_what_is_there_already_is_not_told_from_none(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    there = facade.functions.UpdateFunction(updating(created.etag))
    cloudfront.script("UpdateFunction", LOST)
    assert what(failing(facade.functions.UpdateFunction, updating(there.etag))) == UNKNOWN


@pytest.mark.parametrize("newer", [{"code": b"// another"}, {"comment": "another"}], ids=["code", "config"])
def test_a_publishing_is_not_seen_in_a_live_stage_of_another_content(
    newer: dict[str, object],
    cloudfront: CloudFrontDouble,
    facade: Facade,
    created: functions.CreateFunctionResponse,
) -> None:
    first = facade.functions.UpdateFunction(updating(created.etag))
    facade.functions.PublishFunction(publishing(first.etag))
    changed: dict[str, Any] = {"code": CODE, **newer}
    second = facade.functions.UpdateFunction(updating(first.etag, **changed))
    cloudfront.script("PublishFunction", LOST)

    assert what(failing(facade.functions.PublishFunction, publishing(second.etag))) == UNKNOWN


def test_a_publishing_of_a_version_that_is_gone_is_not_seen_in_another(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    first = facade.functions.UpdateFunction(updating(created.etag))
    second = facade.functions.UpdateFunction(updating(first.etag))
    facade.functions.PublishFunction(publishing(second.etag))
    cloudfront.script("PublishFunction", LOST)

    assert what(failing(facade.functions.PublishFunction, publishing(first.etag))) == UNKNOWN


def test_a_comment_that_is_there_already_is_not_told_from_none(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    request = stores.UpdateKeyValueStoreRequest(name=store.name, comment="new", etag=etag_of(facade))
    request.etag = facade.stores.UpdateKeyValueStore(request).etag
    cloudfront.script("UpdateKeyValueStore", LOST)
    assert what(failing(facade.stores.UpdateKeyValueStore, request)) == UNKNOWN


def test_a_put_is_not_seen_in_another_value(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1"))
    cloudfront.script("PutKey", LOST)
    assert what(failing(facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=store.arn, key="k", value="2"))) == UNKNOWN


def test_a_write_of_a_version_is_not_seen_in_a_value_that_may_be_anothers(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    put = data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1")
    put.etag = facade.key_values.PutKey(put).etag
    cloudfront.script("PutKey", LOST)
    assert what(failing(facade.key_values.PutKey, put)) == UNKNOWN
    cloudfront.script("DeleteKey", LOST)
    deletion = data.DeleteKeyRequest(kvs_arn=store.arn, key="never", etag=put.etag)
    assert what(failing(facade.key_values.DeleteKey, deletion)) == UNKNOWN


def test_a_write_that_is_seen_gives_no_version_that_may_be_anothers(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("PutKey", apply_then_status(503))
    assert facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1")).etag == ""


def test_nobody_is_advised_to_repeat_a_write_of_a_version_that_may_be_gone(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    etag = facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1")).etag
    cloudfront.script("UpdateKeys", apply_then_status(503))
    changes = [data.KeyChange(put=data.KeyValue(key="k", value="2"))]
    request = data.UpdateKeysRequest(kvs_arn=store.arn, changes=changes, etag=etag)
    failure = failing(facade.key_values.UpdateKeys, request)
    assert what(failure) == UNKNOWN
    assert (failure.retry_after, failure.pushback) == (None, "-1")


@pytest.mark.parametrize("fault", [None, throttle()], ids=["there", "unreadable"])
def test_a_key_is_not_gone_while_it_is_there_or_cannot_be_read(
    fault: object, cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="1"))
    cloudfront.script("DeleteKey", LOST)
    cloudfront.always("GetKey", throttle() if fault else None)
    assert what(failing(facade.key_values.DeleteKey, data.DeleteKeyRequest(kvs_arn=store.arn, key="k"))) == UNKNOWN


def test_tags_are_not_there_while_one_is_missing_or_has_another_value(
    cloudfront: CloudFrontDouble, facade: Facade
) -> None:
    made = facade.functions.CreateFunction(function(tags=[Tag(key="a", value="1"), Tag(key="b", value="1")]))
    arn = made.function_summary.function_metadata.function_arn
    for wanted in ([Tag(key="a", value="1"), Tag(key="c")], [Tag(key="a", value="1"), Tag(key="b", value="2")]):
        cloudfront.script("TagResource", LOST)
        assert what(failing(facade.tags.TagResource, tags.TagResourceRequest(resource=arn, tags=wanted))) == UNKNOWN


def test_tags_are_not_gone_while_one_is_there(cloudfront: CloudFrontDouble, facade: Facade) -> None:
    made = facade.functions.CreateFunction(function(tags=[Tag(key="a", value="1")]))
    arn = made.function_summary.function_metadata.function_arn
    cloudfront.script("UntagResource", LOST)
    request = tags.UntagResourceRequest(resource=arn, tag_keys=["a", "none"])
    assert what(failing(facade.tags.UntagResource, request)) == UNKNOWN


def test_a_change_is_looked_for_until_it_shows(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("UpdateFunction", apply_then_status(503))
    cloudfront.script("DescribeFunction", LOST)
    updated = facade.functions.UpdateFunction(updating(created.etag))
    assert updated.etag == cloudfront.functions["rewrite"].etag
    assert cloudfront.count("DescribeFunction") == 2


def test_nothing_is_changed_for_a_caller_that_leaves_no_time(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    request = tags.TagResourceRequest(resource=arn, tags=[Tag(key="a")])
    failure = failing(facade.tags.TagResource, request, timeout=0.2)
    assert failure.reason == "DEADLINE_TOO_SHORT"
    assert cloudfront.count("TagResource") == 0


def test_nothing_is_changed_for_a_caller_that_went_away_before(
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


def test_users_are_looked_for_on_every_page(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.distributions.update({f"E{number:03}": distribution(f"E{number:03}") for number in range(120)})
    cloudfront.distributions["EZ"] = distribution("EZ", arn)
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    failure = failing(facade.functions.DeleteFunction, request)
    assert [each.subject for each in failure.details["PreconditionFailure"].violations] == ["distribution EZ"]
    assert cloudfront.count("ListDistributions") == 2


def test_the_search_for_users_leaves_time_for_the_answer(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.distributions.update({f"E{number:03}": distribution(f"E{number:03}") for number in range(900)})
    cloudfront.distributions["EA"] = distribution("EA", arn)
    cloudfront.always("ListDistributions", delay(0.4))
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    failure = failing(facade.functions.DeleteFunction, request, timeout=2.5)
    assert failure.reason == "FUNCTION_IN_USE"


def test_a_function_that_reads_a_store_in_its_live_stage_alone_is_named(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    association = functions.KeyValueStoreAssociation(key_value_store_arn=store.arn)
    config = functions.FunctionConfig(runtime=V2, key_value_store_associations=[association])
    made = facade.functions.CreateFunction(function(function_config=config))
    facade.functions.PublishFunction(publishing(made.etag))
    facade.functions.UpdateFunction(updating(describe(facade, functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT).etag))
    request = stores.DeleteKeyValueStoreRequest(name=store.name, etag=etag_of(facade))
    failure = failing(facade.stores.DeleteKeyValueStore, request)
    assert [each.subject for each in failure.details["PreconditionFailure"].violations] == ["function rewrite (LIVE)"]


def test_a_wait_tells_no_accounts_of_others(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.always("DescribeKeyValueStoreData", misstate("FailureReason", "999988887777 may not read it"))
    cloudfront.always("DescribeKeyValueStore", misstate("Status", "PROVISIONING"))
    request = stores.WaitForKeyValueStoreRequest(name=store.name)
    failure = failing(facade.stores.WaitForKeyValueStore, request, timeout=10)
    assert failure.reason == "KEY_VALUE_STORE_FAILED"
    assert "may not read it" in failure.message
    assert "999988887777" not in str(failure)
