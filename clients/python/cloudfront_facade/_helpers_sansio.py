"""The jobs of `jobs` and of `aio`, without the calls that they are made of: what both do is written here once.

A job that takes several calls is a generator. It gives steps, calls and pauses, and is sent the response to each; a
call that failed is thrown into it as a `FacadeError`. Those who run it decide how to wait.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import grpc

from cloudfront_facade.errors import FacadeError, FunctionChangedError
from cloudfront_facade._service_config import LONGEST_DEADLINE
from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    FunctionSummary,
    GetFunctionRequest,
    PublishFunctionRequest,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest, KeyChange, KeyValue
from cloudfront_facade.v1.key_value_store_service_pb2 import KeyValueStore, WaitForKeyValueStoreRequest

Progress = Callable[[int, int | None], None]
"""Told how many changes were handed to gRPC, and how many there are, or None where that is not known."""

T = TypeVar("T")

LONGEST_PAGE_OF_KEYS = 50
"""Keys of one answer at most. CloudFront gives 10 where no number is said. Service model of the data plane."""

MAX_REQUEST_BYTES = 200 * 1024
"""Bytes of one request of an import: far below the 4 MiB that the server takes, so that no reader of requests, a
proxy's or the server's, holds much, and progress is told often."""

MAX_REQUEST_CHANGES = 500
"""Changes of one request of an import: ten of the batches that CloudFront takes."""


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character of UTF-16, which UTF-8 has not."""


@dataclass(frozen=True)
class Call:
    """A call to make.

    Attributes:
        method: The method of a stub.
        request: Its request.
        timeout: The seconds that it may take; None for the client's default.
    """

    method: Callable[..., Any]
    request: Any
    timeout: float | None


@dataclass(frozen=True)
class Sleep:
    """A time to let pass, in seconds."""

    seconds: float


Workflow = Generator[Call | Sleep, Any, T]


def create_and_publish_workflow(
    functions: Any, request: CreateFunctionRequest, timeout: float | None
) -> Workflow[FunctionSummary]:
    """See `jobs.create_and_publish`."""
    created = yield Call(functions.CreateFunction, request, timeout)
    if request.validate_only:
        return FunctionSummary()
    if not created.location:
        # An earlier request created it, and the answer is the function as it is now, which others may have changed.
        yield from _require_unchanged(functions, request, created, timeout)
    try:
        published = yield Call(
            functions.PublishFunction, PublishFunctionRequest(name=request.name, etag=created.etag), timeout
        )
    except FacadeError as error:
        error.add_note(f"The function was created: PublishFunction with etag {created.etag!r} publishes it.")
        raise
    summary: FunctionSummary = published.function_summary
    return summary


def _require_unchanged(
    functions: Any, request: CreateFunctionRequest, created: CreateFunctionResponse, timeout: float | None
) -> Workflow[None]:
    """Looks whether a function is the request's: its config is in the answer to the create, its code is to be read.

    Where it is changed after that, publishing the version of the answer is refused.
    """
    try:
        found = yield Call(functions.GetFunction, GetFunctionRequest(name=request.name), timeout)
    except FacadeError as error:
        error.add_note(
            "The function was created by an earlier request. Whether it is still the request's is not known, and it "
            "was not published."
        )
        raise
    same_config = created.function_summary.function_config == request.function_config
    same_code = found.function_code == request.function_code
    if same_config and same_code:
        return
    if not same_config and not same_code:
        what = "its config and code are others"
    else:
        what = f"its {'code' if same_config else 'config'} is another"
    raise FunctionChangedError(request.name, found.etag, what)


def wait_until_ready_workflow(
    wait: Callable[..., Any], name: str, timeout: float | None, clock: Callable[[], float] = time.monotonic
) -> Workflow[KeyValueStore]:
    """See `jobs.wait_until_ready`."""
    timeout = LONGEST_DEADLINE if timeout is None else timeout
    ends = clock() + timeout
    for backoff in pauses():
        try:
            response = yield Call(wait, WaitForKeyValueStoreRequest(name=name), ends - clock())
        except FacadeError as error:
            pause = max(backoff, error.retry_delay or 0.0)
            if not _may_pass(error):
                raise
            if clock() + pause >= ends:
                error.add_note(f"The key value store {name!r} was not seen READY in {timeout:g} s.")
                raise
        else:
            store: KeyValueStore = response.key_value_store
            return store
        yield Sleep(pause)
    raise AssertionError("pauses never end")


