"""Deletions of functions and stores that are in use, and the names of the resources that use them."""

from __future__ import annotations

import time
from collections.abc import Callable

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from faults.changing import V2, describe, etag_of, publishing, updating
from support.cloudfront.faults import (
    Fault,
    delay,
    fail_with,
    hang,
    wrong_root,
)
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.state import distribution
from support.facade import Facade, failing, function


def test_the_error_of_a_function_in_use_names_its_distributions(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    using = [distribution(f"E{number}", arn) for number in range(3)]
    cloudfront.distributions.update({item["Id"]: item for item in [*using, distribution("EOTHER")]})
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


@pytest.mark.parametrize("fault", [lambda: fail_with("AccessDenied", 403), wrong_root, hang])
def test_a_function_in_use_is_reported_even_if_its_distributions_cannot_be_read(
    fault: Callable[[], Fault],
    cloudfront: CloudFrontDouble,
    facade: Facade,
    created: functions.CreateFunctionResponse,
) -> None:
    cloudfront.script("DeleteFunction", fail_with("FunctionInUse", 409))
    cloudfront.always("ListDistributions", fault())
    failure = failing(
        facade.functions.DeleteFunction, functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    )
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "FUNCTION_IN_USE")
    assert failure.details["PreconditionFailure"].violations[0].subject == "rewrite"
    cloudfront.release()


def test_the_error_names_no_distributions_if_their_read_hangs_and_arrives_before_the_deadline(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    cloudfront.script("DeleteFunction", fail_with("FunctionInUse", 409))
    cloudfront.always("ListDistributions", hang())
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    started = time.monotonic()
    failure = failing(facade.functions.DeleteFunction, request, timeout=0.9)
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "FUNCTION_IN_USE")
    assert time.monotonic() - started < 0.9
    assert failure.message == 'function "rewrite" is in use'


def test_the_error_of_a_store_in_use_names_its_functions(
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


def test_distributions_are_read_from_every_page(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.distributions.update({f"E{number:03}": distribution(f"E{number:03}") for number in range(120)})
    cloudfront.distributions["EZ"] = distribution("EZ", arn)
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    failure = failing(facade.functions.DeleteFunction, request)
    assert [violation.subject for violation in failure.details["PreconditionFailure"].violations] == ["distribution EZ"]
    assert cloudfront.count("ListDistributions") == 2


def test_reading_the_distributions_ends_before_the_deadline(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    arn = created.function_summary.function_metadata.function_arn
    cloudfront.distributions.update({f"E{number:03}": distribution(f"E{number:03}") for number in range(900)})
    cloudfront.distributions["EA"] = distribution("EA", arn)
    cloudfront.always("ListDistributions", delay(0.4))
    request = functions.DeleteFunctionRequest(name="rewrite", etag=created.etag)
    failure = failing(facade.functions.DeleteFunction, request, timeout=2.5)
    assert failure.reason == "FUNCTION_IN_USE"


def test_a_function_that_uses_a_store_only_in_its_live_stage_is_named(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    association = functions.KeyValueStoreAssociation(key_value_store_arn=store.arn)
    config = functions.FunctionConfig(runtime=V2, key_value_store_associations=[association])
    created = facade.functions.CreateFunction(function(function_config=config))
    facade.functions.PublishFunction(publishing(created.etag))
    facade.functions.UpdateFunction(updating(describe(facade, functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT).etag))
    request = stores.DeleteKeyValueStoreRequest(name=store.name, etag=etag_of(facade))
    failure = failing(facade.stores.DeleteKeyValueStore, request)
    assert [violation.subject for violation in failure.details["PreconditionFailure"].violations] == [
        "function rewrite (LIVE)"
    ]
