"""What a call made through `connect` is like: where it goes, how long it may take, what it carries."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from client.canned import FUNCTION_CREATED, STORE_CREATED, Canned, Refusal, running_server
from cloudfront_facade import FacadeError, connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = CreateFunctionRequest(
    name="rewrite",
    function_config=FunctionConfig(runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0),
    function_code=b"\x00\xff code",
    tags=[Tag(key="team", value="web"), Tag(key="bare")],
    request_id="0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f",
)


def test_requests_and_responses_of_both_services_are_the_generated_messages() -> None:
    servicer = Canned()
    store = CreateKeyValueStoreRequest(name="redirects", comment="", request_id=str(uuid.uuid4()))
    with running_server(servicer) as target, connect(target) as facade:
        assert facade.functions.CreateFunction(REQUEST) == FUNCTION_CREATED
        assert facade.key_value_stores.CreateKeyValueStore(store) == STORE_CREATED
    assert [each.request for each in servicer.received] == [REQUEST, store]


def test_a_unix_socket_is_a_target_too(tmp_path: Path) -> None:
    with running_server(Canned(), f"unix:{tmp_path}/s") as target, connect(target) as facade:
        assert facade.functions.CreateFunction(REQUEST) == FUNCTION_CREATED


@pytest.mark.parametrize(
    ("of_client", "of_call", "at_most"),
    [
        ({}, None, 30.0),
        ({"deadline": 12.0}, None, 12.0),
        ({"deadline": 12.0}, 5.0, 5.0),
        ({"deadline": None}, 5.0, 5.0),
    ],
)
def test_a_call_has_its_own_deadline_or_the_clients(
    of_client: dict[str, Any], of_call: float | None, at_most: float
) -> None:
    servicer = Canned()
    with running_server(servicer) as target, connect(target, **of_client) as facade:
        facade.functions.CreateFunction(REQUEST, timeout=of_call)
    [received] = servicer.received
    assert received.time_left is not None
    # The server may see up to a millisecond more, as times are rounded up on the wire.
    assert at_most - 4 < received.time_left < at_most + 0.1


def test_a_client_without_a_deadline_sends_none() -> None:
    servicer = Canned()
    with running_server(servicer) as target, connect(target, deadline=None) as facade:
        facade.functions.CreateFunction(REQUEST)
    [received] = servicer.received
    # A server without asyncio says centuries instead of None.
    assert received.time_left is None or received.time_left > 1e9


def test_a_call_ends_at_its_deadline() -> None:
    servicer = Canned()
    servicer.released.clear()
    with running_server(servicer) as target, connect(target, deadline=0.3) as facade:
        with pytest.raises(FacadeError) as caught:
            facade.functions.CreateFunction(REQUEST)
        servicer.released.set()
    assert (caught.value.code(), caught.value.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "")


@pytest.mark.parametrize("deadline", [0, -1.0])
def test_a_deadline_that_is_not_above_zero_is_refused(deadline: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        connect("127.0.0.1:1", deadline=deadline)


def test_metadata_of_a_call_and_the_call_itself_are_those_of_grpc() -> None:
    seen: dict[str, str | bytes] = {}

    class Curious(Canned):
        def CreateFunction(self, request: Any, context: Any) -> Any:  # noqa: N802
            seen.update(context.invocation_metadata())
            context.send_initial_metadata((("x-cloudfront-facade-backend", "embedded"),))
            return FUNCTION_CREATED

    with running_server(Curious()) as target, connect(target) as facade:
        response, call = facade.functions.CreateFunction.with_call(REQUEST, metadata=(("x-trace", "7"),))
        assert response == FUNCTION_CREATED
        assert isinstance(call, grpc.Call)
        assert call.code() is grpc.StatusCode.OK
        assert dict(call.initial_metadata()) == {"x-cloudfront-facade-backend": "embedded"}
    assert seen["x-trace"] == "7"


def test_channel_arguments_of_the_caller_prevail() -> None:
    servicer = Canned(*[Refusal(grpc.StatusCode.UNAVAILABLE)] * 2)
    no_retries = [("grpc.service_config", json.dumps({}))]
    with (
        running_server(servicer) as target,
        connect(target, options=no_retries) as facade,
        pytest.raises(FacadeError),
    ):
        facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 1


def test_a_closed_client_calls_no_more() -> None:
    servicer = Canned()
    with running_server(servicer) as target:
        with connect(target) as facade:
            facade.functions.CreateFunction(REQUEST)
        with pytest.raises(ValueError, match="closed channel"):
            facade.functions.CreateFunction(REQUEST)
    assert len(servicer.received) == 1


def test_a_create_without_a_request_id_is_given_a_uuid_of_its_own() -> None:
    servicer = Canned()
    request = CreateFunctionRequest()
    request.CopyFrom(REQUEST)
    request.ClearField("request_id")
    store = CreateKeyValueStoreRequest(name="redirects")
    with running_server(servicer) as target, connect(target) as facade:
        facade.functions.CreateFunction(request)
        facade.functions.CreateFunction(request)
        facade.key_value_stores.CreateKeyValueStore(store)
    ids = [each.request.request_id for each in servicer.received]
    assert [str(uuid.UUID(each)) for each in ids] == ids
    assert len(set(ids)) == 3
    # The caller's messages are as they were, and what was sent is theirs but for the id.
    assert not request.request_id
    assert not store.request_id
    servicer.received[0].request.ClearField("request_id")
    assert servicer.received[0].request == request


def test_no_request_id_is_filled_in_where_the_client_was_told_not_to() -> None:
    servicer = Canned()
    with running_server(servicer) as target, connect(target, request_ids=False) as facade:
        facade.functions.CreateFunction(CreateFunctionRequest(name="rewrite"))
        facade.functions.CreateFunction(REQUEST)
    assert [each.request.request_id for each in servicer.received] == ["", REQUEST.request_id]
