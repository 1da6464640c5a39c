"""The endpoint that the cases speak to: its stubs, and resources that are made for a case and deleted in the end."""

from __future__ import annotations

import json
import secrets
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.message import DecodeError
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
_READY: Final = "READY"
_STORES: Final = stores.DESCRIPTOR.services_by_name["KeyValueStoreService"]
_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)


class CaseFailedError(Exception):
    """A facade does not do what it should; the text says what it does instead."""


def check(held: object, otherwise: str) -> None:
    """Raises UnmetError unless something held."""
    if not held:
        raise CaseFailedError(otherwise)


def check_equal(found: object, expected: object, what: str) -> None:
    """Raises UnmetError unless two things are the same."""
    check(found == expected, f"{what} is {found!a}, not {expected!a}")


def pages(call: Callable[[Any], Any], request: Any) -> Iterator[Any]:
    """Gives every page of a list, from the request's on."""
    while True:
        page = call(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


class Details(dict[str, Any]):
    """The google.rpc details of an error, by the names of their messages; to index what is missing is an UnmetError."""

    def __missing__(self, kind: str) -> NoReturn:
        raise CaseFailedError(f"the error has no google.rpc.{kind}, but {', '.join(sorted(self)) or 'no details'}")


def check_refused(call: Callable[[], object], code: grpc.StatusCode, reason: str) -> Details:
    """Calls what should be refused so.

    Returns:
        The details of the refusal.

    Raises:
        UnmetError: it was not refused, or otherwise.
    """
    try:
        call()
    except grpc.RpcError as error:
        details = details_of(error)
        found = (_code(error), details["ErrorInfo"].reason if "ErrorInfo" in details else "no ErrorInfo")
        check(
            found == (code, reason), f"it is refused otherwise: {describe_error(error)}; expected {code.name} {reason}"
        )
        return details
    raise CaseFailedError(f"it is answered OK; expected {code.name} {reason}")


def details_of(error: grpc.RpcError) -> Details:
    """Reads the google.rpc details of an error; what cannot be read is missing."""
    found = Details()
    with suppress(DecodeError, ValueError):
        status: Any = rpc_status.from_call(error) if isinstance(error, grpc.Call) else None
        for packed in status.details if status else ():
            kind = packed.TypeName().removeprefix("google.rpc.")
            if kind in error_details_pb2.DESCRIPTOR.message_types_by_name:
                message = getattr(error_details_pb2, kind)()
                packed.Unpack(message)
                found[kind] = message
    return found


def describe_error(error: grpc.RpcError) -> str:
    """Tells an error in one line."""
    code, text = _code(error), error.details() if isinstance(error, grpc.Call) else str(error)
    info = details_of(error).get("ErrorInfo")
    names = [code.name if code else "UNKNOWN", *([info.reason] if info else [])]
    return " ".join(f"{' '.join(names)}: {text}".split())


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
        """Says why the endpoint cannot be used; empty where it is a facade, and SERVING."""
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
            # Any other failure is for the cases to judge, and so is a facade's own refusal, which has details.
            is_unknown = _code(error) is grpc.StatusCode.UNIMPLEMENTED and "ErrorInfo" not in details_of(error)
            return f"it is no facade: {describe_error(error)}" if is_unknown else ""
        return ""

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
        with _uninterrupted():
            return self.functions.CreateFunction(request)

    def create_store(self, **fields: Any) -> stores.CreateKeyValueStoreResponse:
        """Creates a store that is deleted in the end."""
        request = stores.CreateKeyValueStoreRequest(
            **{"name": self.name(), "comment": "sanity", "request_id": str(uuid.uuid4()), **fields}
        )
        self._stores.append(request.name)
        with _uninterrupted():
            return self.key_value_stores.CreateKeyValueStore(request)

    def ready_store(self) -> stores.KeyValueStore:
        """Creates a store, and waits until it is READY."""
        name = self.create_store().key_value_store.name
        request = stores.WaitForKeyValueStoreRequest(name=name)
        return self.key_value_stores.WaitForKeyValueStore(request).key_value_store

    def clean_up(self) -> list[str]:
        """Deletes what was created; gives the names of what could not be. It can be repeated."""
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
            # It may be that it can only then be deleted. One whose import failed never is READY.
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
            # Names of this class are valid; another may be one that is to be refused, and then it never was.
            never_was = _code(error) is grpc.StatusCode.INVALID_ARGUMENT and not name.startswith(self._prefix)
            return never_was or _code(error) is grpc.StatusCode.NOT_FOUND
        return True


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Puts Ctrl-C and SIGTERM off until the block has ended: what is under way at the clean-up could come after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    put_off: list[int] = []
    before = {each: signal.signal(each, lambda number, _: put_off.append(number)) for each in _INTERRUPTS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if put_off:
            signal.raise_signal(put_off[0])


@contextmanager
def open_facade(settings: SanitySettings) -> Iterator[Facade]:
    """Opens a channel to the endpoint, on which no call is waited for without an end."""
    with open_channel(settings.target, settings, ("grpc.service_config", _deadlines())) as channel:
        yield Facade(channel)


def _deadlines() -> str:
    """Makes gRPC's service config: an endpoint that does not answer is a finding, and not the end of the suite."""
    waits = {"service": _STORES.full_name, "method": "WaitForKeyValueStore"}
    methods = [
        {"name": [{}], "timeout": f"{_DEADLINE_SECONDS}s"},
        {"name": [waits], "timeout": f"{_WAIT_SECONDS}s"},
    ]
    return json.dumps({"methodConfig": methods})
