"""The timeout of a call: what gRPC cannot represent."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from client.both import Run, both
from client.canned import FUNCTION_CREATED, Canned, running_server
from cloudfront_facade._defaults import LONGEST_TIMEOUT
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

REQUEST = CreateFunctionRequest(name="rewrite")


@both
@pytest.mark.parametrize("timeout", [math.inf, sys.float_info.max, 1e12, LONGEST_TIMEOUT * 2])
def test_a_timeout_without_end_waits(run: Run, timeout: float) -> None:
    servicer = Canned()
    with running_server(servicer) as target:
        assert run(target, "functions", "CreateFunction", REQUEST, timeout=timeout) == FUNCTION_CREATED
    [received] = servicer.received
    assert received.time_left == pytest.approx(LONGEST_TIMEOUT, rel=0.01)


@both
@pytest.mark.parametrize(
    ("service", "name", "arguments"),
    [
        ("key_value_stores", "wait_until_ready", ("store",)),
        ("key_values", "put_many", ("arn", {"a": "b"})),
        ("key_values", "list_keys", ("arn",)),
        ("functions", "create_and_publish", (REQUEST,)),
    ],
)
def test_a_helper_without_end_waits(run: Run, service: str, name: str, arguments: Any) -> None:
    servicer = Canned()
    with running_server(servicer) as target:
        run(target, service, name, *arguments, timeout=math.inf)
    assert all(received.time_left and received.time_left > LONGEST_TIMEOUT * 0.9 for received in servicer.received)


@both
def test_a_timeout_that_is_not_a_number_is_rejected(run: Run) -> None:
    servicer = Canned()
    with running_server(servicer) as target, pytest.raises(ValueError, match="not nan"):
        run(target, "functions", "CreateFunction", REQUEST, timeout=math.nan)
    assert not servicer.received
