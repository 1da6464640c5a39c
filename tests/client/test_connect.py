"""The calls of a client: their target, deadline, metadata and request ids."""

from __future__ import annotations

import asyncio
import json
import math
import re
import sys
import uuid
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from client.both import Run, both
from client.canned import FUNCTION_CREATED, STORE_CREATED, Canned, ErrorStatus, running_server
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade._defaults import LONGEST_TIMEOUT
from cloudfront_facade.jobs import list_keys, put_many, wait_until_ready
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
from cloudfront_facade.v1.key_value_store_data_service_pb2 import KeyValue, ListKeysResponse, PutKeyRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import ListTagsForResourceRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REQUEST = CreateFunctionRequest(
    name="rewrite",
    function_config=FunctionConfig(runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0),
    function_code=b"\x00\xff code",
    tags=[Tag(key="team", value="web"), Tag(key="bare")],
    request_id="0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f",
)


def test_requests_and_responses_are_the_generated_messages() -> None:
    servicer = Canned()
    store = CreateKeyValueStoreRequest(name="redirects", comment="", request_id=str(uuid.uuid4()))
    with running_server(servicer) as target, connect(target) as facade:
        assert facade.functions.CreateFunction(REQUEST) == FUNCTION_CREATED
        assert facade.key_value_stores.CreateKeyValueStore(store) == STORE_CREATED
    assert [call.request for call in servicer.received] == [REQUEST, store]


def test_a_unix_socket_is_a_valid_target(tmp_path: Path) -> None:
    with running_server(Canned(), f"unix:{tmp_path}/s") as target, connect(target) as facade:
        assert facade.functions.CreateFunction(REQUEST) == FUNCTION_CREATED


@pytest.mark.parametrize(
    ("options", "timeout", "at_most"),
    [
        ({}, None, 30.0),
        ({"deadline": 12.0}, None, 12.0),
        ({"deadline": 12.0}, 5.0, 5.0),
        ({"deadline": None}, 5.0, 5.0),
    ],
)
def test_a_call_has_its_own_deadline_or_the_clients_default(
    options: dict[str, Any], timeout: float | None, at_most: float
) -> None:
    servicer = Canned()
    with running_server(servicer) as target, connect(target, **options) as facade:
        facade.functions.CreateFunction(REQUEST, timeout=timeout)
    [received] = servicer.received
    assert received.time_left is not None
    # The server may see up to a millisecond more, because times are rounded up on the wire.
    assert at_most - 4 < received.time_left < at_most + 0.1


@both
@pytest.mark.parametrize("deadline", [None, math.inf, sys.float_info.max])
def test_a_deadline_without_end_is_the_longest_one(run: Run, deadline: float | None) -> None:
    """Without any, the server would apply its --default-deadline, also to ImportKeys."""
    servicer = Canned()
    with running_server(servicer) as target:
        for service, name, *arguments in (
            ("functions", "CreateFunction", REQUEST),
            ("key_values", "PutKey", PutKeyRequest()),
            ("key_values", "put_many", "arn", {"a": "b"}),
        ):
            run(target, service, name, *arguments, options={"deadline": deadline})
    assert [received.time_left for received in servicer.received] == [pytest.approx(LONGEST_TIMEOUT, rel=0.01)] * 3


def test_a_call_ends_at_its_deadline() -> None:
    servicer = Canned()
    servicer.released.clear()
    with running_server(servicer) as target, connect(target, deadline=0.3) as facade:
        with pytest.raises(FacadeError) as caught:
            facade.functions.CreateFunction(REQUEST)
        servicer.released.set()
    assert (caught.value.code(), caught.value.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "")


