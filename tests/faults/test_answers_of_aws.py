"""Answers of AWS whose meaning is not the obvious one, through a server."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from support.aws_backend import new_aws_backend
from support.cloudfront.faults import fail_with
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, Facade, Failure, failing, function, running_facade
from support.values import STORE_ARN


def test_an_unknown_operation_is_never_a_missing_key(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    unknown = fail_with("UnknownOperationException", 404)
    for operation in ("GetKey", "DeleteKey", "DescribeKeyValueStoreData"):
        cloudfront.always(operation, unknown)
    for failure in (
        failing(facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=store.arn, key="k")),
        failing(facade.key_values.DeleteKey, data.DeleteKeyRequest(kvs_arn=store.arn, key="k", etag="KV1234567890123")),
        failing(facade.key_values.DeleteKey, data.DeleteKeyRequest(kvs_arn=store.arn, key="k")),
    ):
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNIMPLEMENTED, "UPSTREAM_UNSUPPORTED")
        assert failure.outcome == "not_applied"


def test_authentication_failed_names_the_sts_endpoint_in_the_log(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudfront.script("GetKey", fail_with("AccessDeniedException", 403, "Authentication failed"))
    failure = failing(facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=store.arn, key="k"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "UPSTREAM_CREDENTIALS_INVALID")
    assert failure.message == "AWS rejected the facade's credentials"
    assert failure.retry_after is None
    assert "the session token may come from the global STS endpoint" in capsys.readouterr().out


@pytest.mark.usefixtures("aws_environment")
def test_an_endpoint_whose_name_does_not_resolve_is_unreachable() -> None:
    changes: dict[str, Callable[[Facade], Failure]] = {
        "CreateFunction": lambda facade: failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID)),
        "without request_id": lambda facade: failing(facade.functions.CreateFunction, function()),
        "PutKey": lambda facade: failing(
            facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v", etag="KV1234567890123")
        ),
        "GetKey": lambda facade: failing(facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=STORE_ARN, key="k")),
    }
    with running_facade(new_aws_backend(endpoint_url="http://cloudfront.invalid")) as facade:
        for name, change in changes.items():
            failure = change(facade)
            assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNREACHABLE"), name
            assert failure.outcome == "not_applied", name
            assert failure.retry_after is not None, name
