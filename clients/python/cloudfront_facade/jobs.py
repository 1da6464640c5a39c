"""Jobs that take more than one call, or a call that lasts. For asyncio, `aio` has the same.

Each takes a stub, of a `Client` or of any other channel, and raises `FacadeError` where a call fails.

Example:
    from cloudfront_facade import connect
    from cloudfront_facade.jobs import list_keys, put_many, wait_until_ready
    from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest

    with connect("127.0.0.1:50051") as facade:
        facade.key_value_stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="jobs-example"))
        store = wait_until_ready(facade.key_value_stores, "jobs-example")
        put_many(facade.key_values, store.arn, {"/old": "/new", "/older": "/new"})
        for item in list_keys(facade.key_values, store.arn):
            print(item.key, item.value)
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade._defaults import request_id_of
from cloudfront_facade.errors import FacadeError
from cloudfront_facade._request_writer import RequestWriter
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
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cloudfront_facade._helpers_sansio import Progress, Call, Workflow, T
    from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionSummary
    from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
    from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysResponse, KeyChange, KeyValue
    from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
    from cloudfront_facade.v1.key_value_store_service_pb2 import KeyValueStore
    from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub


def list_functions(
    functions: FunctionServiceStub,
    *,
    stage: FunctionStage.ValueType = FunctionStage.FUNCTION_STAGE_UNSPECIFIED,
    page_size: int = 0,
    timeout: float | None = None,
) -> Iterator[FunctionSummary]:
    """All functions that have a stage; pages are fetched as they are needed.

    Args:
        functions: The stub.
        stage: The stage; DEVELOPMENT, which every function has, where none is said.
        page_size: The most functions of one call; 0 for as many as CloudFront gives, 100.
        timeout: Seconds that one call may take; None for the client's default.
    """
    return _each(functions.ListFunctions, ListFunctionsRequest(stage=stage, page_size=page_size), "functions", timeout)


def list_key_value_stores(
    key_value_stores: KeyValueStoreServiceStub,
    *,
    status: str = "",
    page_size: int = 0,
    timeout: float | None = None,
) -> Iterator[KeyValueStore]:
    """All key value stores; pages are fetched as they are needed.

    Args:
        key_value_stores: The stub.
        status: Only stores of this status, for example `READY`; empty for all.
        page_size: The most stores of one call; 0 for as many as CloudFront gives, 100.
        timeout: Seconds that one call may take; None for the client's default.
    """
    return _each(
        key_value_stores.ListKeyValueStores,
        ListKeyValueStoresRequest(status=status, page_size=page_size),
        "key_value_stores",
        timeout,
    )


def list_keys(
    key_values: KeyValueStoreDataServiceStub,
    kvs_arn: str,
    *,
    page_size: int = LONGEST_PAGE_OF_KEYS,
    timeout: float | None = None,
) -> Iterator[KeyValue]:
    """All keys of a store with their values; pages are fetched as they are needed.

    Args:
        key_values: The stub.
        kvs_arn: The ARN of the store.
        page_size: The most keys of one call; CloudFront gives 50 at most.
        timeout: Seconds that one call may take; None for the client's default.
    """
    return _each(key_values.ListKeys, ListKeysRequest(kvs_arn=kvs_arn, page_size=page_size), "items", timeout)


def wait_until_ready(
    key_value_stores: KeyValueStoreServiceStub, name: str, *, timeout: float | None = None
) -> KeyValueStore:
    """Waits until a key value store is READY, and gives it. A server that goes away meanwhile is looked for again.

    Args:
        key_value_stores: The stub.
        name: The name of the store.
        timeout: Seconds to wait at most; None for half an hour.

    Raises:
        FacadeError: There is no such store; its import failed (reason KEY_VALUE_STORE_FAILED); or it was not READY in
            time, or no server there to say so: then it is what the last try was answered.
    """
    return _run(wait_until_ready_workflow(key_value_stores.WaitForKeyValueStore, name, timeout))


def create_and_publish(
    functions: FunctionServiceStub, request: CreateFunctionRequest, *, timeout: float | None = None
) -> FunctionSummary:
    """Creates a function with its tags, publishes it, and gives its LIVE stage.

    With a `request_id` of its own in the request, the whole can be repeated: the create is then answered with the
    function that is there. It is published again where its config and code are still the request's.

    Args:
        functions: The stub.
        request: The function. With `validate_only`, nothing is published either, and the summary is empty.
        timeout: Seconds that each of the calls may take; None for the client's default.

    Raises:
        FacadeError: A call failed, as its metadata's `operation` says. Where it was PublishFunction, a note has the
            etag that it takes.
        FunctionChangedError: The create was done before, and somebody changed the function since. It was not published.
    """
    return _run(create_and_publish_workflow(functions, request, timeout))


def put_many(
    key_values: KeyValueStoreDataServiceStub,
    kvs_arn: str,
    items: Mapping[str, str] | Iterable[tuple[str, str]],
    *,
    etag: str = "",
    progress: Progress | None = None,
    timeout: float | None = None,
) -> ImportKeysResponse:
    """Sets any number of keys, in one call. See `import_keys`, which can delete too.

    Args:
        key_values: The stub.
        kvs_arn: The ARN of the store.
        items: The keys and their values, read as they are sent.
        etag: The version of the store that is changed; empty for the one that it has.
        progress: Told after each request how many keys were handed to gRPC, and how many there are, or None.
        timeout: Seconds that all of it may take; None for the client's default, half an hour. Items that keep it
            waiting are not interrupted: that the call is over is seen when the next one comes.

    Raises:
        FacadeError: Keys may have been set before the failure: see its `applied_changes`, `unknown_changes`.
        TypeError: A key or a value is no str. The error names its place, as does the next one.
        ValueError: An item is no pair, or a text has a lone surrogate; or the client is closed.
    """
    changes = (put(index, item) for index, item in enumerate(pairs(items)))
    return import_keys(
        key_values, kvs_arn, changes, etag=etag, total=size_of(items), progress=progress, timeout=timeout
    )


def import_keys(
    key_values: KeyValueStoreDataServiceStub,
    kvs_arn: str,
    changes: Iterable[KeyChange],
    *,
    etag: str = "",
    total: int | None = None,
    progress: Progress | None = None,
    timeout: float | None = None,
) -> ImportKeysResponse:
    """Makes any number of changes in their order, in one call. They are applied as they come.

    It is never repeated by itself. To repeat it without an etag is harmless where nobody else writes the same keys.

    Args:
        key_values: The stub.
        kvs_arn: The ARN of the store.
        changes: The changes, read as they are sent, in the caller's thread. What they raise ends the call, with
            a note of how many were handed to gRPC before, which may have been applied.
        etag: The version of the store that is changed; empty for the one that it has.
        total: How many changes there are, for `progress`; None for `len(changes)`, where they have one.
        progress: Told after each request how many changes were handed to gRPC, which is ahead of what is applied, and
            how many there are, or None.
        timeout: Seconds that all of it may take; None for the client's default, half an hour. Changes that keep it
            waiting are not interrupted: that the call is over is seen when the next one comes.

    Raises:
        FacadeError: Changes may have been applied before the failure: see its `applied_changes`, `unknown_changes`.
        TypeError: A change is no KeyChange. The error names its place.
    """
    total = size_of(changes) if total is None else total
    packing, handing = ImportBatcher(kvs_arn, etag), ImportProgress(progress, total)
    with RequestWriter(key_values.ImportKeys, timeout) as sending:
        with handing:
            for change in changes:
                if sending.over:
                    break
                if full := packing.add(change):
                    if not sending.send(handing.count(full)):
                        break
                    handing.tell()
            else:
                if sending.send(handing.count(packing.rest())):
                    handing.tell()
        response: ImportKeysResponse = sending.response()
        return response


def _each(method: Callable[..., Any], request: Any, items: str, timeout: float | None) -> Iterator[Any]:
    while request is not None:
        response = _call(method, request, timeout)
        yield from getattr(response, items)
        request = next_page_request(request, response)


def _run(steps: Workflow[T]) -> T:
    go: Callable[[], Call | Sleep] = partial(next, steps)
    while True:
        try:
            step = go()
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(step, Sleep):
            time.sleep(step.seconds)
            go = partial(next, steps)
            continue
        try:
            go = partial(steps.send, _call(step.method, step.request, step.timeout))
        except FacadeError as error:
            go = partial(steps.throw, error)


def _call(method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
    try:
        return method(request, timeout=timeout)
    except FacadeError:
        raise
    except grpc.RpcError as error:
        raise FacadeError.of(error, request_id_of(request)) from error
