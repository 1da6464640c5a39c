"""Account ids that the caller does not know are redacted."""

from __future__ import annotations

from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from support.cloudfront.faults import (
    misstate,
)
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing


def test_the_reason_of_a_failed_import_has_no_account_ids_or_arns(
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


def test_the_error_of_a_wait_has_no_account_ids(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.always("DescribeKeyValueStoreData", misstate("FailureReason", "999988887777 may not read it"))
    cloudfront.always("DescribeKeyValueStore", misstate("Status", "PROVISIONING"))
    request = stores.WaitForKeyValueStoreRequest(name=store.name)
    failure = failing(facade.stores.WaitForKeyValueStore, request, timeout=10)
    assert failure.reason == "KEY_VALUE_STORE_FAILED"
    assert "may not read it" in failure.message
    assert "999988887777" not in str(failure)
