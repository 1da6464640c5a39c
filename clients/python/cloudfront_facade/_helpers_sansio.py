"""The I/O-free logic that `jobs` and `aio` share.

A helper that makes several calls is a workflow, a generator. It yields calls and sleeps, and is sent each response; a
failed call is thrown into it as `FacadeError`. The code that runs a workflow decides how to wait.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from cloudfront_facade._argument_checks import check_count, check_enum, check_seconds, check_text
from cloudfront_facade._request_checks import check_type
from cloudfront_facade._service_config import LONGEST_DEADLINE
from cloudfront_facade.errors import FacadeError, FunctionChangedError
from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    FunctionStage,
    FunctionSummary,
    GetFunctionRequest,
    ListFunctionsRequest,
    PublishFunctionRequest,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    ListKeysRequest,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    KeyValueStore,
    ListKeyValueStoresRequest,
    WaitForKeyValueStoreRequest,
)

T = TypeVar("T")

MAX_KEYS_PAGE_SIZE = 50
"""Maximum number of keys on one page. CloudFront's default is 10. Source: the data plane's service model."""


@dataclass(frozen=True)
class Call:
    """A call that a workflow makes.

    Attributes:
        method: The method of a stub.
        request: The request.
        timeout: The seconds that the call may take; None for the client's default.
    """

    method: Callable[..., Any]
    request: Any
    timeout: float | None


@dataclass(frozen=True)
class Sleep:
    """A pause of a workflow, in seconds."""

    seconds: float


Workflow = Generator[Call | Sleep, Any, T]


def create_and_publish_workflow(
    functions: Any, request: CreateFunctionRequest, timeout: float | None
) -> Workflow[FunctionSummary]:
    """Runs `jobs.create_and_publish`."""
    check_type("request", request, CreateFunctionRequest.DESCRIPTOR)
    created = yield Call(functions.CreateFunction, request, timeout)
    if request.validate_only:
        return FunctionSummary()
    if not created.location:
        # An earlier request created the function. The response has its current state, which others may have changed.
        yield from _require_unchanged(functions, request, created, timeout)
    try:
        published = yield Call(
            functions.PublishFunction, PublishFunctionRequest(name=request.name, etag=created.etag), timeout
        )
    except FacadeError as error:
        error.add_note(f'The function was created: PublishFunction with etag "{created.etag}" publishes it.')
        raise
    summary: FunctionSummary = published.function_summary
    return summary


def _require_unchanged(
    functions: Any, request: CreateFunctionRequest, created: CreateFunctionResponse, timeout: float | None
) -> Workflow[None]:
    """Checks that a function still matches the request: the config in the response, and the code from a read.

    If it changes after that, PublishFunction fails, because it sends the etag of the response.
    """
    try:
        current = yield Call(functions.GetFunction, GetFunctionRequest(name=request.name), timeout)
    except FacadeError as error:
        error.add_note(
            "The function was created by an earlier request and not published: whether it has changed since is unknown."
        )
        raise
    differences = [
        part
        for part, is_same in (
            ("config", created.function_summary.function_config == request.function_config),
            ("code", current.function_code == request.function_code),
        )
        if not is_same
    ]
    if differences:
        raise FunctionChangedError(request.name, current.etag, " and ".join(differences))


def wait_until_ready_workflow(
    wait: Callable[..., Any], name: str, timeout: float | None, clock: Callable[[], float] = time.monotonic
) -> Workflow[KeyValueStore]:
    """Runs `jobs.wait_until_ready`."""
    check_text("name", name)
    check_seconds("timeout", timeout)
    timeout = LONGEST_DEADLINE if timeout is None else timeout
    deadline = clock() + timeout
    for backoff in exponential_backoff():
        try:
            response = yield Call(wait, WaitForKeyValueStoreRequest(name=name), max(0.0, deadline - clock()))
        except FacadeError as error:
            pause = max(backoff, error.retry_delay or 0.0)
            if not _is_transient(error):
                raise
            if clock() + pause >= deadline:
                error.add_note(f'The key value store "{name}" did not become READY within {timeout:g} s.')
                raise
        else:
            store: KeyValueStore = response.key_value_store
            return store
        yield Sleep(pause)
    raise AssertionError("the backoff never ends")


def _is_transient(error: FacadeError) -> bool:
    """Returns whether the wait may continue after an error, because the error is not about the store."""
    return error.retry_delay is not None or error.code() in (
        grpc.StatusCode.UNAVAILABLE,
        # The server, or a proxy, has a shorter limit than the caller.
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )


def exponential_backoff(first: float = 0.5, longest: float = 5.0) -> Iterator[float]:
    """Yields the seconds between retries: doubled each time, with jitter because many clients may wait for a server."""
    pause = first
    while True:
        yield pause * random.uniform(0.5, 1.0)  # noqa: S311 (jitter, not secrecy)
        pause = min(longest, pause * 2)


def list_functions_request(stage: FunctionStage.ValueType, page_size: int) -> ListFunctionsRequest:
    """Returns the request for the first page of functions."""
    check_enum("stage", stage, "FunctionStage", "FUNCTION_STAGE_LIVE")
    check_count("page_size", page_size)
    return ListFunctionsRequest(stage=stage, page_size=page_size)


def list_key_value_stores_request(status: str, page_size: int) -> ListKeyValueStoresRequest:
    """Returns the request for the first page of stores."""
    check_text("status", status)
    check_count("page_size", page_size)
    return ListKeyValueStoresRequest(status=status, page_size=page_size)


def list_keys_request(kvs_arn: str, page_size: int) -> ListKeysRequest:
    """Returns the request for the first page of keys."""
    check_text("kvs_arn", kvs_arn)
    check_count("page_size", page_size)
    return ListKeysRequest(kvs_arn=kvs_arn, page_size=page_size)


def next_page_request(request: T, response: Any) -> T | None:
    """Returns the request for the next page of a pagination; None after the last page.

    An empty page is not always the last one.
    """
    if not response.next_page_token:
        return None
    copy: Any = type(request)()
    copy.CopyFrom(request)
    copy.page_token = response.next_page_token
    following: T = copy
    return following
