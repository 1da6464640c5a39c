"""The limits of connections: their number and their age."""

from __future__ import annotations

import time
from pathlib import Path

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2 import ListFunctionsRequest
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade_server.grpc_server.connections import count_connections
from support.facade import open_channel
from support.http2 import RawConnection
from support.process import EMBEDDED, FacadeProcess

HEALTH = "/grpc.health.v1.Health/Check"


def test_connections_above_the_limit_are_closed_and_logged_and_open_ones_go_on() -> None:
    with FacadeProcess(*EMBEDDED, "--max-connections", "3") as process, open_channel(process.address) as channel:
        check = channel.unary_unary(HEALTH)
        assert check(b"", timeout=5)
        others = [RawConnection(process.address) for _ in range(2)]
        line = process.wait_for("connection limit reached; further connections are closed", timeout=5)
        assert (line["connections"], line["limit"]) == (3, 3)
        with RawConnection(process.address) as surplus, pytest.raises((OSError, AssertionError)):
            surplus.status(surplus.open(HEALTH, end=True), timeout=3)
        assert check(b"", timeout=5)
        for connection in others:
            connection.socket.close()
        process.wait_for("below the connection limit again", timeout=5)
        with open_channel(process.address, use_local_subchannel_pool=1) as another:
            assert another.unary_unary(HEALTH)(b"", timeout=5)


def test_connection_is_replaced_when_it_reaches_its_age_and_no_call_fails() -> None:
    with FacadeProcess(*EMBEDDED, "--max-connection-age", "0.5") as process, open_channel(process.address) as channel:
        functions = FunctionServiceStub(channel)
        ends = time.monotonic() + 2.5
        while time.monotonic() < ends:
            functions.ListFunctions(ListFunctionsRequest(), timeout=5)
        callers = {line["caller"] for line in process.lines if line["event"] == "rpc"}
        assert len(callers) > 1, "the client kept its connection"


def test_listener_recovers_when_the_process_ran_out_of_files() -> None:
    with FacadeProcess(*EMBEDDED, prefix=["sh", "-c", 'ulimit -n 300 && exec "$@"', "sh"]) as process:
        line = next(
            line for line in process.lines if line["event"] == "the limit of open files lowers --max-connections"
        )
        assert (line["max_connections"], line["open_files"]) == (44, 300)
        flood = [RawConnection(process.address) for _ in range(60)]
        with open_channel(process.address) as channel:
            failed = channel.unary_unary(HEALTH).future(b"", timeout=1).exception()
            assert isinstance(failed, grpc.RpcError)
        for connection in flood:
            connection.socket.close()
        time.sleep(0.3)
        with open_channel(process.address, use_local_subchannel_pool=1) as channel:
            assert channel.unary_unary(HEALTH)(b"", timeout=10, wait_for_ready=True)


def test_connections_to_a_unix_socket_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "facade.sock"
    with (
        FacadeProcess(*EMBEDDED, "--listen", f"unix:{path}") as process,
        open_channel(process.address) as channel,
        open_channel(process.address, use_local_subchannel_pool=1) as another,
    ):
        for number, each in enumerate((channel, another), 1):
            assert each.unary_unary(HEALTH)(b"", timeout=5)
            assert count_connections(process.address) == number
