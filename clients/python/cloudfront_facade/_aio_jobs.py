"""The jobs of `jobs`, to be awaited; `aio` names them. Arguments and errors are the same, and are explained there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable
from contextlib import aclosing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade._aio_calls import AioRequestWriter
from cloudfront_facade._defaults import request_id_of
from cloudfront_facade.errors import FacadeError
from cloudfront_facade._helpers_sansio import (
    LONGEST_PAGE_OF_KEYS,
    ImportProgress,
    ImportBatcher,
    Sleep,
    create_and_publish_workflow,
    next_page_request,
    pairs,
    put,
    size_of,
    wait_until_ready_workflow,
)
from cloudfront_facade.v1.function_service_pb2 import FunctionStage, ListFunctionsRequest
from cloudfront_facade.v1.key_value_store_data_service_pb2 import ListKeysRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import ListKeyValueStoresRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping

    from cloudfront_facade._helpers_sansio import Progress, Call, Workflow, T
    from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionSummary
    from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceAsyncStub
    from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysResponse, KeyChange, KeyValue
    from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceAsyncStub
    from cloudfront_facade.v1.key_value_store_service_pb2 import KeyValueStore
    from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceAsyncStub

# ruff: noqa: ASYNC109 (the time that a call may take is a matter of gRPC)

LONGEST_BLIND = 0.05
"""Seconds after which a source that does not come asynchronously lets the event loop see whether the call is over."""


def list_functions(
    functions: FunctionServiceAsyncStub,
    *,
    stage: FunctionStage.ValueType = FunctionStage.FUNCTION_STAGE_UNSPECIFIED,
    page_size: int = 0,
    timeout: float | None = None,
) -> AsyncIterator[FunctionSummary]:
    """All functions that have a stage; pages are fetched as they are needed."""
    return _each(functions.ListFunctions, ListFunctionsRequest(stage=stage, page_size=page_size), "functions", timeout)


def list_key_value_stores(
    key_value_stores: KeyValueStoreServiceAsyncStub,
    *,
    status: str = "",
    page_size: int = 0,
    timeout: float | None = None,
) -> AsyncIterator[KeyValueStore]:
    """All key value stores; pages are fetched as they are needed."""
    return _each(
        key_value_stores.ListKeyValueStores,
        ListKeyValueStoresRequest(status=status, page_size=page_size),
        "key_value_stores",
        timeout,
    )


def list_keys(
    key_values: KeyValueStoreDataServiceAsyncStub,
    kvs_arn: str,
    *,
    page_size: int = LONGEST_PAGE_OF_KEYS,
    timeout: float | None = None,
) -> AsyncIterator[KeyValue]:
    """All keys of a store with their values; pages are fetched as they are needed."""
    return _each(key_values.ListKeys, ListKeysRequest(kvs_arn=kvs_arn, page_size=page_size), "items", timeout)


async def wait_until_ready(
    key_value_stores: KeyValueStoreServiceAsyncStub, name: str, *, timeout: float | None = None
) -> KeyValueStore:
    """Waits until a key value store is READY, and gives it. A server that goes away meanwhile is looked for again."""
    return await _run(wait_until_ready_workflow(key_value_stores.WaitForKeyValueStore, name, timeout))


async def create_and_publish(
    functions: FunctionServiceAsyncStub, request: CreateFunctionRequest, *, timeout: float | None = None
) -> FunctionSummary:
    """Creates a function with its tags, publishes it, and gives its LIVE stage."""
    return await _run(create_and_publish_workflow(functions, request, timeout))


async def put_many(
    key_values: KeyValueStoreDataServiceAsyncStub,
    kvs_arn: str,
    items: Mapping[str, str] | Iterable[tuple[str, str]] | AsyncIterable[tuple[str, str]],
    *,
    etag: str = "",
    progress: Progress | None = None,
    timeout: float | None = None,
) -> ImportKeysResponse:
    """Sets any number of keys, in one call. Items may come asynchronously, and see `import_keys`."""
    changes = (
        _puts(items)
        if isinstance(items, AsyncIterable)
        else (put(index, item) for index, item in enumerate(pairs(items)))
    )
    return await import_keys(
        key_values, kvs_arn, changes, etag=etag, total=size_of(items), progress=progress, timeout=timeout
    )


async def import_keys(
    key_values: KeyValueStoreDataServiceAsyncStub,
    kvs_arn: str,
    changes: Iterable[KeyChange] | AsyncIterable[KeyChange],
    *,
    etag: str = "",
    total: int | None = None,
    progress: Progress | None = None,
    timeout: float | None = None,
) -> ImportKeysResponse:
    """Makes any number of changes in their order, in one call. Changes may come asynchronously.

    Where the call ends first, at its deadline or refused, an asynchronous source is interrupted by CancelledError where
    it waits. In any case it is closed at the end, where it has `aclose`. A source that blocks is not interrupted.
    """
    total = size_of(changes) if total is None else total
    packing, handing = ImportBatcher(kvs_arn, etag), ImportProgress(progress, total)
    async with AioRequestWriter(key_values.ImportKeys, timeout) as sending:
        with handing:
            async with aclosing(_each_of(changes)) as each, sending.until_over():
                async for change in each:
                    if full := packing.add(change):
                        if not await sending.send(handing.count(full)):
                            break
                        handing.tell()
                else:
                    if await sending.send(handing.count(packing.rest())):
                        handing.tell()
        response: ImportKeysResponse = await sending.response()
        return response


async def _puts(items: AsyncIterable[tuple[str, str]]) -> AsyncGenerator[KeyChange, None]:
    places = count()
    async with aclosing(_each_of(items)) as each:
        async for item in each:
            yield put(next(places), item)


async def _each_of(source: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[T, None]:
    if isinstance(source, AsyncIterable):
        iterator = aiter(source)
        try:
            async for item in iterator:
                yield item
        finally:
            if close := getattr(iterator, "aclose", None):
                await close()
    else:
        looked = time.monotonic()
        for item in source:
            if time.monotonic() - looked > LONGEST_BLIND:
                await asyncio.sleep(0)
                looked = time.monotonic()
            yield item


async def _each(method: Callable[..., Any], request: Any, items: str, timeout: float | None) -> AsyncIterator[Any]:
    while request is not None:
        response = await _call(method, request, timeout)
        for item in getattr(response, items):
            yield item
        request = next_page_request(request, response)


async def _run(steps: Workflow[T]) -> T:
    go: Callable[[], Call | Sleep] = partial(next, steps)
    while True:
        try:
            step = go()
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(step, Sleep):
            await asyncio.sleep(step.seconds)
            go = partial(next, steps)
            continue
        try:
            go = partial(steps.send, await _call(step.method, step.request, step.timeout))
        except FacadeError as error:
            go = partial(steps.throw, error)


async def _call(method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
    try:
        return await method(request, timeout=timeout)
    except FacadeError:
        raise
    except grpc.RpcError as error:
        raise FacadeError.of(error, request_id_of(request)) from error
