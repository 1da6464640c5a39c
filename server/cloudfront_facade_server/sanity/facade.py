"""The endpoint that the cases speak to: its stubs, and resources that are made for a case and deleted in the end."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceStub

from ..health import open_channel
from ..settings import SanitySettings

PASS_ON: Final = b"function handler(event) { return event.request; }\n"
RUNTIME: Final = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
LIVE: Final = functions.FunctionStage.FUNCTION_STAGE_LIVE
DEVELOPMENT: Final = functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT
_DEADLINE_SECONDS: Final = 30.0
_WAIT_SECONDS: Final = 600.0


class UnmetError(Exception):
    """A facade does not do what it should; the text says what it does instead."""


def expect(held: object, otherwise: str) -> None:
    """Raises UnmetError unless something held."""
    if not held:
        raise UnmetError(otherwise)


def same(found: object, expected: object, what: str) -> None:
    """Raises UnmetError unless two things are the same."""
    expect(found == expected, f"{what} is {found!a}, not {expected!a}")


def refused(call: Callable[[], object], code: grpc.StatusCode, reason: str) -> dict[str, Any]:
    """Calls what should be refused so.

    Returns:
        The google.rpc details, by the names of their messages.

    Raises:
        UnmetError: it was not refused, or otherwise.
    """
    try:
        call()
    except grpc.RpcError as error:
        details = details_of(error)
        found = (_code(error), details["ErrorInfo"].reason if "ErrorInfo" in details else "no ErrorInfo")
        expect(found == (code, reason), f"it is refused otherwise: {told(error)}; expected {code.name} {reason}")
        return details
    raise UnmetError(f"it is answered OK; expected {code.name} {reason}")


def details_of(error: grpc.RpcError) -> dict[str, Any]:
    """Reads the google.rpc details of an error."""
    status: Any = rpc_status.from_call(error) if isinstance(error, grpc.Call) else None
    found: dict[str, Any] = {}
    for packed in status.details if status else ():
        kind = packed.type_url.rpartition(".")[2]
        if (message := getattr(error_details_pb2, kind, None)) is not None:
            found[kind] = message()
            packed.Unpack(found[kind])
    return found


def told(error: grpc.RpcError) -> str:
    """Tells an error in one line."""
    code, text = _code(error), error.details() if isinstance(error, grpc.Call) else str(error)
    info = details_of(error).get("ErrorInfo")
    return " ".join(f"{code.name if code else 'UNKNOWN'} {info.reason if info else ''}: {text}".split())


def _code(error: grpc.RpcError) -> grpc.StatusCode | None:
    return error.code() if isinstance(error, grpc.Call) else None


class Facade:
    """The endpoint.

    Args:
        channel: to it.
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

    def unreachable(self) -> str:
        """Says why the endpoint cannot be used; empty where it is SERVING."""
        try:
            response = self._health.Check(health_pb2.HealthCheckRequest(), timeout=5)  # type: ignore[attr-defined]
        except grpc.RpcError as error:
            return told(error)
        status = health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)
        return "" if status == "SERVING" else f"its health is {status}"

    def name(self) -> str:
        """Makes a name that nobody has."""
        self._number += 1
        return f"{self._prefix}-{self._number}"

    def create_function(
        self, code: bytes = PASS_ON, *, store_arn: str = "", tags: tuple[Tag, ...] = (), **fields: Any
    ) -> functions.CreateFunctionResponse:
        """Creates a function that is deleted in the end."""
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
        return self.functions.CreateFunction(request, timeout=_DEADLINE_SECONDS)

    def create_store(self, **fields: Any) -> stores.CreateKeyValueStoreResponse:
        """Creates a store that is deleted in the end."""
        request = stores.CreateKeyValueStoreRequest(
            **{"name": self.name(), "comment": "sanity", "request_id": str(uuid.uuid4()), **fields}
        )
        self._stores.append(request.name)
        return self.key_value_stores.CreateKeyValueStore(request, timeout=_DEADLINE_SECONDS)

    def ready_store(self) -> stores.KeyValueStore:
        """Creates a store, and waits until it is READY."""
        name = self.create_store().key_value_store.name
        request = stores.WaitForKeyValueStoreRequest(name=name)
        return self.key_value_stores.WaitForKeyValueStore(request, timeout=_WAIT_SECONDS).key_value_store

    def clean_up(self) -> list[str]:
        """Deletes what was created; gives the names of what could not be."""
        left = [name for name in self._functions if not _deleted(self._delete_function, name)]
        return left + [name for name in self._stores if not _deleted(self._delete_store, name)]

    def _delete_function(self, name: str) -> None:
        described = self.functions.DescribeFunction(functions.DescribeFunctionRequest(name=name))
        self.functions.DeleteFunction(functions.DeleteFunctionRequest(name=name, etag=described.etag))

    def _delete_store(self, name: str) -> None:
        described = self.key_value_stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name=name))
        self.key_value_stores.DeleteKeyValueStore(stores.DeleteKeyValueStoreRequest(name=name, etag=described.etag))


def _deleted(delete: Callable[[str], None], name: str) -> bool:
    try:
        delete(name)
    except grpc.RpcError as error:
        return _code(error) in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)  # it never was
    return True


@contextmanager
def open_facade(settings: SanitySettings) -> Iterator[Facade]:
    """Opens a channel to the endpoint."""
    with open_channel(settings.target, settings) as channel:
        yield Facade(channel)
