"""Helpers for tasks that take several calls, or one long call. `aio` has the same ones for asyncio.

Each takes a stub, of a `Client` or of any other channel. It raises `FacadeError` if a call fails, and TypeError if an
argument has a wrong type.

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
from cloudfront_facade._request_writer import RequestWriter
from cloudfront_facade.errors import FacadeError
from cloudfront_facade.v1.function_service_pb2 import FunctionStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cloudfront_facade._helpers_sansio import Call, T, Workflow
    from cloudfront_facade.progress import Progress
    from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionSummary
    from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
    from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysResponse, KeyChange, KeyValue
    from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
    from cloudfront_facade.v1.key_value_store_service_pb2 import KeyValueStore
    from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub

__all__ = [
    "create_and_publish",
    "import_keys",
    "list_functions",
    "list_key_value_stores",
    "list_keys",
    "put_many",
    "wait_until_ready",
]


def list_functions(
    functions: FunctionServiceStub,
    *,
    stage: FunctionStage.ValueType = FunctionStage.FUNCTION_STAGE_UNSPECIFIED,
    page_size: int = 0,
    timeout: float | None = None,
) -> Iterator[FunctionSummary]:
    """Yields all functions that have a stage. Pages are fetched on demand.

    Args:
        functions: The stub.
        stage: The stage. The default is DEVELOPMENT, which every function has.
        page_size: The maximum number of functions per call; 0 for CloudFront's default of 100.
        timeout: Seconds that one call may take; None for the client's default.
    """
    check_stub("functions", functions, "ListFunctions")
    return _pages(functions.ListFunctions, list_functions_request(stage, page_size), "functions", timeout)


def list_key_value_stores(
    key_value_stores: KeyValueStoreServiceStub,
    *,
    status: str = "",
    page_size: int = 0,
    timeout: float | None = None,
) -> Iterator[KeyValueStore]:
    """Yields all key value stores. Pages are fetched on demand.

    Args:
        key_value_stores: The stub.
        status: Only stores with this status, for example `READY`; empty for all.
        page_size: The maximum number of stores per call; 0 for CloudFront's default of 100.
        timeout: Seconds that one call may take; None for the client's default.
    """
    check_stub("key_value_stores", key_value_stores, "ListKeyValueStores")
    return _pages(
        key_value_stores.ListKeyValueStores,
        list_key_value_stores_request(status, page_size),
        "key_value_stores",
        timeout,
    )


def list_keys(
    key_values: KeyValueStoreDataServiceStub,
    kvs_arn: str,
    *,
    page_size: int = MAX_KEYS_PAGE_SIZE,
    timeout: float | None = None,
) -> Iterator[KeyValue]:
    """Yields all keys of a store with their values. Pages are fetched on demand.

    Args:
        key_values: The stub.
        kvs_arn: The ARN of the store.
        page_size: The maximum number of keys per call; CloudFront returns at most 50.
        timeout: Seconds that one call may take; None for the client's default.
    """
    check_stub("key_values", key_values, "ListKeys")
    return _pages(key_values.ListKeys, list_keys_request(kvs_arn, page_size), "items", timeout)


def wait_until_ready(
    key_value_stores: KeyValueStoreServiceStub, name: str, *, timeout: float | None = None
) -> KeyValueStore:
    """Waits until a key value store is READY, and returns it. The wait continues if the server restarts.

    Args:
        key_value_stores: The stub.
        name: The name of the store.
        timeout: Seconds to wait at most; None for half an hour.

    Raises:
        FacadeError: The store does not exist; its import failed (reason KEY_VALUE_STORE_FAILED); it was not READY in
            time; or no server was reachable. In the last two cases, it is the error of the last attempt.
    """
    check_stub("key_value_stores", key_value_stores, "WaitForKeyValueStore")
    return _run(wait_until_ready_workflow(key_value_stores.WaitForKeyValueStore, name, timeout))


def create_and_publish(
    functions: FunctionServiceStub, request: CreateFunctionRequest, *, timeout: float | None = None
) -> FunctionSummary:
    """Creates a function with its tags, publishes it, and returns its LIVE stage.

    If the request has its own `request_id`, the whole job can be retried: the create then returns the existing
    function, which is published if its config and code still match the request.

    Args:
        functions: The stub.
        request: The function. With `validate_only`, nothing is published either, and the summary is empty.
        timeout: Seconds that each call may take; None for the client's default.

    Raises:
        FacadeError: A call failed; `operation` in its metadata is the call. If PublishFunction failed, a note has the
            etag to publish.
        FunctionChangedError: An earlier request created the function, and somebody changed it since. It was not
            published.
        TypeError: The request is not a CreateFunctionRequest.
    """
    check_stub("functions", functions, "CreateFunction")
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
    """Sets any number of keys in one call. `import_keys` can delete keys too.

    Args:
        key_values: The stub.
        kvs_arn: The ARN of the store.
        items: The keys and their values, read while they are sent. If they come slowly, they are sent every five
            seconds. If no item comes for the server's --max-stream-silence, the call ends with STREAM_STALLED.
        etag: The version of the store to change; empty for the current one.
        progress: Called after each request with the number of keys that were handed to gRPC, and their total or None.
        timeout: Seconds that the call may take; None for the client's default, half an hour. An iterator that blocks is
            not interrupted: the end of the call is noticed at the next item.

    Raises:
        FacadeError: The call failed. Some keys may have been set: see `applied_changes` and `unknown_changes`. An empty
            import has one violation, with the reason CHANGES_COUNT.
        TypeError: A key or a value is not a str. The error has its index.
        ValueError: An item is not a pair, or a text has a lone surrogate; the error has its index. Or the client is
            closed.
    """
    changes = (put_change(index, item) for index, item in enumerate(pairs(items)))
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
    """Makes any number of changes, in order, in one call. They are applied as they arrive.

    The call is never retried automatically. Retrying it without an etag is safe if nobody else writes the same keys.

    Args:
        key_values: The stub.
        kvs_arn: The ARN of the store.
        changes: The changes, read while they are sent, in the caller's thread. An exception of the iterator ends the
            call. A note has the number of changes that were handed to gRPC and may have been applied. If changes come
            slowly, they are sent every five seconds. If no change comes for the server's --max-stream-silence, the call
            ends with STREAM_STALLED.
        etag: The version of the store to change; empty for the current one.
        total: The number of changes, for `progress`; None for `len(changes)`, if it has a length.
        progress: Called after each request with the number of changes that were handed to gRPC, which is ahead of what
            is applied, and their total or None.
        timeout: Seconds that the call may take; None for the client's default, half an hour. An iterator that blocks is
            not interrupted: the end of the call is noticed at the next change.

    Raises:
        FacadeError: The call failed. Some changes may have been applied: see `applied_changes` and `unknown_changes`.
            An empty import has one violation, with the reason CHANGES_COUNT.
        TypeError: A change is not a KeyChange. The error has its index.
    """
    check_stub("key_values", key_values, "ImportKeys")
    check_changes(changes)
    check_seconds("timeout", timeout)
    batcher = ImportBatcher(kvs_arn, etag)
    counter = ImportProgress(progress, size_of(changes) if total is None else total)
    with RequestWriter(key_values.ImportKeys, timeout) as writer:
        with counter:
            for change in changes:
                if writer.done:
                    break
                if request := batcher.add(change):
                    if not writer.write(counter.count(request)):
                        break
                    batcher.sent()
                    counter.report()
            else:
                if (rest := batcher.rest()) and writer.write(counter.count(rest)):
                    counter.report()
        response: ImportKeysResponse = writer.response()
        return response


def _pages(method: Callable[..., Any], request: Any, items: str, timeout: float | None) -> Iterator[Any]:
    while request is not None:
        response = _call(method, request, timeout)
        yield from getattr(response, items)
        request = next_page_request(request, response)


def _run(workflow: Workflow[T]) -> T:
    advance: Callable[[], Call | Sleep] = partial(next, workflow)
    while True:
        try:
            step = advance()
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(step, Sleep):
            time.sleep(step.seconds)
            advance = partial(next, workflow)
            continue
        try:
            advance = partial(workflow.send, _call(step.method, step.request, step.timeout))
        except FacadeError as error:
            advance = partial(workflow.throw, error)


def _call(method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
    try:
        return method(request, timeout=timeout)
    except FacadeError:
        raise
    except grpc.RpcError as error:
        raise FacadeError.of(error, request_id_of(request)) from error
