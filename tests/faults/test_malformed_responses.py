"""Responses of CloudFront that are malformed or incomplete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from faults.changing import DEVELOPMENT, UNKNOWN, describe
from support.cloudfront.faults import (
    html,
    status_only,
    throttle,
    wrong_root,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("DescribeFunction", lambda facade, _: describe(facade, DEVELOPMENT)),
        ("ListFunctions", lambda facade, _: facade.functions.ListFunctions(functions.ListFunctionsRequest())),
        ("ListKeyValueStores", lambda facade, _: facade.stores.ListKeyValueStores(stores.ListKeyValueStoresRequest())),
    ],
)
def test_a_response_with_another_root_is_an_error(
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


def test_an_html_page_is_neither_code_nor_a_test_result(
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


def test_a_missing_key_is_not_reported_as_a_missing_store_if_the_store_is_unreadable(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.always("DescribeKeyValueStoreData", throttle())
    failure = failing(facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=store.arn, key="missing"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "KEY_NOT_FOUND")


def test_a_response_without_a_list_does_not_confirm_the_removal_of_tags(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.script("UntagResource", status_only(503))
    cloudfront.always("ListTagsForResource", wrong_root())
    failure = failing(facade.tags.UntagResource, tags.UntagResourceRequest(resource=arn, tag_keys=["a"]))
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN


def test_an_update_of_a_store_has_an_unknown_outcome_if_the_reads_fail(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    etag = facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects")).etag
    cloudfront.script("UpdateKeyValueStore", status_only(503))
    cloudfront.always("DescribeKeyValueStore", wrong_root())
    request = stores.UpdateKeyValueStoreRequest(name="redirects", comment="", etag=etag)
    failure = failing(facade.stores.UpdateKeyValueStore, request)
    assert (failure.code, failure.reason, failure.outcome) == UNKNOWN