def _may_pass(error: FacadeError) -> bool:
    """Whether waiting may go on after an error: it says nothing of the store."""
    return error.retry_delay is not None or error.code() in (
        grpc.StatusCode.UNAVAILABLE,
        # Somebody on the way, or the server, waits less long than the caller.
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )


def pauses(first: float = 0.5, longest: float = 5.0) -> Iterator[float]:
    """Seconds between tries, without end: twice as long each, and spread, for many may wait for one server."""
    pause = first
    while True:
        yield pause * random.uniform(0.5, 1.0)  # noqa: S311 (spread, not secrecy)
        pause = min(longest, pause * 2)


def next_page_request(request: T, response: Any) -> T | None:
    """The request for the page after a response; None after the last one. A page may be empty and not the last."""
    if not response.next_page_token:
        return None
    following: Any = type(request)()
    following.CopyFrom(request)
    following.page_token = response.next_page_token
    next_request: T = following
    return next_request


class ImportBatcher:
    """Packs changes into the requests of an import.

    Args:
        kvs_arn: The ARN of the store.
        etag: The version of the store that is changed; empty for the one that it has.
    """

    def __init__(self, kvs_arn: str, etag: str) -> None:
        self._request = ImportKeysRequest(kvs_arn=kvs_arn, etag=etag)
        self._bytes = 0
        self._index = 0

    def add(self, change: KeyChange) -> ImportKeysRequest | None:
        """Takes a change; gives the request of those before where it is full without this one.

        Raises:
            TypeError: It is no change. The error names its place.
        """
        if not isinstance(change, KeyChange):
            raise TypeError(f"changes[{self._index}] is {type(change).__name__}, and must be KeyChange")
        self._index += 1
        size = change.ByteSize()
        held = len(self._request.changes)
        full = None
        if held == MAX_REQUEST_CHANGES or (held and self._bytes + size > MAX_REQUEST_BYTES):
            full = self.rest()
        self._request.changes.append(change)
        self._bytes += size
        return full

    def rest(self) -> ImportKeysRequest:
        """The request of the changes that none has yet; empty where there are none, which the first one may be."""
        request, self._request, self._bytes = self._request, ImportKeysRequest(), 0
        return request


class ImportProgress:
    """Counts the changes that are handed to gRPC, and says how many were where the handing ends with an error.

    Args:
        progress: Told after each request.
        total: How many changes there are; None where that is not known.
    """

    def __init__(self, progress: Progress | None, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._count = 0

    def count(self, request: ImportKeysRequest) -> ImportKeysRequest:
        """Counts a request that is about to be sent: one that is interrupted meanwhile may arrive."""
        self._count += len(request.changes)
        return request

    def tell(self) -> None:
        """Tells the progress."""
        if self._progress:
            self._progress(self._count, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error:
            applied = "the first batches of them may have been applied" if self._count else "none was applied"
            error.add_note(f"{self._count} changes had been handed to gRPC before; {applied}.")


def put(index: int, item: Any) -> KeyChange:
    """The change that sets a key to a value, the item of this index.

    Raises:
        ValueError: It is no pair, or no text. What is in it is not shown.
        TypeError: It is a pair of other things than text.
    """
    pair: Any = None if isinstance(item, str) else item
    try:
        key, value = pair
    except (TypeError, ValueError):
        raise ValueError(f"items[{index}] is no pair of a key and a value, both str") from None
    for what, text in (("key", key), ("value", value)):
        if not isinstance(text, str):
            raise TypeError(f"the {what} of items[{index}] is {type(text).__name__}, and must be str")
        if _LONE_SURROGATE.search(text):
            raise ValueError(f"the {what} of items[{index}] has a lone surrogate, which is no text")
    return KeyChange(put=KeyValue(key=key, value=value))


def pairs(items: Mapping[str, str] | Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """The keys and values of a mapping, or of what gives them."""
    return items.items() if isinstance(items, Mapping) else items


def size_of(items: object) -> int | None:
    """How many there are; None where it cannot be told before the end."""
    try:
        return len(items)  # type: ignore[arg-type]
    except TypeError:
        return None
