"""A real server of both services that answers as a test tells it to."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import status_pb2

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import function_service_pb2_grpc as functions_grpc
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import key_value_store_service_pb2_grpc as stores_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.message import Message

PATIENCE = 10.0
"""Seconds after which something that should have happened is taken not to happen."""

FUNCTION_CREATED = functions.CreateFunctionResponse(etag="E1")
STORE_CREATED = stores.CreateKeyValueStoreResponse(etag="E2")


@dataclass(frozen=True)
class Refusal:
    """An answer with a status and trailers."""

    code: grpc.StatusCode
    message: str = ""
    trailers: tuple[tuple[str, str | bytes], ...] = ()


@dataclass(frozen=True)
class Received:
    """A call as the server saw it; `at` is of the monotonic clock, `time_left` the seconds to the deadline."""

    request: Any
    at: float
    time_left: float | None


class Canned(functions_grpc.FunctionServiceServicer, stores_grpc.KeyValueStoreServiceServicer):
    """Answers OK, but for the refusals it is given, one for each of the first calls.

    `started` is set when a call has come; none is answered before `released` is set, as it is at first.
    """

    def __init__(self, *refusals: Refusal) -> None:
        self.received: list[Received] = []
        self.started = threading.Event()
        self.released = threading.Event()
        self.released.set()
        self._refusals = iter(refusals)

    def CreateFunction(self, request: Any, context: Any) -> functions.CreateFunctionResponse:  # noqa: N802
        self._answer(request, context)
        return FUNCTION_CREATED

    def CreateKeyValueStore(self, request: Any, context: Any) -> stores.CreateKeyValueStoreResponse:  # noqa: N802
        self._answer(request, context)
        return STORE_CREATED

    def _answer(self, request: Any, context: Any) -> None:
        self.received.append(Received(request, time.monotonic(), context.time_remaining()))
        self.started.set()
        assert self.released.wait(PATIENCE)
        refusal = next(self._refusals, None)
        if refusal is not None:
            context.set_trailing_metadata(refusal.trailers)
            context.abort(refusal.code, refusal.message)


@contextmanager
def running_server(
    servicer: Canned,
    address: str = "127.0.0.1:0",
    credentials: grpc.ServerCredentials | None = None,
    handlers: Sequence[grpc.GenericRpcHandler] = (),
) -> Iterator[str]:
    """Serves until the end of the `with`; gives the target to connect to."""
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
        functions_grpc.add_FunctionServiceServicer_to_server(servicer, server)
        stores_grpc.add_KeyValueStoreServiceServicer_to_server(servicer, server)
        server.add_generic_rpc_handlers(handlers)
        port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
        server.start()
        try:
            yield address if address.startswith("unix:") else f"127.0.0.1:{port}"
        finally:
            servicer.released.set()
            server.stop(None).wait()


def details_trailer(code: grpc.StatusCode, message: str, *details: Message) -> tuple[tuple[str, bytes]]:
    """The trailer that carries the details of a status."""
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        packed = Packed()
        packed.Pack(detail)
        status.details.append(packed)
    return (("grpc-status-details-bin", status.SerializeToString()),)


def refusal(code: grpc.StatusCode, message: str, *details: Message) -> Refusal:
    """A refusal with details."""
    return Refusal(code, message, details_trailer(code, message, *details))
