"""When a call is retried. `test_key_write_repeats` is about the writes of keys."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import grpc
import pytest

from client.both import Run, blocking, both
from client.canned import FUNCTION_CREATED, PATIENCE, Canned, ErrorStatus, running_server
from client.rejecting import Rejections, rejecting_server
from client.relay import Relay
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade._service_config import RETRY_POLICY, RETRY_THROTTLING, service_config
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, GetFunctionRequest
from cloudfront_facade.v1.tag_service_pb2 import ListTagsForResourceRequest

REQUEST = CreateFunctionRequest(name="rewrite")
RETRYABLE = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED]
RETRY_SECONDS = 0.3
"""More than the backoff before a first retry: 0.2 s and 20 % of jitter."""
UNAVAILABLE = ErrorStatus(grpc.StatusCode.UNAVAILABLE, "down")


def test_an_unavailable_call_is_retried_with_the_same_request_id() -> None:
    servicer = Canned(UNAVAILABLE, UNAVAILABLE)
    with running_server(servicer) as target, connect(target) as facade:
        assert facade.functions.CreateFunction(REQUEST) == FUNCTION_CREATED
    ids = [call.request.request_id for call in servicer.received]
    assert len(ids) == 3
    assert ids[0]
    assert len(set(ids)) == 1


@both
@pytest.mark.parametrize("code", RETRYABLE)
def test_a_call_that_a_stopping_server_ends_is_retried(run: Run, code: grpc.StatusCode) -> None:
    servicer = Canned(ErrorStatus(code), ErrorStatus(code))
    with running_server(servicer) as target:
        assert run(target, "functions", "CreateFunction", REQUEST) == FUNCTION_CREATED
    assert len(servicer.received) == 3


def test_a_call_that_its_caller_cancels_is_not_retried() -> None:
    servicer = Canned()
    servicer.released.clear()
    with running_server(servicer) as target, connect(target) as facade:
        future = facade.functions.CreateFunction.future(REQUEST)
        assert servicer.started.wait(PATIENCE)
        future.cancel()
        servicer.released.set()
        # The server receives the calls of a channel in order, so a retry without backoff would be seen too.
        time.sleep(RETRY_SECONDS)
        facade.tags.ListTagsForResource(ListTagsForResourceRequest())
    assert [call.method for call in servicer.received] == ["CreateFunction", "ListTagsForResource"]


@both
def test_an_outage_is_not_made_worse_by_retries(run: Run) -> None:
    """Half of the tokens are spent one for each failed attempt, then calls are sent once."""
    free = int(RETRY_THROTTLING["maxTokens"] / 2)
    soon = (("grpc-retry-pushback-ms", "1"),)  # gRPC hangs on 0 (grpcio 1.83.2)
    servicer = Canned(*[ErrorStatus(grpc.StatusCode.UNAVAILABLE, "", soon)] * (free * 4))
    calls = free

    with running_server(servicer) as target:
        if run is blocking:
            with connect(target) as facade:
                for _ in range(calls):
                    assert facade.functions.GetFunction.future(GetFunctionRequest()).exception(PATIENCE)
        else:

            async def main() -> None:
                async with aio.connect(target) as facade:
                    for _ in range(calls):
                        with pytest.raises(FacadeError):
                            await facade.functions.GetFunction(GetFunctionRequest())

            asyncio.run(main())
    # Four attempts of each call until the tokens are spent: 100 attempts of 25 calls; then one attempt of each.
    assert len(servicer.received) == pytest.approx(free + (calls - free / 4), abs=4)


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
    pushback = 900  # milliseconds
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


def test_a_create_without_a_request_id_is_sent_once() -> None:
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


@both
def test_a_create_without_a_request_id_is_retried_if_no_server_received_it(run: Run) -> None:
    rejections = Rejections(1)
    with rejecting_server(rejections) as target:
        run(target, "functions", "CreateFunction", REQUEST, options={"request_ids": False})
    assert rejections.received == 2


@pytest.mark.parametrize("retry", [True, False])
def test_calls_rotate_among_all_addresses(retry: bool) -> None:
    config = json.loads(service_config(retry=retry))
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
