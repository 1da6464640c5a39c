"""Updates, publishing, deletions, tags and keys whose answer is lost or refused, over a real server and boto3."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.changing import DEVELOPMENT, LIVE, UNKNOWN, V2, MakeBackend, describe, updating
from support.cloudfront.faults import (
    Fault,
    apply_then_close,
    apply_then_hang,
    apply_then_status,
    delay,
    garble,
    hang,
    html,
    misstate,
    normally,
    refuse,
    status_only,
    throttle,
    without_header,
    wrong_root,
)
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.state import distribution
from support.facade import Facade, failing, function, running_facade

LOSSES: dict[str, Callable[[], Fault]] = {
    "no answer": apply_then_hang,
    "garbled": garble,
    "closed": apply_then_close,
    "503": lambda: apply_then_status(503),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_update_whose_answer_is_lost_is_ok_once_it_is_seen(
    loss: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("UpdateFunction", LOSSES[loss]())

    updated = facade.functions.UpdateFunction(updating(created.etag, comment="new"))

    assert updated.etag == cloudfront.functions["rewrite"].etag != created.etag
    assert updated.function_summary.function_config.comment == "new"
    assert cloudfront.count("UpdateFunction") == 1


def test_an_update_that_is_repeated_is_ok_and_changes_nothing(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    first = facade.functions.UpdateFunction(updating(created.etag))
    again = facade.functions.UpdateFunction(updating(created.etag))
    assert again == first
    assert cloudfront.effects("UpdateFunction") == 1


def test_an_update_that_was_not_applied_is_unknown_and_can_be_repeated(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("UpdateFunction", status_only(503))
    failure = failing(facade.functions.UpdateFunction, updating(created.etag))
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    assert failure.retry_after is not None
    assert failure.pushback is None
    assert facade.functions.UpdateFunction(updating(created.etag)).etag
    assert cloudfront.effects("UpdateFunction") == 1


def test_a_stale_update_is_refused_and_changes_nothing(
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


def test_the_version_of_an_update_is_read_where_its_header_is_missing(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("UpdateFunction", without_header("ETag"))
    updated = facade.functions.UpdateFunction(updating(created.etag))
    assert updated.etag == cloudfront.functions["rewrite"].etag


@pytest.mark.parametrize("loss", LOSSES)
def test_a_publishing_whose_answer_is_lost_is_ok_once_it_is_seen(
    loss: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("PublishFunction", LOSSES[loss]())
    request = functions.PublishFunctionRequest(name="rewrite", etag=created.etag)

    published = facade.functions.PublishFunction(request)

    assert published.function_summary.function_metadata.stage == LIVE
    assert cloudfront.count("PublishFunction") == 1
    assert facade.functions.PublishFunction(request).function_summary.name == "rewrite"


def test_a_publishing_that_was_not_applied_is_unknown(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("PublishFunction", hang())
    request = functions.PublishFunctionRequest(name="rewrite", etag=created.etag)
    failure = failing(facade.functions.PublishFunction, request)
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    failure = failing(describe, facade)
    assert failure.message.endswith("has no LIVE stage: publish it with PublishFunction first")
    assert failure.metadata["stage"] == "LIVE"


@pytest.mark.parametrize("loss", LOSSES)
def test_a_deletion_whose_answer_is_lost_is_ok_and_its_repeat_finds_nothing(
    loss: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("DeleteFunction", LOSSES[loss]())
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    facade.functions.DeleteFunction(request)
    assert "rewrite" not in cloudfront.functions
    failure = failing(facade.functions.DeleteFunction, request)
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND")


def test_a_deletion_that_was_not_applied_is_unknown(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("DeleteFunction", status_only(500))
    failure = failing(
        facade.functions.DeleteFunction, functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    )
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    assert "rewrite" in cloudfront.functions


def test_a_function_in_use_is_named_with_the_distributions_that_use_it(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    shown = [distribution(f"E{number}", arn) for number in range(3)]
    cloudfront.distributions.update({each["Id"]: each for each in [*shown, distribution("EOTHER")]})
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)

    failure = failing(facade.functions.DeleteFunction, request)

    assert (failure.code, failure.reason, failure.outcome) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "FUNCTION_IN_USE",
        "not_applied",
    )
    subjects = [violation.subject for violation in failure.details["PreconditionFailure"].violations]
    assert subjects == ["distribution E0", "distribution E1", "distribution E2"]
    assert "E2" in failure.message


@pytest.mark.parametrize("fault", [lambda: refuse("AccessDenied", 403), wrong_root, hang])
def test_that_a_function_is_in_use_is_told_also_where_nobody_may_say_by_whom(
    fault: Callable[[], Fault],
    cloudfront: CloudFrontDouble,
    facade: Facade,
    created: functions.CreateFunctionResponse,
) -> None:
    cloudfront.script("DeleteFunction", refuse("FunctionInUse", 409))
    cloudfront.always("ListDistributions", fault())
    failure = failing(
        facade.functions.DeleteFunction, functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    )
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "FUNCTION_IN_USE")
    assert failure.details["PreconditionFailure"].violations[0].subject == "rewrite"
    cloudfront.release()


def test_a_deadline_that_leaves_no_time_for_reasons_gets_the_refusal_itself(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("DeleteFunction", refuse("FunctionInUse", 409))
    cloudfront.always("ListDistributions", hang())
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    started = time.monotonic()
    failure = failing(facade.functions.DeleteFunction, request, timeout=0.9)
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "FUNCTION_IN_USE")
    assert time.monotonic() - started < 0.8
    assert cloudfront.count("ListDistributions") == 0


def test_a_store_in_use_is_named_with_the_functions_that_read_it(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    association = functions.KeyValueStoreAssociation(key_value_store_arn=store.arn)
    config = functions.FunctionConfig(runtime=V2, key_value_store_associations=[association])
    facade.functions.CreateFunction(function("reader", function_config=config))
    etag = facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects")).etag

    failure = failing(facade.stores.DeleteKeyValueStore, stores.DeleteKeyValueStoreRequest(name="redirects", etag=etag))

    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "KEY_VALUE_STORE_IN_USE")
    subjects = [violation.subject for violation in failure.details["PreconditionFailure"].violations]
    assert subjects == ["function reader (DEVELOPMENT)"]


@pytest.mark.parametrize("loss", LOSSES)
def test_changes_of_a_store_whose_answers_are_lost_are_ok_once_they_are_seen(
    loss: str, cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    etag = facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects")).etag
    cloudfront.script("UpdateKeyValueStore", LOSSES[loss]())
    cloudfront.script("DeleteKeyValueStore", LOSSES[loss]())
    request = stores.UpdateKeyValueStoreRequest(name="redirects", comment="new", etag=etag)
    updated = facade.stores.UpdateKeyValueStore(request)
    assert updated.key_value_store.comment == "new"
    assert facade.stores.UpdateKeyValueStore(request).etag == updated.etag
    facade.stores.DeleteKeyValueStore(stores.DeleteKeyValueStoreRequest(name="redirects", etag=updated.etag))
    assert "redirects" not in cloudfront.stores


@pytest.mark.parametrize("loss", LOSSES)
def test_keys_whose_answers_are_lost_are_ok_once_they_are_seen(
    loss: str, cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("PutKey", LOSSES[loss]())
    cloudfront.script("DeleteKey", LOSSES[loss]())
    put = facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=store.arn, key="k", value="v"))
    assert put.item_count == 1
    deleted = facade.key_values.DeleteKey(data.DeleteKeyRequest(kvs_arn=store.arn, key="k", etag=put.etag))
    assert deleted.item_count == 0
    assert (cloudfront.count("PutKey"), cloudfront.count("DeleteKey")) == (1, 1)


def test_a_put_without_a_version_that_cannot_be_told_is_not_advised_to_be_repeated(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("PutKey", status_only(503))
    failure = failing(facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=store.arn, key="k", value="secret"))
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
    assert (failure.retry_after, failure.pushback) == (None, "-1")
    assert "secret" not in str(failure)


def test_a_lost_batch_is_counted_as_unknown_after_those_that_were_applied(
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


def test_a_first_batch_that_is_refused_says_that_nothing_was_applied(
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


def test_others_that_keep_writing_are_outlasted_a_number_of_times(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    put = data.PutKeyRequest(kvs_arn=store.arn, key="k", value="v")
    conflict = refuse("ConflictException", 409)
    cloudfront.script("PutKey", conflict, conflict)
    assert facade.key_values.PutKey(put).item_count == 1
    cloudfront.always("PutKey", conflict)
    before = cloudfront.count("PutKey")
    failure = failing(facade.key_values.PutKey, put, timeout=20)
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert failure.retry_after is not None
    assert cloudfront.count("PutKey") - before == 8


@pytest.mark.parametrize("loss", LOSSES)
def test_tags_whose_answers_are_lost_are_ok_once_they_are_seen(
    loss: str, cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.script("TagResource", LOSSES[loss]())
    cloudfront.script("UntagResource", LOSSES[loss]())
    facade.tags.TagResource(tags.TagResourceRequest(resource=arn, tags=[Tag(key="a", value="1"), Tag(key="b")]))
    assert cloudfront.tags[arn] == [{"Key": "a", "Value": "1"}, {"Key": "b"}]
    facade.tags.UntagResource(tags.UntagResourceRequest(resource=arn, tag_keys=["a"]))
    assert cloudfront.tags[arn] == [{"Key": "b"}]


def test_too_many_tags_with_those_that_are_there_are_refused_before_anything_is_sent(
    cloudfront: CloudFrontDouble, facade: Facade
) -> None:
    there = [Tag(key=f"there-{number}") for number in range(45)]
    arn = facade.functions.CreateFunction(function(tags=there)).function_summary.function_metadata.function_arn
    request = tags.TagResourceRequest(resource=arn, tags=[Tag(key=f"new-{number}") for number in range(6)])
    failure = failing(facade.tags.TagResource, request)
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert cloudfront.count("TagResource") == 0


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("DescribeFunction", lambda facade, _: describe(facade, DEVELOPMENT)),
        ("ListFunctions", lambda facade, _: facade.functions.ListFunctions(functions.ListFunctionsRequest())),
        ("ListKeyValueStores", lambda facade, _: facade.stores.ListKeyValueStores(stores.ListKeyValueStoresRequest())),
    ],
)
def test_an_answer_of_another_shape_is_no_answer(
    operation: str,
    call: Callable[[Facade, str], Any],
    cloudfront: CloudFrontDouble,
    facade: Facade,
    created: functions.CreateFunctionResponse,
) -> None:
    cloudfront.always(operation, wrong_root())
    failure = failing(call, facade, created.etag)
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert failure.reason == "UPSTREAM_UNAVAILABLE"


def test_a_page_that_is_not_cloudfronts_is_no_code_and_no_result(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    test = functions.TestFunctionRequest(name="rewrite", etag=created.etag, event_object=b"{}")
    get = functions.GetFunctionRequest(name="rewrite")
    pages = (html(200), status_only(200))
    for operation, call, request, faults in (
        ("GetFunction", facade.functions.GetFunction, get, pages),
        ("TestFunction", facade.functions.TestFunction, test, (*pages, wrong_root())),
    ):
        for fault in faults:
            cloudfront.script(operation, fault)
            failure = failing(call, request)
            assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")


def test_a_test_that_cloudfront_cannot_run_is_tried_once(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.always("TestFunction", refuse("TestFunctionFailed", 500))
    request = functions.TestFunctionRequest(name="rewrite", etag=created.etag, event_object=b"{}")
    failure = failing(facade.functions.TestFunction, request)
    assert (failure.code, failure.reason, failure.outcome) == (
        grpc.StatusCode.INTERNAL,
        "TEST_FUNCTION_FAILED",
        "not_applied",
    )
    assert cloudfront.count("TestFunction") == 1


def test_a_store_that_cannot_be_read_is_not_called_missing(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.always("DescribeKeyValueStoreData", throttle())
    failure = failing(facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=store.arn, key="missing"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "KEY_NOT_FOUND")


def test_tags_are_not_called_gone_by_an_answer_without_a_list(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.script("UntagResource", status_only(503))
    cloudfront.always("ListTagsForResource", wrong_root())
    failure = failing(facade.tags.UntagResource, tags.UntagResourceRequest(resource=arn, tag_keys=["a"]))
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN


def test_an_update_of_a_store_that_cannot_be_settled_is_unknown(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    etag = facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects")).etag
    cloudfront.script("UpdateKeyValueStore", status_only(503))
    cloudfront.always("DescribeKeyValueStore", wrong_root())
    request = stores.UpdateKeyValueStoreRequest(name="redirects", comment="", etag=etag)
    failure = failing(facade.stores.UpdateKeyValueStore, request)
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN


def test_reads_after_a_refusal_keep_to_the_limit_of_calls_upstream(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront), max_concurrent_upstream_calls=2) as facade:
        created = facade.functions.CreateFunction(function())
        facade.functions.UpdateFunction(updating(created.etag))
        cloudfront.always("DescribeFunction", delay(0.2))
        stale = updating(created.etag, b"// 3")
        calls = [facade.functions.UpdateFunction.future(stale, timeout=20) for _ in range(30)]
        reasons = {failing(call.result).reason for call in calls}
    assert reasons <= {"ETAG_MISMATCH", "OVERLOADED"}
    assert cloudfront.most_at_once <= 2


def test_the_reason_of_a_failed_import_names_no_accounts_of_others(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.always(
        "DescribeKeyValueStoreData", misstate("FailureReason", "arn:aws:s3:::hush of 999988887777 cannot be read")
    )
    request = data.DescribeKeyValueStoreDataRequest(kvs_arn=store.arn)
    reason = facade.key_values.DescribeKeyValueStoreData(request).failure_reason
    assert "cannot be read" in reason
    assert "999988887777" not in reason
    assert "hush" not in reason
