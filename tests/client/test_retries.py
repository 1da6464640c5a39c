"""When a call is retried."""

from __future__ import annotations

import importlib
import json
import pkgutil
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import pytest

import cloudfront_facade.v1
from client.canned import FUNCTION_CREATED, PATIENCE, Canned, ErrorStatus, running_server
from cloudfront_facade import FacadeError, connect
from cloudfront_facade._service_config import RETRY_POLICY, idempotent_methods, service_config
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

if TYPE_CHECKING:
    from typing import Self

REQUEST = CreateFunctionRequest(name="rewrite")
UNAVAILABLE = ErrorStatus(grpc.StatusCode.UNAVAILABLE, "down")


def test_an_unavailable_call_is_retried_with_the_same_request_id() -> None:
    servicer = Canned(UNAVAILABLE, UNAVAILABLE)
    with running_server(servicer) as target, connect(target) as facade:
        assert facade.functions.CreateFunction(REQUEST) == FUNCTION_CREATED
    ids = [call.request.request_id for call in servicer.received]
    assert len(ids) == 3
    assert ids[0]
    assert len(set(ids)) == 1


def test_a_call_fails_after_four_attempts() -> None:
    servicer = Canned(*[UNAVAILABLE] * 9)
    with running_server(servicer) as target, connect(target) as facade, pytest.raises(FacadeError) as caught:
        facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 4 == RETRY_POLICY["maxAttempts"]
    assert caught.value.request_id == servicer.received[0].request.request_id


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN],
)
def test_other_statuses_are_not_retried(code: grpc.StatusCode) -> None:
    servicer = Canned(ErrorStatus(code))
    with running_server(servicer) as target, connect(target) as facade, pytest.raises(FacadeError):
        facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 1


def test_a_retry_honours_the_servers_pushback() -> None:
    pushback = 900
    # Without pushback, the second attempt follows within 240 ms: a backoff of 200 ms and 20 % of jitter.
    servicer = Canned(ErrorStatus(grpc.StatusCode.UNAVAILABLE, "", (("grpc-retry-pushback-ms", str(pushback)),)))
    with running_server(servicer) as target, connect(target) as facade:
        facade.functions.CreateFunction(REQUEST)
    first, second = (call.at for call in servicer.received)
    assert second - first > pushback / 1000 - 0.05


def test_a_negative_pushback_disables_the_retry() -> None:
    servicer = Canned(ErrorStatus(grpc.StatusCode.UNAVAILABLE, "", (("grpc-retry-pushback-ms", "-1"),)))
    with running_server(servicer) as target, connect(target) as facade, pytest.raises(FacadeError):
        facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 1


def test_a_client_with_retries_disabled_sends_once() -> None:
    servicer = Canned(UNAVAILABLE)
    with running_server(servicer) as target, connect(target, retry=False) as facade, pytest.raises(FacadeError):
        facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 1


def test_creates_without_request_ids_are_not_retried() -> None:
    servicer = Canned(UNAVAILABLE)
    with (
        running_server(servicer) as target,
        connect(target, request_ids=False) as facade,
        pytest.raises(FacadeError) as caught,
    ):
        facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 1
    assert caught.value.request_id == ""


def test_other_methods_are_retried_without_request_ids() -> None:
    answers = iter([grpc.StatusCode.UNAVAILABLE])
    calls = []

    def describe(request: bytes, context: Any) -> bytes:
        calls.append(request)
        for code in answers:
            context.abort(code, "down")
        return b"described"

    handlers = grpc.method_handlers_generic_handler(
        "cloudfront_facade.v1.LaterService", {"Describe": grpc.unary_unary_rpc_method_handler(describe)}
    )
    with (
        running_server(Canned(), handlers=[handlers]) as target,
        connect(target, request_ids=False) as facade,
    ):
        later: Any = facade.channel.unary_unary("/cloudfront_facade.v1.LaterService/Describe")
        assert later(b"name") == b"described"
    assert calls == [b"name", b"name"]


class Relay:
    """A TCP relay whose connections can be cut during calls."""

    def __init__(self, target: str) -> None:
        host, port = target.split(":")
        self._upstream = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        for connection in self._sockets:
            self._shut(connection)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *error: object) -> None:
        self._shut(self._listener)
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE)
        for connection in (self._listener, *self._sockets):
            connection.close()

    def _start(self, run: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._upstream)
            self._sockets += [near, far]
            self._start(self._pump, near, far)
            self._start(self._pump, far, near)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._shut(source)
        self._shut(sink)

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("request_ids", [True, False])
def test_a_create_is_retried_after_a_broken_connection_only_with_a_request_id(request_ids: bool) -> None:
    servicer = Canned()
    servicer.released.clear()
    with (
        running_server(servicer) as upstream,
        Relay(upstream) as relay,
        connect(relay.target, request_ids=request_ids) as facade,
    ):
        future = facade.functions.CreateFunction.future(REQUEST)
        assert servicer.started.wait(PATIENCE)
        relay.cut()
        if request_ids:
            servicer.released.set()
            assert future.result(PATIENCE) == FUNCTION_CREATED
        else:
            error = future.exception(PATIENCE)
            servicer.released.set()
            assert isinstance(error, FacadeError)
            assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")
    ids = [call.request.request_id for call in servicer.received]
    assert len(ids) == (2 if request_ids else 1)
    assert len(set(ids)) == 1


def test_every_method_with_a_request_id_is_idempotent() -> None:
    modules = (
        importlib.import_module(f"cloudfront_facade.v1.{module.name}")
        for module in pkgutil.iter_modules(cloudfront_facade.v1.__path__)
        if module.name.endswith("_pb2")
    )
    expected = [
        {"service": service.full_name, "method": method.name}
        for module in modules
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if "request_id" in method.input_type.fields_by_name
    ]
    assert {"service": "cloudfront_facade.v1.FunctionService", "method": "CreateFunction"} in expected
    assert sorted(idempotent_methods(), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("retry", [True, False])
def test_calls_rotate_among_all_addresses(retry: bool) -> None:
    config = json.loads(service_config(retry=retry, request_ids=True))
    assert config["loadBalancingConfig"] == [{"round_robin": {}}]
    first, second = Canned(), Canned()
    with running_server(first) as first_target, running_server(second) as second_target:
        both = f"ipv4:{first_target},{second_target}"
        with connect(both, retry=retry) as facade:
            # The second connection may be ready only some calls after the first.
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end and not (first.received and second.received):
                facade.functions.CreateFunction(REQUEST)
    assert first.received
    assert second.received
