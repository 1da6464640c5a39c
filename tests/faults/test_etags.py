"""The errors of etags: each echoes the etag that was sent, and names the rpc that returns the current one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from faults.changing import DEVELOPMENT, LIVE, describe, publishing, updating
from support.cloudfront.faults import Exchange, Hangup, fail_with, normally
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.stores import new_etag
from support.cloudfront.wire import HttpResponse
from support.facade import Facade, Failure, failing

OUTDATED = "E1OUTDATED"
MALFORMED = "not-an-etag"
PUT = data.KeyChange(put=data.KeyValue(key="k", value="v"))

CONTROL_PLANE: dict[str, tuple[str, str, Callable[[Facade, str], Any]]] = {
    "UpdateFunction": (
        'function "rewrite"',
        "DescribeFunction with stage DEVELOPMENT",
        lambda facade, etag: facade.functions.UpdateFunction(updating(etag)),
    ),
    "PublishFunction": (
        'function "rewrite"',
        "DescribeFunction with stage DEVELOPMENT",
        lambda facade, etag: facade.functions.PublishFunction(publishing(etag)),
    ),
    "DeleteFunction": (
        'function "rewrite"',
        "DescribeFunction with stage DEVELOPMENT",
        lambda facade, etag: facade.functions.DeleteFunction(
            functions.DeleteFunctionRequest(name="rewrite", etag=etag)
        ),
    ),
    "UpdateKeyValueStore": (
        'key value store "redirects"',
        "DescribeKeyValueStore",
        lambda facade, etag: facade.stores.UpdateKeyValueStore(
            stores.UpdateKeyValueStoreRequest(name="redirects", etag=etag, comment="new")
        ),
    ),
    "DeleteKeyValueStore": (
        'key value store "redirects"',
        "DescribeKeyValueStore",
        lambda facade, etag: facade.stores.DeleteKeyValueStore(
            stores.DeleteKeyValueStoreRequest(name="redirects", etag=etag)
        ),
    ),
}
"""For each operation: the resource in messages, the rpc that returns its etag, and a call with an etag."""

DATA_PLANE: dict[str, Callable[[Facade, str, str], Any]] = {
    "PutKey": lambda facade, arn, etag: facade.key_values.PutKey(
        data.PutKeyRequest(kvs_arn=arn, key="k", value="v", etag=etag)
    ),
    "DeleteKey": lambda facade, arn, etag: facade.key_values.DeleteKey(
        data.DeleteKeyRequest(kvs_arn=arn, key="k", etag=etag)
    ),
    "UpdateKeys": lambda facade, arn, etag: facade.key_values.UpdateKeys(
        data.UpdateKeysRequest(kvs_arn=arn, changes=[PUT], etag=etag)
    ),
    "ImportKeys": lambda facade, arn, etag: facade.key_values.ImportKeys(
        iter([data.ImportKeysRequest(kvs_arn=arn, changes=[PUT], etag=etag)])
    ),
}


def data_etag_of(facade: Facade, arn: str) -> str:
    request = data.DescribeKeyValueStoreDataRequest(kvs_arn=arn)
    return facade.key_values.DescribeKeyValueStoreData(request).etag


def assert_mismatch(failure: Failure, resource: str, source: str, etag: str = OUTDATED) -> None:
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert failure.message == (
        f'etag "{etag}" does not match the current version of {resource}; {source} returns the current etag'
    )
    assert (failure.metadata["etag"], failure.retry_after) == (etag, None)
    assert failure.details["PreconditionFailure"].violations[0].description == failure.message


def assert_invalid(failure: Failure, resource: str, source: str, etag: str = MALFORMED) -> None:
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ETAG_INVALID")
    problem = f'"{etag}" is not valid for {resource}; {source} returns the current etag'
    assert failure.message == f"etag {problem}"
    assert failure.metadata["etag"] == etag
    assert [(violation.field, violation.description) for violation in failure.violations] == [("etag", problem)]


@pytest.mark.usefixtures("created", "store")
@pytest.mark.parametrize("operation", CONTROL_PLANE)
def test_the_error_names_the_rpc_that_returns_the_etag_of_the_resource(operation: str, facade: Facade) -> None:
    resource, source, call = CONTROL_PLANE[operation]
    assert_mismatch(failing(call, facade, OUTDATED), resource, source)
    assert_invalid(failing(call, facade, MALFORMED), resource, source)


@pytest.mark.parametrize(("stage", "name"), [(DEVELOPMENT, "DEVELOPMENT"), (LIVE, "LIVE")])
def test_the_error_of_a_test_names_the_stage_whose_etag_it_requires(
    stage: functions.FunctionStage.ValueType,
    name: str,
    facade: Facade,
    created: functions.CreateFunctionResponse,
) -> None:
    facade.functions.PublishFunction(publishing(created.etag))
    other_etag = describe(facade, DEVELOPMENT if stage == LIVE else LIVE).etag
    for etag in (other_etag, MALFORMED):
        request = functions.TestFunctionRequest(name="rewrite", etag=etag, stage=stage, event_object=b"{}")
        failure = failing(facade.functions.TestFunction, request)
        assert_invalid(failure, 'function "rewrite"', f"DescribeFunction with stage {name}", etag)


@pytest.mark.parametrize("operation", DATA_PLANE)
def test_the_error_of_a_key_write_names_the_rpc_that_returns_the_etag_of_the_data(
    operation: str, facade: Facade, store: stores.KeyValueStore
) -> None:
    call, resource = DATA_PLANE[operation], f'key value store "{store.arn}"'
    DATA_PLANE["PutKey"](facade, store.arn, "")
    assert_mismatch(failing(call, facade, store.arn, OUTDATED), resource, "DescribeKeyValueStoreData")
    assert_invalid(failing(call, facade, store.arn, MALFORMED), resource, "DescribeKeyValueStoreData")


def test_a_long_etag_is_shortened_in_the_message(facade: Facade, store: stores.KeyValueStore) -> None:
    etag = "E" * 256
    failure = failing(DATA_PLANE["PutKey"], facade, store.arn, etag)
    assert failure.message.startswith(f'etag "{"E" * 32}..." is not valid for key value store')
    assert failure.metadata["etag"] == etag


def test_a_write_with_the_current_etag_is_not_rejected_because_of_it(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    etag = data_etag_of(facade, store.arn)
    cloudfront.script("PutKey", fail_with("ValidationException", 400, "the value is invalid"))
    failure = failing(DATA_PLANE["PutKey"], facade, store.arn, etag)
    assert failure.reason == "UPSTREAM_INVALID_ARGUMENT"
    assert [violation.field for violation in failure.violations] == [""]
    assert failure.message.endswith("the value is invalid")


def test_a_write_is_not_rejected_because_of_an_etag_that_cannot_be_compared(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.always("DescribeKeyValueStoreData", fail_with("AccessDeniedException", 403))
    assert failing(DATA_PLANE["PutKey"], facade, store.arn, MALFORMED).reason == "UPSTREAM_INVALID_ARGUMENT"


def test_a_write_is_not_rejected_because_of_an_etag_that_the_caller_did_not_send(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    def reject_after_another_write(exchange: Exchange) -> HttpResponse | Hangup:
        cloudfront.stores["redirects"].data_etag = "KVANOTHER"
        return exchange.error("ValidationException", 400, "the value is invalid")

    cloudfront.script("PutKey", reject_after_another_write)
    assert failing(DATA_PLANE["PutKey"], facade, store.arn, "").reason == "UPSTREAM_INVALID_ARGUMENT"


def test_an_outdated_etag_that_cloudfront_reports_as_invalid_is_an_etag_mismatch(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    DATA_PLANE["PutKey"](facade, store.arn, "")
    before = dict(cloudfront.stores["redirects"].items)
    for call in DATA_PLANE.values():
        failure = failing(call, facade, store.arn, OUTDATED)
        assert_mismatch(failure, f'key value store "{store.arn}"', "DescribeKeyValueStoreData")
        assert failure.metadata["aws_code"] == "ValidationException"
    assert cloudfront.stores["redirects"].items == before


@pytest.mark.parametrize("code", ["ValidationException", "ConflictException"])
def test_a_write_without_an_etag_reads_the_new_etag_and_goes_on(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore, code: str
) -> None:
    def write_from_outside(exchange: Exchange) -> HttpResponse | Hangup:
        cloudfront.stores["redirects"].data_etag = new_etag("KV")
        return exchange.response() if code == "ValidationException" else exchange.error(code, 409, "")

    DATA_PLANE["PutKey"](facade, store.arn, "")
    for name, call in DATA_PLANE.items():
        operation = "UpdateKeys" if name == "ImportKeys" else name
        before = cloudfront.count(operation)
        cloudfront.script(operation, write_from_outside, write_from_outside)
        call(facade, store.arn, "")
        assert cloudfront.count(operation) - before == 3
        DATA_PLANE["PutKey"](facade, store.arn, "")

    def imported() -> Iterator[data.ImportKeysRequest]:
        for number in range(150):
            put = data.KeyChange(put=data.KeyValue(key=f"k{number}", value="v"))
            yield data.ImportKeysRequest(kvs_arn=store.arn if number == 0 else "", changes=[put])

    before = cloudfront.count("UpdateKeys")
    cloudfront.script("UpdateKeys", normally(), write_from_outside)
    assert facade.key_values.ImportKeys(imported()).applied_changes == 150
    assert cloudfront.count("UpdateKeys") - before == 4, "the second of three batches is sent twice"
    assert {f"k{number}" for number in range(150)} <= cloudfront.stores["redirects"].items.keys()


def test_an_etag_that_the_caller_did_not_send_is_not_echoed(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.always("PutKey", fail_with("ConflictException", 409))
    failure = failing(facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=store.arn, key="k", value="v"), timeout=20)
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert failure.message == f'other callers wrote to key value store "{store.arn}" during each of 8 attempts; retry'
    assert failure.details["PreconditionFailure"].violations[0].description == failure.message
    assert "etag" not in failure.metadata
    assert failure.retry_after == 1.0


def test_a_mismatch_between_batches_does_not_echo_an_etag(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    cloudfront.script("UpdateKeys", normally(), fail_with("ConflictException", 409))
    changes = [data.KeyChange(put=data.KeyValue(key=f"k{number}", value="v")) for number in range(100)]
    request = data.UpdateKeysRequest(kvs_arn=store.arn, changes=changes, etag=data_etag_of(facade, store.arn))
    failure = failing(facade.key_values.UpdateKeys, request)
    assert (failure.code, failure.reason, failure.outcome) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", "partial")
    assert failure.message == (
        f'another caller wrote to key value store "{store.arn}" after the previous batch; '
        "DescribeKeyValueStoreData returns the current etag"
    )
    assert (failure.metadata["applied_changes"], "etag" in failure.metadata) == ("50", False)
    assert cloudfront.count("UpdateKeys") == 2
