"""The server under test: its stubs, and the resources of the cases, which are deleted at the end."""

from __future__ import annotations

import json
import secrets
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceStub

from ..health import open_channel
from ..settings.client import SanitySettings
from .expectations import code_of, describe_error, details_of

PASS_THROUGH: Final = b"function handler(event) { return event.request; }\n"
RUNTIME: Final = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
LIVE: Final = functions.FunctionStage.FUNCTION_STAGE_LIVE
DEVELOPMENT: Final = functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT
_CALL_SECONDS: Final = 30.0
_WAIT_SECONDS: Final = 600.0
_READY: Final = "READY"
_STORES: Final = stores.DESCRIPTOR.services_by_name["KeyValueStoreService"]
_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)


def pages(call: Callable[[Any], Any], request: Any) -> Iterator[Any]:
    """Yields the requested page of a list and all pages after it."""
    while True:
        page = call(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


class Facade:
    """The server under test.

    Args:
        channel: A channel to the server.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self.functions = FunctionServiceStub(channel)
        self.key_value_stores = KeyValueStoreServiceStub(channel)
        self.key_values = KeyValueStoreDataServiceStub(channel)
        self.tags = TagServiceStub(channel)
        self._health = health_pb2_grpc.HealthStub(channel)
        self._prefix = f"sanity-{secrets.token_hex(4)}"
        self._number = 0
        self._functions: list[str] = []
        self._stores: list[str] = []

    def unusable(self) -> str:
        """Returns why the server cannot be tested; empty if it is a facade and SERVING."""
        try:
            response = self._health.Check(health_pb2.HealthCheckRequest(), timeout=5)  # type: ignore[attr-defined]
        except grpc.RpcError as error:
            return describe_error(error)
        status = health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)
        if status != "SERVING":
            return f"its health is {status}"
        try:
            self.functions.ListFunctions(functions.ListFunctionsRequest(page_size=1))
        except grpc.RpcError as error:
            # The cases report any other error, and UNIMPLEMENTED if it has the error details of a facade.
            is_other_server = code_of(error) is grpc.StatusCode.UNIMPLEMENTED and "ErrorInfo" not in details_of(error)
            return f"it is not a facade: {describe_error(error)}" if is_other_server else ""
        return ""

    def name(self) -> str:
        """Returns a new name for a function or a store."""
        self._number += 1
        return f"{self._prefix}-{self._number}"

    def create_function(
        self, code: bytes = PASS_THROUGH, *, store_arn: str = "", tags: tuple[Tag, ...] = (), **fields: Any
    ) -> functions.CreateFunctionResponse:
        """Creates a function that is deleted at the end."""
        associations = [functions.KeyValueStoreAssociation(key_value_store_arn=store_arn)] if store_arn else []
        request = functions.CreateFunctionRequest(
            **{
                "name": self.name(),
                "function_config": functions.FunctionConfig(
                    comment="sanity", runtime=RUNTIME, key_value_store_associations=associations
                ),
                "function_code": code,
                "tags": tags,
                "request_id": str(uuid.uuid4()),
                **fields,
            }
        )
        self._functions.append(request.name)
        with _uninterrupted():
            return self.functions.CreateFunction(request)

    def create_store(self, **fields: Any) -> stores.CreateKeyValueStoreResponse:
        """Creates a store that is deleted at the end."""
        request = stores.CreateKeyValueStoreRequest(
            **{"name": self.name(), "comment": "sanity", "request_id": str(uuid.uuid4()), **fields}
        )
        self._stores.append(request.name)
        with _uninterrupted():
            return self.key_value_stores.CreateKeyValueStore(request)

    def ready_store(self) -> stores.KeyValueStore:
        """Creates a store and waits until it is READY."""
        name = self.create_store().key_value_store.name
        request = stores.WaitForKeyValueStoreRequest(name=name)
        return self.key_value_stores.WaitForKeyValueStore(request).key_value_store

    def clean_up(self) -> list[str]:
        """Deletes the created resources, and returns the names of those that could not be deleted. Can be repeated."""
        self._functions = [name for name in self._functions if not self._deleted(self._delete_function, name)]
        self._stores = [name for name in self._stores if not self._deleted(self._delete_store, name)]
        return list(dict.fromkeys(self._functions + self._stores))

    def _delete_function(self, name: str) -> None:
        request = functions.DescribeFunctionRequest(name=name)
        described = self.functions.DescribeFunction(request)
        deletion = functions.DeleteFunctionRequest(name=name, etag=described.etag)
        self.functions.DeleteFunction(deletion)

    def _delete_store(self, name: str) -> None:
        request = stores.DescribeKeyValueStoreRequest(name=name)
        described = self.key_value_stores.DescribeKeyValueStore(request)
        if described.key_value_store.status != _READY:
            # Some stores can be deleted only when they are READY, and a store whose import failed never is.
            waiting = stores.WaitForKeyValueStoreRequest(name=name)
            with suppress(grpc.RpcError):
                self.key_value_stores.WaitForKeyValueStore(waiting)
            described = self.key_value_stores.DescribeKeyValueStore(request)
        deletion = stores.DeleteKeyValueStoreRequest(name=name, etag=described.etag)
        self.key_value_stores.DeleteKeyValueStore(deletion)

    def _deleted(self, delete: Callable[[str], None], name: str) -> bool:
        try:
            delete(name)
        except grpc.RpcError as error:
            # If a case used an invalid name, nothing was created. Names that begin with the prefix are valid.
            never_created = code_of(error) is grpc.StatusCode.INVALID_ARGUMENT and not name.startswith(self._prefix)
            return never_created or code_of(error) is grpc.StatusCode.NOT_FOUND
        return True


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delays Ctrl-C and SIGTERM until the block ends, because a create in flight may be applied after a clean-up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    delayed: list[int] = []
    previous = {number: signal.signal(number, lambda received, _: delayed.append(received)) for number in _INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        if delayed:
            signal.raise_signal(delayed[0])


@contextmanager
def open_facade(settings: SanitySettings) -> Iterator[Facade]:
    """Opens a channel to the server on which every call has a deadline."""
    with open_channel(settings.target, settings, ("grpc.service_config", _deadlines())) as channel:
        yield Facade(channel)


def _deadlines() -> str:
    """Returns a gRPC service config with deadlines: if the server hangs, the case fails and the suite continues."""
    long_poll = {"service": _STORES.full_name, "method": "WaitForKeyValueStore"}
    methods = [
        {"name": [{}], "timeout": f"{_CALL_SECONDS}s"},
        {"name": [long_poll], "timeout": f"{_WAIT_SECONDS}s"},
    ]
    return json.dumps({"methodConfig": methods})
