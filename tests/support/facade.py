"""A real server of the facade in this process, on loopback, with any backend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceStub
from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.protocol import Backend
from cloudfront_facade_server.backends.thread_pool import ThreadPoolBackend
from cloudfront_facade_server.concurrency.greenlets import greenlet_spawn
from cloudfront_facade_server.grpc_server.server import Server
from cloudfront_facade_server.settings.serve import ServeSettings
from cloudfront_facade_server.upstream.service_account import ServiceAccount
from cloudfront_facade_server.wiring import make_server

from .event_loop import event_loop, unwrapped

REQUEST_ID = "0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f"
ANOTHER_ID = "7f6d1d3a-20a3-4c8e-9d2b-6a1f0e5c4b3a"
CODE = b"function handler(event) { return event.request; }"


@dataclass(frozen=True)
class Facade:
    """A running server and a channel to it."""

    address: str
    channel: Any
    functions: FunctionServiceStub
    stores: KeyValueStoreServiceStub
    key_values: KeyValueStoreDataServiceStub
    tags: TagServiceStub

    @classmethod
    def over(cls, address: str, channel: Any) -> Facade:
        """Returns the services of a channel."""
        stubs = FunctionServiceStub, KeyValueStoreServiceStub, KeyValueStoreDataServiceStub, TagServiceStub
        return cls(address, channel, *(stub(channel) for stub in stubs))


@contextmanager
def running_facade(
    backend: Backend, find_account: Callable[[], str] | None = None, **settings: Any
) -> Iterator[Facade]:
    """Runs a server with short timeouts until the block ends; `settings` override those of `serve`.

    With `find_account`, which returns the account of the service, it rejects ARNs of other accounts.
    """
    values: dict[str, Any] = {
        "backend": "aws" if backend.name == "aws" else "embedded",
        "listen": "127.0.0.1:0",
        "drain_delay": 0,
        "settle_timeout": 1,
        "shutdown_grace_period": 5,
    } | settings
    values.setdefault("max_read_lag", values["settle_timeout"] / 2)
    serve_settings = ServeSettings(**values)
    backend = _waiting(backend)
    loop = event_loop()

    async def start() -> tuple[Server, str]:
        account = ServiceAccount(find_account, backend) if find_account else None
        server, _ = make_server(serve_settings, backend, account)
        address = await server.start(on_failure=lambda: None)
        await server.set_serving(serving=True)
        return server, address

    async def stop(server: Server) -> None:
        await server.stop(asyncio.Event())
        await greenlet_spawn(backend.close)

    server, address = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        with grpc.insecure_channel(address) as channel:
            yield Facade.over(address, channel)
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(30)


def _waiting(backend: Backend) -> Backend:
    """Returns a backend for a server: a blocking backend runs in threads."""
    bare = unwrapped(backend)
    return bare if isinstance(bare, AwsBackend) else ThreadPoolBackend(bare, threads=64)


def open_channel(address: str, **options: int) -> Any:
    """Opens a channel typed as Any, for tests that send raw bytes."""
    return grpc.insecure_channel(address, options=[(f"grpc.{name}", value) for name, value in options.items()])


def check_health(facade: Facade) -> None:
    """Makes a health check, which must succeed.

    A server receives the calls of a channel in order, so all earlier calls and cancellations have arrived when it ends.
    """
    assert facade.channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5) == b"\x08\x01"


def function(name: str = "rewrite", **fields: Any) -> CreateFunctionRequest:
    """Returns a valid request to create a function."""
    config = FunctionConfig(runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0)
    defaults: dict[str, Any] = {
        "function_config": config,
        "function_code": CODE,
    }
    return CreateFunctionRequest(name=name, **defaults | fields)


@dataclass(frozen=True)
class Failure:
    """What a caller can read from an error."""

    code: grpc.StatusCode
    message: str
    reason: str
    domain: str
    metadata: dict[str, str]
    violations: list[error_details_pb2.BadRequest.FieldViolation]
    details: dict[str, Any]
    trailers: dict[str, str | bytes]

    @property
    def outcome(self) -> str:
        """Whether the call was applied."""
        return self.metadata["outcome"]

    @property
    def retry_after(self) -> float | None:
        """The seconds of RetryInfo; None if the error has no RetryInfo."""
        info = self.details.get("RetryInfo")
        return info.retry_delay.ToMilliseconds() / 1000 if info else None

    @property
    def pushback(self) -> str | bytes | None:
        """The server's pushback for the client's retry policy."""
        return self.trailers.get("grpc-retry-pushback-ms")


def failure_of(error: grpc.RpcError) -> Failure:
    """Decodes an error as a caller without the client library does."""
    assert isinstance(error, grpc.Call)
    trailers = dict(error.trailing_metadata() or ())
    return decoded(error.code(), error.details() or "", rpc_status.from_call(error), trailers)


def decoded(
    code: grpc.StatusCode, message: str, status: status_pb2.Status | None, trailers: dict[str, str | bytes]
) -> Failure:
    """Returns the failure that these parts of an error make up."""
    details: dict[str, Any] = {}
    for packed in status.details if status else ():
        kind = packed.type_url.rpartition(".")[2]
        assert kind not in details, f"two {kind}"
        details[kind] = getattr(error_details_pb2, kind)()
        packed.Unpack(details[kind])
    info = details.get("ErrorInfo", error_details_pb2.ErrorInfo())
    bad = details.get("BadRequest", error_details_pb2.BadRequest())
    metadata, violations = dict(info.metadata), list(bad.field_violations)
    return Failure(code, message, info.reason, info.domain, metadata, violations, details, trailers)


def failing(call: Any, *arguments: Any, **keywords: Any) -> Failure:
    """Makes a call that must fail, and returns the failure."""
    try:
        answer = call(*arguments, **keywords)
    except grpc.RpcError as error:
        return failure_of(error)
    raise AssertionError(f"the call succeeded: {answer}")
