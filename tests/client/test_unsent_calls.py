"""The outcome of calls that found no server: `not_applied`, unless an earlier attempt may have been sent."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from client.both import Run, both
from client.canned import PATIENCE, Canned, ErrorStatus, reserved_target, running_server
from client.relay import Relay
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade._service_config import RETRY_POLICY
from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    DeleteFunctionRequest,
    PublishFunctionRequest,
    UpdateFunctionRequest,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2 import PutKeyRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_service_pb2 import TagResourceRequest

REQUEST = CreateFunctionRequest(name="rewrite")
CALLS: list[tuple[str, str, Any]] = [
    ("functions", "CreateFunction", REQUEST),
    ("key_values", "PutKey", PutKeyRequest(kvs_arn="arn", key="a", value="b")),
    ("key_values", "put_many", None),
]
CHANGES: list[tuple[str, str, Any]] = [
    ("functions", "CreateFunction", REQUEST),
    ("functions", "UpdateFunction", UpdateFunctionRequest(name="rewrite", etag="E1")),
    ("functions", "PublishFunction", PublishFunctionRequest(name="rewrite", etag="E1")),
    ("functions", "DeleteFunction", DeleteFunctionRequest(name="rewrite", etag="E1")),
    ("key_value_stores", "CreateKeyValueStore", CreateKeyValueStoreRequest(name="rewrite")),
    ("tags", "TagResource", TagResourceRequest(resource="arn")),
]
"""Calls that are sent again after a connection broke."""
RECONNECT_SOON = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100)]


def failure(run: Run, target: str, service: str, name: str, request: Any, **options: Any) -> FacadeError:
    arguments = ("arn", {"a": "b"}) if request is None else (request,)
    with pytest.raises(FacadeError) as caught:
        run(target, service, name, *arguments, options=options)
    return caught.value


@both
@pytest.mark.parametrize(("service", "name", "request_"), CALLS, ids=[name for _, name, _ in CALLS])
def test_a_refused_connection_is_unavailable_and_not_applied(run: Run, service: str, name: str, request_: Any) -> None:
    with reserved_target() as target:
        error = failure(run, target, service, name, request_)
    assert (error.code(), error.reason, error.outcome) == (grpc.StatusCode.UNAVAILABLE, "", "not_applied")
    assert "retry safely" not in str(error)


@pytest.mark.parametrize("target", ["unix:/nonexistent/socket", "facade.invalid:50051", "ipv4:127.0.0.1:1,127.0.0.2:1"])
@both
def test_every_kind_of_missing_server_is_not_applied(run: Run, target: str) -> None:
    error = failure(run, target, "functions", "CreateFunction", REQUEST, retry=False)
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "not_applied")


def test_the_second_call_to_a_missing_server_is_not_applied_either() -> None:
    with reserved_target() as target, connect(target, retry=False) as facade:
        for _ in range(2):
            error = facade.functions.CreateFunction.future(REQUEST).exception(PATIENCE)
            assert isinstance(error, FacadeError)
            assert error.outcome == "not_applied"


def test_the_outcome_survives_a_copy_and_a_pickle() -> None:
    with reserved_target() as target, connect(target, retry=False) as facade, pytest.raises(FacadeError) as caught:
        facade.functions.CreateFunction(REQUEST)
    assert copy.copy(caught.value).outcome == "not_applied"
    assert pickle.loads(pickle.dumps(caught.value)).outcome == "not_applied"  # noqa: S301 (its own bytes)


@contextmanager
def vanishing_server(servicer: Canned, address: str = "127.0.0.1:0") -> Iterator[str]:
    """Yields the target of a server that vanishes when it has received a call."""
    servicer.started.clear()
    servicer.released.clear()
    with running_server(servicer) as upstream, Relay(upstream, address) as relay:

        def vanish() -> None:
            if servicer.started.wait(PATIENCE):
                relay.close()

        vanishing = threading.Thread(target=vanish)
        vanishing.start()
        try:
            yield relay.target
        finally:
            servicer.released.set()
            vanishing.join()


@both
@pytest.mark.parametrize(("service", "name", "request_"), CHANGES, ids=[name for _, name, _ in CHANGES])
def test_a_change_whose_server_vanished_after_it_was_sent_is_unknown(
    run: Run, service: str, name: str, request_: Any
) -> None:
    """The last attempt found no server, but the first one, the first call of the channel, may have been applied."""
    servicer = Canned()
    with vanishing_server(servicer) as target:
        error = failure(run, target, service, name, request_)
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")
    assert "Connection re" in error.details(), "the last attempt found no server"
    assert [call.method for call in servicer.received] == [name]
    assert ("retry safely" in str(error)) is name.startswith("Create")


def test_a_create_whose_server_vanished_is_unknown_if_the_channel_was_connected() -> None:
    servicer = Canned()
    with vanishing_server(servicer) as target, connect(target) as facade:
        grpc.channel_ready_future(facade.channel).result(PATIENCE)
        check_unknown(servicer, facade.functions.CreateFunction.future(REQUEST).exception(PATIENCE))


def test_a_create_whose_server_vanished_is_unknown_if_the_channel_reconnected() -> None:
    servicer = Canned()
    with reserved_target() as target, connect(target, options=RECONNECT_SOON) as facade:
        missing = facade.functions.CreateFunction.future(REQUEST).exception(PATIENCE)
        assert isinstance(missing, FacadeError)
        assert missing.outcome == "not_applied"
        with vanishing_server(servicer, target):
            check_unknown(servicer, facade.functions.CreateFunction.future(REQUEST).exception(PATIENCE))


def test_an_asyncio_create_whose_server_vanished_is_unknown_if_the_channel_reconnected() -> None:
    servicer = Canned()

    async def main(target: str) -> None:
        async with aio.connect(target, options=RECONNECT_SOON) as facade:
            with pytest.raises(FacadeError) as missing:
                await facade.functions.CreateFunction(REQUEST)
            assert missing.value.outcome == "not_applied"
            with vanishing_server(servicer, target), pytest.raises(FacadeError) as caught:
                await facade.functions.CreateFunction(REQUEST)
            check_unknown(servicer, caught.value)

    with reserved_target() as target:
        asyncio.run(main(target))


def check_unknown(servicer: Canned, error: Exception | None) -> None:
    assert isinstance(error, FacadeError)
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")
    assert len(servicer.received) == 1
    assert error.request_id == servicer.received[0].request.request_id
    assert error.request_id in str(error)


@both
def test_a_create_that_grpc_retries_is_unknown(run: Run) -> None:
    """By a retry policy of the caller. Then gRPC reports only the last attempt."""
    config = {"methodConfig": [{"name": [{}], "retryPolicy": RETRY_POLICY}]}
    servicer = Canned()
    with vanishing_server(servicer) as target:
        options = [("grpc.service_config", json.dumps(config))]
        error = failure(run, target, "functions", "CreateFunction", REQUEST, options=options)
    assert "Connection re" in error.details(), "the last attempt found no server"
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")


@both
@pytest.mark.parametrize(
    ("option", "outcome"),
    [
        (("grpc.service_config", "{}"), "unknown"),
        (("grpc.service_config_disable_resolution", 0), "unknown"),
        (("grpc.enable_retries", 0), "not_applied"),
    ],
)
def test_a_refused_connection_is_unknown_if_grpc_may_retry(run: Run, option: Any, outcome: str) -> None:
    with reserved_target() as target:
        error = failure(run, target, "functions", "CreateFunction", REQUEST, options=[option])
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, outcome)


@both
def test_an_answer_with_the_text_of_a_missing_connection_is_unknown(run: Run) -> None:
    """A proxy may pass on the text of its client, together with trailers."""
    text = "failed to connect to all addresses; last error: no route"
    servicer = Canned(ErrorStatus(grpc.StatusCode.UNAVAILABLE, text, (("via", "proxy"),)))
    with running_server(servicer) as target:
        error = failure(run, target, "functions", "CreateFunction", REQUEST, retry=False)
    assert error.outcome == "unknown"
