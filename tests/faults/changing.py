"""What the tests of changes have in common: a server over boto3 that gives up soon, and what is changed on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, function, running_facade

MakeBackend = Callable[..., AwsBackend]

LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
DEVELOPMENT = functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT
V2 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
CODE = b"function handler(event) { return event.request; } // 2"
UNKNOWN = (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_OUTCOME_UNKNOWN", "unknown")


@pytest.fixture
def facade(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> Iterator[Facade]:
    backend = aws_backend(cloudfront, read_timeout=0.5)
    with running_facade(backend, read_timeout=0.5, settle_timeout=0.4) as running:
        yield running


@pytest.fixture
def created(facade: Facade) -> functions.CreateFunctionResponse:
    return facade.functions.CreateFunction(function())


@pytest.fixture
def store(facade: Facade) -> stores.KeyValueStore:
    response = facade.stores.CreateKeyValueStore(stores.CreateKeyValueStoreRequest(name="redirects"))
    facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects"))
    return response.key_value_store


def updating(etag: str, code: bytes = CODE, **config: Any) -> functions.UpdateFunctionRequest:
    return functions.UpdateFunctionRequest(
        name="rewrite",
        etag=etag,
        function_config=functions.FunctionConfig(runtime=V2, **config),
        function_code=code,
    )


def describe(facade: Facade, stage: functions.FunctionStage.ValueType = LIVE) -> functions.DescribeFunctionResponse:
    return facade.functions.DescribeFunction(functions.DescribeFunctionRequest(name="rewrite", stage=stage))
