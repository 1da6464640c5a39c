"""A server with short timeouts for tests of changes, and the resources that the tests change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.faults import status_only
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, Failure, function, running_facade

MakeBackend = Callable[..., AwsBackend]
Replica = Callable[..., AbstractContextManager[Facade]]
"""Runs a server; takes the timeouts of its backend and the settings of `serve`."""

LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
DEVELOPMENT = functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT
V2 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
CODE = b"function handler(event) { return event.request; } // 2"
UNKNOWN = (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_OUTCOME_UNKNOWN", "unknown")
LOST = status_only(503)
"""A fault that applies nothing, but leaves the outcome unknown."""


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


def publishing(etag: str) -> functions.PublishFunctionRequest:
    return functions.PublishFunctionRequest(name="rewrite", etag=etag)


def etag_of(facade: Facade) -> str:
    return facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects")).etag


def status_of(failure: Failure) -> tuple[grpc.StatusCode, str, str]:
    return failure.code, failure.reason, failure.outcome
