"""A real server with all services, which returns canned responses."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import function_service_pb2_grpc as functions_grpc
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_data_service_pb2_grpc as data_grpc
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import key_value_store_service_pb2_grpc as stores_grpc
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1 import tag_service_pb2_grpc as tags_grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from google.protobuf.message import Message

PATIENCE = 10.0
"""Seconds after which a test stops waiting for an event."""

FUNCTION_CREATED = functions.CreateFunctionResponse(location="https://cloudfront.example.com/f", etag="E1")
STORE_CREATED = stores.CreateKeyValueStoreResponse(etag="E2")
FILES = tuple(module.DESCRIPTOR for module in (functions, stores, data, tags))


@dataclass(frozen=True)
class ErrorStatus:
    """An error status with trailers. For a stream of requests, it is sent after `after` requests."""

    code: grpc.StatusCode
    message: str = ""
    trailers: tuple[tuple[str, str | bytes], ...] = ()
    after: int = 0


@dataclass(frozen=True)
class Received:
    """A call as the server received it, with the monotonic time and the seconds until its deadline.

    The request of a stream is the list of requests that were read.
    """

    request: Any
    at: float
    time_left: float | None
    method: str = ""


class Canned:
    """Returns these responses and errors, one for each call, then OK.

    `started` is set when a call arrives. Calls wait for `released`, which is set at first.
    """

    def __init__(self, *answers: ErrorStatus | Message) -> None:
        self.received: list[Received] = []
        self.started = threading.Event()
        self.released = threading.Event()
        self.released.set()
        self._answers = iter(answers)

    def _answer(self, method: str, default: Message, request: Any, context: Any) -> Message:
        self.received.append(Received(request, time.monotonic(), context.time_remaining(), method))
        self.started.set()
        assert self.released.wait(PATIENCE)
        return _response_or_abort(next(self._answers, default), context)

    def _answer_stream(self, method: str, default: Message, requests: Iterator[Any], context: Any) -> Message:
        read: list[Any] = []
        self.received.append(Received(read, time.monotonic(), context.time_remaining(), method))
        self.started.set()
        answer = next(self._answers, default)
        for request in requests:
            read.append(request)
            if isinstance(answer, ErrorStatus) and len(read) == answer.after:
                break
            assert self.released.wait(PATIENCE)
        return _response_or_abort(answer, context)


def _response_or_abort(answer: ErrorStatus | Message, context: Any) -> Message:
    if isinstance(answer, ErrorStatus):
        context.set_trailing_metadata(answer.trailers)
        context.abort(answer.code, answer.message)
    assert not isinstance(answer, ErrorStatus)
    return answer


def _method(name: str, default: Message, *, streams: bool) -> Callable[[Canned, Any, Any], Message]:
    def answer(self: Canned, request: Any, context: Any) -> Message:
        handler = self._answer_stream if streams else self._answer
        return handler(name, default, request, context)

    return answer


for _rpc in (rpc for file in FILES for service in file.services_by_name.values() for rpc in service.methods):
    _default = {"CreateFunction": FUNCTION_CREATED, "CreateKeyValueStore": STORE_CREATED}.get(
        _rpc.name, GetMessageClass(_rpc.output_type)()
    )
    setattr(Canned, _rpc.name, _method(_rpc.name, _default, streams=_rpc.client_streaming))


@contextmanager
def running_server(
    servicer: Canned,
    address: str = "127.0.0.1:0",
    credentials: grpc.ServerCredentials | None = None,
    handlers: Sequence[grpc.GenericRpcHandler] = (),
    options: Sequence[tuple[str, Any]] = (),
) -> Iterator[str]:
    """Serves until the end of the `with`, and yields the target to connect to."""
    canned: Any = servicer
    with ThreadPoolExecutor(4) as pool:
        # A port from `reserved_target` is shared with its reservation. The system never picks a port that is in use.
        server = grpc.server(pool, options=[("grpc.so_reuseport", 1), *options])
        functions_grpc.add_FunctionServiceServicer_to_server(canned, server)
        stores_grpc.add_KeyValueStoreServiceServicer_to_server(canned, server)
        data_grpc.add_KeyValueStoreDataServiceServicer_to_server(canned, server)
        tags_grpc.add_TagServiceServicer_to_server(canned, server)
        server.add_generic_rpc_handlers(handlers)
        port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
        server.start()
        try:
            yield address if address.startswith("unix:") else f"127.0.0.1:{port}"
        finally:
            servicer.released.set()
            server.stop(None).wait()


@contextmanager
def reserved_target() -> Iterator[str]:
    """Yields an address on which nothing listens until a test serves on it with `running_server`.

    If a test used the port of a server that has ended instead, the server of a concurrent test could get the port, and
    would receive the calls of this test.
    """
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"


def details_trailer(code: grpc.StatusCode, message: str, *details: Message) -> tuple[tuple[str, bytes]]:
    """Returns the trailer with the details of a status."""
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        packed = Packed()
        packed.Pack(detail)
        status.details.append(packed)
    return (("grpc-status-details-bin", status.SerializeToString()),)


def error_status(code: grpc.StatusCode, message: str, *details: Message, after: int = 0) -> ErrorStatus:
    """Returns an error status with details."""
    return ErrorStatus(code, message, details_trailer(code, message, *details), after)


def info(reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    """Returns the detail that every error of the facade has."""
    return error_details_pb2.ErrorInfo(
        reason=reason, domain="cloudfront-facade", metadata={"outcome": "not_applied", **metadata}
    )


class Endless:
    """An endless source of keys and values."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((str(number), "v" * 1000) for number in itertools.count())
