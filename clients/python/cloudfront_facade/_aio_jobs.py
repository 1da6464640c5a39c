"""The helpers of `jobs` for asyncio, exported by `aio`. `jobs` documents their arguments and errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable
from contextlib import aclosing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade._aio_request_writer import AioRequestWriter
from cloudfront_facade._argument_checks import check_seconds
from cloudfront_facade._defaults import request_id_of
from cloudfront_facade._helpers_sansio import (
    MAX_KEYS_PAGE_SIZE,
    Sleep,
    create_and_publish_workflow,
    list_functions_request,
    list_key_value_stores_request,
    list_keys_request,
    next_page_request,
    wait_until_ready_workflow,
)
from cloudfront_facade._imports_sansio import (
    ImportBatcher,
    ImportProgress,
    check_changes,
    pairs,
    put_change,
    size_of,
)
from cloudfront_facade._request_checks import check_stub
from cloudfront_facade.errors import FacadeError
from cloudfront_facade.v1.function_service_pb2 import FunctionStage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping

    from cloudfront_facade._helpers_sansio import Call, T, Workflow
    from cloudfront_facade.progress import Progress
    from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionSummary
    from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceAsyncStub
    from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysResponse, KeyChange, KeyValue
    from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceAsyncStub
    from cloudfront_facade.v1.key_value_store_service_pb2 import KeyValueStore
    from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceAsyncStub

# ruff: noqa: ASYNC109 (gRPC enforces the timeout of a call)

MAX_BLOCKING_SECONDS = 0.05
"""How long a synchronous source may run before it yields to the event loop, which can then notice the call's end."""


def list_functions(
    functions: FunctionServiceAsyncStub,
    *,
    stage: FunctionStage.ValueType = FunctionStage.FUNCTION_STAGE_UNSPECIFIED,
    page_size: int = 0,
    timeout: float | None = None,
) -> AsyncIterator[FunctionSummary]:
    """Yields all functions that have a stage. Pages are fetched on demand."""
    check_stub("functions", functions, "ListFunctions", asynchronous=True)
    return _pages(functions.ListFunctions, list_functions_request(stage, page_size), "functions", timeout)


def list_key_value_stores(
    key_value_stores: KeyValueStoreServiceAsyncStub,
    *,
    status: str = "",
    page_size: int = 0,
    timeout: float | None = None,
) -> AsyncIterator[KeyValueStore]:
    """Yields all key value stores. Pages are fetched on demand."""
    check_stub("key_value_stores", key_value_stores, "ListKeyValueStores", asynchronous=True)
    return _pages(
        key_value_stores.ListKeyValueStores,
        list_key_value_stores_request(status, page_size),
        "key_value_stores",
        timeout,
    )


def list_keys(
    key_values: KeyValueStoreDataServiceAsyncStub,
    kvs_arn: str,
    *,
    page_size: int = MAX_KEYS_PAGE_SIZE,
    timeout: float | None = None,
) -> AsyncIterator[KeyValue]:
    """Yields all keys of a store with their values. Pages are fetched on demand."""
    check_stub("key_values", key_values, "ListKeys", asynchronous=True)
    return _pages(key_values.ListKeys, list_keys_request(kvs_arn, page_size), "items", timeout)


async def wait_until_ready(
    key_value_stores: KeyValueStoreServiceAsyncStub, name: str, *, timeout: float | None = None
) -> KeyValueStore:
    """Waits until a key value store is READY, and returns it. The wait continues if the server restarts."""
    check_stub("key_value_stores", key_value_stores, "WaitForKeyValueStore", asynchronous=True)
    return await _run(wait_until_ready_workflow(key_value_stores.WaitForKeyValueStore, name, timeout))


async def create_and_publish(
    functions: FunctionServiceAsyncStub, request: CreateFunctionRequest, *, timeout: float | None = None
) -> FunctionSummary:
    """Creates a function with its tags, publishes it, and returns its LIVE stage."""
    check_stub("functions", functions, "CreateFunction", asynchronous=True)
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
    """Sets any number of keys in one call. The items may be an asynchronous iterable; see `import_keys`."""
    changes = (
        _puts(items)
        if isinstance(items, AsyncIterable)
        else (put_change(index, item) for index, item in enumerate(pairs(items)))
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
    """Makes any number of changes, in order, in one call. The changes may be an asynchronous iterable.

    If the call ends early, a CancelledError is raised at the current await of an asynchronous iterable. The iterable is
    always closed if it has `aclose`. An iterable that blocks is not interrupted.
    """
    check_stub("key_values", key_values, "ImportKeys", asynchronous=True)
    check_changes(changes)
    check_seconds("timeout", timeout)
    batcher = ImportBatcher(kvs_arn, etag)
    counter = ImportProgress(progress, size_of(changes) if total is None else total)
    async with AioRequestWriter(key_values.ImportKeys, timeout) as writer:
        with counter:
            async with aclosing(_iterate(changes)) as iterator, writer.until_done():
                async for change in iterator:
                    if request := batcher.add(change):
                        if not await writer.write(counter.count(request)):
                            break
                        batcher.sent()
                        counter.report()
                else:
                    if (rest := batcher.rest()) and await writer.write(counter.count(rest)):
                        counter.report()
        response: ImportKeysResponse = await writer.response()
        return response


async def _puts(items: AsyncIterable[tuple[str, str]]) -> AsyncGenerator[KeyChange, None]:
    index = count()
    async with aclosing(_iterate(items)) as iterator:
        async for item in iterator:
            yield put_change(next(index), item)


async def _iterate(source: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[T, None]:
    if isinstance(source, AsyncIterable):
        iterator = aiter(source)
        try:
            async for item in iterator:
                yield item
        finally:
            if close := getattr(iterator, "aclose", None):
                await close()
    else:
        resumed = time.monotonic()
        for item in source:
            if time.monotonic() - resumed > MAX_BLOCKING_SECONDS:
                await asyncio.sleep(0)
                resumed = time.monotonic()
            yield item


async def _pages(method: Callable[..., Any], request: Any, items: str, timeout: float | None) -> AsyncIterator[Any]:
    while request is not None:
        response = await _call(method, request, timeout)
        for item in getattr(response, items):
            yield item
        request = next_page_request(request, response)


async def _run(workflow: Workflow[T]) -> T:
    advance: Callable[[], Call | Sleep] = partial(next, workflow)
    while True:
        try:
            step = advance()
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(step, Sleep):
            await asyncio.sleep(step.seconds)
            advance = partial(next, workflow)
            continue
        try:
            advance = partial(workflow.send, await _call(step.method, step.request, step.timeout))
        except FacadeError as error:
            advance = partial(workflow.throw, error)


async def _call(method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
    try:
        return await method(request, timeout=timeout)
    except FacadeError:
        raise
    except grpc.RpcError as error:
        raise FacadeError.of(error, request_id_of(request)) from error