@pytest.mark.parametrize("deadline", [0, -1.0, -math.inf, math.nan])
def test_a_deadline_must_be_above_zero(deadline: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        connect("127.0.0.1:1", deadline=deadline)


def test_with_call_returns_the_grpc_call_and_metadata() -> None:
    received_metadata: dict[str, str | bytes] = {}

    class MetadataServicer(Canned):
        def CreateFunction(self, request: Any, context: Any) -> Any:  # noqa: N802
            received_metadata.update(context.invocation_metadata())
            context.send_initial_metadata((("x-cloudfront-facade-backend", "embedded"),))
            return FUNCTION_CREATED

    with running_server(MetadataServicer()) as target, connect(target) as facade:
        response, call = facade.functions.CreateFunction.with_call(REQUEST, metadata=(("x-trace", "7"),))
        assert response == FUNCTION_CREATED
        assert isinstance(call, grpc.Call)
        assert call.code() is grpc.StatusCode.OK
        assert dict(call.initial_metadata()) == {"x-cloudfront-facade-backend": "embedded"}
    assert received_metadata["x-trace"] == "7"


def test_channel_arguments_of_the_caller_take_precedence() -> None:
    servicer = Canned(*[ErrorStatus(grpc.StatusCode.UNAVAILABLE)] * 2)
    no_retries = [("grpc.service_config", json.dumps({}))]
    with (
        running_server(servicer) as target,
        connect(target, options=no_retries) as facade,
        pytest.raises(FacadeError),
    ):
        facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 1


health: Any = HealthStub


@pytest.mark.parametrize("closed_by", ["with", "close", "close of the channel"])
def test_calls_of_a_closed_client_raise_value_error(closed_by: str) -> None:
    servicer = Canned(*[ListKeysResponse(next_page_token="more", items=[KeyValue(key="a")])] * 2)
    with running_server(servicer) as target:
        with connect(target) as facade:
            functions, stores = facade.functions, facade.key_value_stores
            keys = list_keys(facade.key_values, "")
            next(keys)
            if closed_by == "close":
                facade.close()
            elif closed_by == "close of the channel":
                facade.channel.close()
        calls: list[Callable[[], Any]] = [
            lambda: functions.CreateFunction(REQUEST),
            lambda: functions.CreateFunction.with_call(REQUEST),
            lambda: functions.CreateFunction.future(REQUEST).result(),
            lambda: wait_until_ready(stores, "redirects"),
            lambda: next(keys),
            lambda: put_many(facade.key_values, "", {"a": "1"}),
            lambda: facade.key_values.ImportKeys(iter([])),
            lambda: facade.tags.ListTagsForResource(ListTagsForResourceRequest()),
            lambda: health(facade.channel).Check(HealthCheckRequest()),
            lambda: next(health(facade.channel).Watch(HealthCheckRequest())),
        ]
        # Without the check, each of these calls would crash the process.
        for call in calls:
            with pytest.raises(ValueError, match=r"^the client is closed$"):
                call()
    assert [call.method for call in servicer.received] == ["ListKeys"]


def test_calls_of_a_closed_asyncio_client_raise_value_error() -> None:
    async def main(target: str) -> None:
        async with aio.connect(target) as facade:
            functions = facade.functions
            await functions.CreateFunction(REQUEST)
        calls: list[Callable[[], Any]] = [
            lambda: functions.CreateFunction(REQUEST),
            lambda: facade.tags.ListTagsForResource(ListTagsForResourceRequest()),
            lambda: aio.put_many(facade.key_values, "", {"a": "1"}),
            lambda: anext(aiter(health(facade.channel).Watch(HealthCheckRequest()))),
        ]
        for call in calls:
            with pytest.raises(ValueError, match=r"^the client is closed(\n|$)"):
                await call()

    servicer = Canned()
    with running_server(servicer) as target:
        asyncio.run(main(target))
    assert len(servicer.received) == 1


async def asyncio_connect(target: str, **options: Any) -> None:
    await aio.connect(target, **options).close()


clients = pytest.mark.parametrize(
    "open_client", [connect, lambda *target, **options: asyncio.run(asyncio_connect(*target, **options))]
)


@clients
@pytest.mark.parametrize(
    "target",
    [
        *("", "nonsense", "127.0.0.1", "facade.example.com", "[::1]", "::1", "::1:50051", "http://127.0.0.1:1"),
        *("https://127.0.0.1:1", ":50051", "localhost:", "localhost:http", "local host:1", "127.0.0.1:1/path"),
        *("127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1", "[::1]:99999", "dns:///facade.example.com:70000"),
        *("unix:", "127.0.0.1:\u0661"),
    ],
)
def test_an_invalid_target_is_rejected(open_client: Callable[..., Any], target: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f'"{target}"; allowed: HOST:PORT with a port from 1 to 65535, ')):
        open_client(target)


@clients
@pytest.mark.parametrize(
    "target",
    [
        *("127.0.0.1:50051", "localhost:1", "facade.example.com:65535", "[::1]:50051", "[fe80::1%eth0]:50051"),
        *("dns:facade.example.com", "dns:///facade.example.com:443", "dns://8.8.8.8/facade.example.com:443"),
        *("unix:/run/facade.sock", "unix:///run/facade.sock", "unix:70000", "unix-abstract:facade"),
        *("ipv4:127.0.0.1:1,127.0.0.2:2", "ipv6:[::1]:1", "my_service:50051"),
    ],
)
def test_every_valid_form_of_target_is_accepted(open_client: Callable[..., Any], target: str) -> None:
    client = open_client(target)
    if client:
        client.close()


@clients
@pytest.mark.parametrize("tls", [True, False, "ca.pem"])
def test_tls_must_be_a_tls_object(open_client: Callable[..., Any], tls: Any) -> None:
    with pytest.raises(TypeError, match=rf"tls must be a TLS.* not {type(tls).__name__}"):
        open_client("127.0.0.1:1", tls=tls)


def test_a_create_without_a_request_id_gets_a_new_uuid() -> None:
    servicer = Canned()
    request = CreateFunctionRequest()
    request.CopyFrom(REQUEST)
    request.ClearField("request_id")
    store = CreateKeyValueStoreRequest(name="redirects")
    with running_server(servicer) as target, connect(target) as facade:
        facade.functions.CreateFunction(request)
        facade.functions.CreateFunction(request)
        facade.key_value_stores.CreateKeyValueStore(store)
    ids = [call.request.request_id for call in servicer.received]
    assert [str(uuid.UUID(request_id)) for request_id in ids] == ids
    assert len(set(ids)) == 3
    # The caller's messages are unchanged, and what was sent differs only in the id.
    assert not request.request_id
    assert not store.request_id
    servicer.received[0].request.ClearField("request_id")
    assert servicer.received[0].request == request


def test_request_ids_can_be_disabled() -> None:
    servicer = Canned()
    with running_server(servicer) as target, connect(target, request_ids=False) as facade:
        facade.functions.CreateFunction(CreateFunctionRequest(name="rewrite"))
        facade.functions.CreateFunction(REQUEST)
    assert [call.request.request_id for call in servicer.received] == ["", REQUEST.request_id]
