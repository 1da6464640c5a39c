"""Properties of all jobs: they take stubs of any channel, and have the same signatures for asyncio."""

from __future__ import annotations

import asyncio
import inspect

import grpc
import pytest

from client.canned import FUNCTION_CREATED, Canned, error_status, info, running_server
from cloudfront_facade import FacadeError, aio, connect, jobs
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade.v1.tag_pb2 import Tag
from support.messages import keys

ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"
NOT_FOUND = error_status(grpc.StatusCode.NOT_FOUND, "no", info("KEY_VALUE_STORE_NOT_FOUND"))
READY = stores.WaitForKeyValueStoreResponse(key_value_store=stores.KeyValueStore(name="redirects", status="READY"))
REQUEST = functions.CreateFunctionRequest(
    name="rewrite", function_code=b"code", tags=[Tag(key="team", value="web")], request_id="an-id"
)
PUBLISHED = functions.PublishFunctionResponse(function_summary=functions.FunctionSummary(name="rewrite", status="X"))


def test_jobs_take_stubs_of_any_channel() -> None:
    arguments = {"timeout": 5.0}
    servicer = Canned(FUNCTION_CREATED, PUBLISHED, READY, keys("a"), data.ImportKeysResponse(etag="E3"))
    with running_server(servicer) as target, grpc.insecure_channel(target) as channel:
        key_values = KeyValueStoreDataServiceStub(channel)
        assert jobs.create_and_publish(FunctionServiceStub(channel), REQUEST, **arguments).name == "rewrite"
        assert jobs.wait_until_ready(KeyValueStoreServiceStub(channel), "redirects", **arguments).status == "READY"
        assert [item.key for item in jobs.list_keys(key_values, ARN)] == ["a"]
        assert jobs.put_many(key_values, ARN, {"a": "1"}).etag == "E3"


async def errors_of_asyncio_stubs(target: str) -> list[FacadeError]:
    caught = []
    async with grpc.aio.insecure_channel(target) as channel:
        for job in (
            aio.create_and_publish(FunctionServiceStub(channel), REQUEST),
            aio.put_many(KeyValueStoreDataServiceStub(channel), ARN, {"a": "1"}),
        ):
            with pytest.raises(FacadeError) as error:
                await job
            caught.append(error.value)
    return caught


def test_jobs_raise_typed_errors_with_stubs_of_any_channel() -> None:
    with running_server(Canned(*[NOT_FOUND] * 4)) as target, grpc.insecure_channel(target) as channel:
        with pytest.raises(FacadeError) as create:
            jobs.create_and_publish(FunctionServiceStub(channel), REQUEST)
        with pytest.raises(FacadeError) as put:
            jobs.put_many(KeyValueStoreDataServiceStub(channel), ARN, {"a": "1"})
        caught = [create.value, put.value, *asyncio.run(errors_of_asyncio_stubs(target))]
    assert {error.reason for error in caught} == {"KEY_VALUE_STORE_NOT_FOUND"}
    assert [error.request_id for error in caught] == ["an-id", "", "an-id", ""]


def test_the_jobs_of_both_clients_have_the_same_signatures() -> None:
    for name in set(aio.__all__) - {"Client"}:
        blocking = connect if name == "connect" else getattr(jobs, name)
        assert list(inspect.signature(getattr(aio, name)).parameters) == list(inspect.signature(blocking).parameters)
        defaults = [parameter.default for parameter in inspect.signature(getattr(aio, name)).parameters.values()]
        assert defaults == [parameter.default for parameter in inspect.signature(blocking).parameters.values()]
