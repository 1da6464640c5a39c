"""The outcome of calls that found no server: `not_applied`, unless an earlier attempt may have been sent."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import grpc
import pytest

from client.both import Run, both
from client.canned import PATIENCE, Canned, ErrorStatus, reserved_target, running_server
from client.relay import Relay
from cloudfront_facade import FacadeError, connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.key_value_store_data_service_pb2 import PutKeyRequest

REQUEST = CreateFunctionRequest(name="rewrite")
CALLS: list[tuple[str, str, Any]] = [
    ("functions", "CreateFunction", REQUEST),
    ("key_values", "PutKey", PutKeyRequest(kvs_arn="arn", key="a", value="b")),
    ("key_values", "put_many", None),
]


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


def test_a_create_whose_server_vanished_after_it_was_sent_is_unknown() -> None:
    """The last attempt found no server, but the first one may have been applied."""
    servicer = Canned()
    with running_server(servicer) as upstream, Relay(upstream) as relay, connect(relay.target) as facade:
        facade.functions.CreateFunction(REQUEST)
        servicer.started.clear()
        servicer.released.clear()
        future = facade.functions.CreateFunction.future(REQUEST)
        assert servicer.started.wait(PATIENCE)
        relay.close()
        error = future.exception(PATIENCE)
        servicer.released.set()
    assert isinstance(error, FacadeError)
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")
    assert "Connection re" in error.details(), "the last attempt found no server"
    assert error.request_id in str(error)


@both
def test_an_answer_with_the_text_of_a_missing_connection_is_unknown(run: Run) -> None:
    """A proxy may pass on the text of its client, together with trailers."""
    text = "failed to connect to all addresses; last error: no route"
    servicer = Canned(ErrorStatus(grpc.StatusCode.UNAVAILABLE, text, (("via", "proxy"),)))
    with running_server(servicer) as target:
        error = failure(run, target, "functions", "CreateFunction", REQUEST, retry=False)
    assert error.outcome == "unknown"
