"""ARNs of other accounts: no request leaves for the host of such an account."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
import pytest
from botocore import exceptions as boto

from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.function_service_pb2 import FunctionConfig, FunctionRuntime, KeyValueStoreAssociation
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.faults import status_only
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, Failure, failing, function, running_facade
from support.key_writes import puts
from support.values import STORE_ARN

MakeBackend = Callable[..., AwsBackend]

OWN: Final = "123456789012"
FOREIGN_ARN: Final = STORE_ARN.replace(OWN, "210987654321")

CALLS: Final[dict[str, Callable[[Facade, str], Failure]]] = {
    "GetKey": lambda facade, arn: failing(facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=arn, key="k")),
    "UpdateKeys": lambda facade, arn: failing(
        facade.key_values.UpdateKeys, data.UpdateKeysRequest(kvs_arn=arn, changes=puts(1))
    ),
    "ImportKeys": lambda facade, arn: failing(
        facade.key_values.ImportKeys, iter([data.ImportKeysRequest(kvs_arn=arn, changes=puts(1))])
    ),
    "TagResource": lambda facade, arn: failing(
        facade.tags.TagResource, tags.TagResourceRequest(resource=arn, tags=[Tag(key="k")])
    ),
    "ListTagsForResource": lambda facade, arn: failing(
        facade.tags.ListTagsForResource, tags.ListTagsForResourceRequest(resource=arn)
    ),
    "CreateFunction": lambda facade, arn: failing(
        facade.functions.CreateFunction,
        function(
            function_config=FunctionConfig(
                runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
                key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=arn)],
            )
        ),
    ),
}
"""A call of each kind that names the ARN of a store, and fails."""


def unreachable() -> str:
    raise boto.ConnectTimeoutError(endpoint_url="https://sts.us-east-1.amazonaws.com")


def rules_of(failure: Failure) -> list[str]:
    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT, failure
    return [violation.reason for violation in failure.violations]


@pytest.mark.parametrize("operation", CALLS)
def test_an_arn_of_another_account_is_a_violation_and_nothing_is_sent(
    operation: str, cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront), lambda: OWN) as facade:
        failure = CALLS[operation](facade, FOREIGN_ARN)

    assert rules_of(failure) == ["ARN_ACCOUNT"]
    assert cloudfront.requests == ()


def test_the_accounts_of_the_setting_are_allowed_and_no_other(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront), accounts=[OWN, "111111111111"]) as facade:
        arn = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects")).key_value_store.arn
        sent = cloudfront.requests

        assert facade.tags.ListTagsForResource(tags.ListTagsForResourceRequest(resource=arn)).tags == []
        assert len(cloudfront.requests) == len(sent) + 1
        assert rules_of(CALLS["GetKey"](facade, FOREIGN_ARN)) == ["ARN_ACCOUNT"]
        assert len(cloudfront.requests) == len(sent) + 1


def test_without_sts_an_arn_passes_when_the_list_of_stores_shows_its_account(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront), unreachable) as facade:
        arn = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects")).key_value_store.arn
        sent = len(cloudfront.requests)

        assert rules_of(CALLS["GetKey"](facade, FOREIGN_ARN)) == ["ARN_ACCOUNT"]
        assert [request.operation for request in cloudfront.requests[sent:]] == ["ListKeyValueStores"]
        facade.tags.ListTagsForResource(tags.ListTagsForResourceRequest(resource=arn))
        facade.tags.ListTagsForResource(tags.ListTagsForResourceRequest(resource=arn))

        later = [request.operation for request in cloudfront.requests[sent + 1 :]]
        assert later == ["ListTagsForResource"] * 2, "it is learned once"


def test_without_sts_no_arn_passes_if_the_account_has_no_resources(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront), unreachable) as facade:
        assert rules_of(CALLS["GetKey"](facade, STORE_ARN)) == ["ARN_ACCOUNT"]
        assert rules_of(CALLS["GetKey"](facade, STORE_ARN)) == ["ARN_ACCOUNT"]

    operations = [request.operation for request in cloudfront.requests]
    lists = ["ListKeyValueStores", "ListFunctions"]
    assert operations == lists * 2, "the second call may name what was created since"


def test_without_sts_and_lists_a_call_is_unavailable_and_its_host_is_not_asked(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    cloudfront.always("ListKeyValueStores", status_only(503))
    with running_facade(aws_backend(cloudfront), unreachable) as facade:
        failure = CALLS["GetKey"](facade, STORE_ARN)

    assert (failure.code, failure.outcome) == (grpc.StatusCode.UNAVAILABLE, "not_applied")
    assert {request.operation for request in cloudfront.requests} == {"ListKeyValueStores"}


def test_calls_wait_together_for_the_account(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    asked, answer = [], threading.Event()

    def slow() -> str:
        asked.append(1)
        answer.wait(10)
        return OWN

    with running_facade(aws_backend(cloudfront), slow) as facade, ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(CALLS["ListTagsForResource"], facade, arn) for arn in [FOREIGN_ARN, STORE_ARN] * 4]
        answer.set()
        codes = [waiting.result(20).code for waiting in calls]

    assert codes == [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND] * 4
    assert len(asked) == 1
