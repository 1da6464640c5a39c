"""Checks the types of requests and of the arguments of helpers.

gRPC reports a wrong type as INTERNAL "Exception serializing request!", and sends a message of another type unchecked.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import Message
from grpc import aio

from cloudfront_facade._argument_checks import type_name
from cloudfront_facade._service_config import find_method

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

_END = object()

_SERVICES = {
    "functions": "FunctionService",
    "key_value_stores": "KeyValueStoreService",
    "key_values": "KeyValueStoreDataService",
}
"""The services of the stubs that helpers take, by the name of the argument."""

_BLOCKING = (grpc.UnaryUnaryMultiCallable, grpc.StreamUnaryMultiCallable)
_ASYNCIO = (aio.UnaryUnaryMultiCallable, aio.StreamUnaryMultiCallable)


def check_type(name: str, value: Any, expected: Descriptor) -> None:
    """Checks that a value is a message of a type.

    Args:
        name: The name of the argument, for the error.
        value: The value.
        expected: The descriptor of the type.

    Raises:
        TypeError: The value has another type.
    """
    if not isinstance(value, Message) or value.DESCRIPTOR.full_name != expected.full_name:
        raise TypeError(f"{name} must be {expected.name}, not {type_name(value)}")


def check_stub(name: str, stub: object, method: str, *, asynchronous: bool = False) -> None:
    """Checks the stub that a helper calls. An object with the same methods, such as a mock, passes.

    Args:
        name: The name of the argument, which is also the attribute of the client that has the stub.
        stub: The stub.
        method: A method that the helper calls.
        asynchronous: Whether the helper is for asyncio.

    Raises:
        TypeError: It is the stub of another service or of the other kind of client, or it is not a stub.
    """
    multi_callable = getattr(stub, method, None)
    if not callable(multi_callable):
        raise TypeError(f"{name} must be a {_SERVICES[name]}Stub, such as facade.{name}, not {type_name(stub)}")
    if asynchronous and isinstance(multi_callable, _BLOCKING):
        raise TypeError(f"{name} must be a stub for asyncio; cloudfront_facade.jobs has the helpers for blocking stubs")
    if not asynchronous and isinstance(multi_callable, _ASYNCIO):
        raise TypeError(f"{name} must be a blocking stub; cloudfront_facade.aio has the helpers for stubs for asyncio")


def input_type(method: str | bytes) -> Descriptor | None:
    """Returns the type of a method's requests, or None for a method of another API."""
    descriptor = find_method(method.decode() if isinstance(method, bytes) else method)
    return descriptor.input_type if descriptor else None


def check_request(method: str | bytes, request: Any) -> None:
    """Checks the request of a method.

    Raises:
        TypeError: The request has another type.
    """
    if expected := input_type(method):
        check_type("request", request, expected)


class CheckedRequests:
    """The requests of a stream. The first one of a wrong type ends the stream and the call.

    Attributes:
        error: The error of that request, which the call raises. gRPC reads requests in its own thread or task, where
            the error would be lost.

    Raises:
        TypeError: `requests` is not iterable.
    """

    def __init__(self, method: str | bytes, requests: Any) -> None:
        self.error: TypeError | None = None
        self._expected = input_type(method)
        self._count = 0
        self._asynchronous = isinstance(requests, AsyncIterable)
        if self._asynchronous:
            self._iterator = aiter(requests)
        elif isinstance(requests, Iterable):
            self._iterator = iter(requests)
        else:
            suffix = f" of {self._expected.name}" if self._expected else ""
            raise TypeError(f"requests must be an iterable{suffix}, not {type_name(requests)}")

    def __iter__(self) -> CheckedRequests:
        return self

    def __next__(self) -> Any:
        return self._check(next(self._iterator))

    def __aiter__(self) -> CheckedRequests:
        return self

    async def __anext__(self) -> Any:
        if self._asynchronous:
            return self._check(await anext(self._iterator))
        if (request := next(self._iterator, _END)) is _END:
            raise StopAsyncIteration
        return self._check(request)

    def _check(self, request: Any) -> Any:
        if self._expected:
            try:
                check_type(f"requests[{self._count}]", request, self._expected)
            except TypeError as error:
                self.error = error
                raise
        self._count += 1
        return request
