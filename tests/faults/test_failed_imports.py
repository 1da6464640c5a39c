"""A store whose import failed never becomes READY: every rpc that needs it returns the reason and no retry delay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from faults.changing import V2, MakeBackend
from support.cloudfront.faults import fail_with
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, Facade, failing, function, running_facade

ETAG: Final = "KV1234567890A"
REASON: Final = "the import file does not exist"


@dataclass(frozen=True)
class Failed:
    """A server, and a store whose import failed."""

    facade: Facade
    arn: str
    function_etag: str

    @property
    def associated(self) -> functions.FunctionConfig:
        """A function's configuration with the store."""
        association = functions.KeyValueStoreAssociation(key_value_store_arn=self.arn)
        return functions.FunctionConfig(runtime=V2, key_value_store_associations=[association])

    def change(self) -> data.KeyChange:
        """A change of a key."""
        return data.KeyChange(put=data.KeyValue(key="k", value="v"))


def prepare(facade: Facade, *, source: str = "") -> Failed:
    imported = stores.ImportSource(source_type=stores.ImportSourceType.IMPORT_SOURCE_TYPE_S3, source_arn=source)
    request = stores.CreateKeyValueStoreRequest(name="redirects", import_source=imported if source else None)
    store = facade.stores.CreateKeyValueStore(request).key_value_store
    return Failed(facade, store.arn, facade.functions.CreateFunction(function("existing")).etag)


@pytest.fixture(params=["aws", "aws, still PROVISIONING", "embedded"])
def failed(
    request: pytest.FixtureRequest, cloudfront: CloudFrontDouble, aws_backend: MakeBackend, tmp_path: Path
) -> Iterator[Failed]:
    if request.param == "embedded":
        with running_facade(EmbeddedBackend(path=":memory:", s3_dir=tmp_path, provisioning_seconds=0)) as facade:
            yield prepare(facade, source="arn:aws:s3:::bucket/missing")
        return
    with running_facade(aws_backend(cloudfront)) as facade:
        prepared = prepare(facade)
        cloudfront.stores["redirects"].failure = REASON
        cloudfront.provisioning_seconds = 3600.0 if "PROVISIONING" in request.param else 0.0
        yield prepared


CALLS: Final[dict[str, Callable[[Failed], Any]]] = {
    "GetKey": lambda at: at.facade.key_values.GetKey(data.GetKeyRequest(kvs_arn=at.arn, key="k")),
    "ListKeys": lambda at: at.facade.key_values.ListKeys(data.ListKeysRequest(kvs_arn=at.arn)),
    "PutKey": lambda at: at.facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=at.arn, key="k", value="v")),
    "PutKey with an etag": lambda at: at.facade.key_values.PutKey(
        data.PutKeyRequest(kvs_arn=at.arn, key="k", value="v", etag=ETAG)
    ),
    "DeleteKey": lambda at: at.facade.key_values.DeleteKey(data.DeleteKeyRequest(kvs_arn=at.arn, key="k")),
    "UpdateKeys": lambda at: at.facade.key_values.UpdateKeys(
        data.UpdateKeysRequest(kvs_arn=at.arn, changes=[at.change()])
    ),
    "UpdateKeys with an etag": lambda at: at.facade.key_values.UpdateKeys(
        data.UpdateKeysRequest(kvs_arn=at.arn, changes=[at.change()], etag=ETAG)
    ),
    "ImportKeys": lambda at: at.facade.key_values.ImportKeys(
        iter([data.ImportKeysRequest(kvs_arn=at.arn, changes=[at.change()])])
    ),
    "CreateFunction": lambda at: at.facade.functions.CreateFunction(function(function_config=at.associated)),
    "CreateFunction with a request_id": lambda at: at.facade.functions.CreateFunction(
        function(function_config=at.associated, request_id=REQUEST_ID)
    ),
    "validate_only": lambda at: at.facade.functions.CreateFunction(
        function(function_config=at.associated, validate_only=True)
    ),
    "UpdateFunction": lambda at: at.facade.functions.UpdateFunction(
        functions.UpdateFunctionRequest(
            name="existing", etag=at.function_etag, function_config=at.associated, function_code=b"// 2"
        )
    ),
    "WaitForKeyValueStore": lambda at: at.facade.stores.WaitForKeyValueStore(
        stores.WaitForKeyValueStoreRequest(name="redirects"), timeout=10
    ),
}


def test_every_rpc_that_needs_the_store_returns_the_reason_and_no_retry_delay(
    failed: Failed, request: pytest.FixtureRequest
) -> None:
    calls = dict(CALLS)
    if request.node.callspec.params["failed"] == "aws":
        del calls["WaitForKeyValueStore"]  # The control plane shows the store as READY.
    for name, call in calls.items():
        failure = failing(call, failed)
        assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "KEY_VALUE_STORE_FAILED"), name
        assert (failure.outcome, failure.retry_after, failure.pushback) == ("not_applied", None, None), name
        assert "import file" in failure.metadata["failure_reason"], name
        assert failure.metadata["failure_reason"] in failure.message, name
        assert f'"{failed.arn}"' in failure.message or '"redirects"' in failure.message, name
        assert failure.details["PreconditionFailure"].violations[0].type == "KEY_VALUE_STORE_FAILED", name


@pytest.mark.parametrize("code", ["ConflictException", "ValidationException", "ResourceNotFoundException"])
def test_the_reason_does_not_depend_on_the_code_of_the_rejection(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, code: str
) -> None:
    with running_facade(aws_backend(cloudfront)) as facade:
        at = prepare(facade)
        cloudfront.stores["redirects"].failure = REASON
        for operation in ("GetKey", "ListKeys", "PutKey", "UpdateKeys"):
            cloudfront.always(operation, fail_with(code, 404 if "NotFound" in code else 400, "not in expected state"))
        for name in ("GetKey", "ListKeys", "PutKey with an etag", "UpdateKeys with an etag"):
            assert failing(CALLS[name], at).reason == "KEY_VALUE_STORE_FAILED", name


def test_an_association_that_is_too_early_can_be_repeated_although_the_store_is_shown_as_ready(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    with running_facade(aws_backend(cloudfront)) as facade:
        at = prepare(facade)
        text = f"KeyValueStore {at.arn} cannot be associated before the resource is provisioned."
        for operation in ("CreateFunction", "UpdateFunction"):
            cloudfront.always(operation, fail_with("InvalidArgument", 400, text))
        for name in ("CreateFunction", "CreateFunction with a request_id", "UpdateFunction"):
            failure = failing(CALLS[name], at)
            assert (failure.code, failure.reason) == (
                grpc.StatusCode.FAILED_PRECONDITION,
                "KEY_VALUE_STORE_NOT_READY",
            ), name
            assert failure.outcome == "not_applied", name
            assert failure.retry_after, name
