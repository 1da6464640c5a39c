"""The limits of connections: their number and their age."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2 import ListFunctionsRequest
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade_server.grpc_server import connections
from cloudfront_facade_server.grpc_server.connections import count_connections, count_lines, tcp_connection
from support.facade import open_channel
from support.http2 import RawConnection
from support.process import EMBEDDED, FacadeProcess
from support.waiting import wait_until

HEALTH = "/grpc.health.v1.Health/Check"
ESTABLISHED, TIME_WAIT, LISTEN = "01", "06", "0A"


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


def tcp_line(number: int, local: str, remote: str, state: str) -> str:
    """Returns a line of /proc/net/tcp or tcp6."""
    line = f"{number:4}: {local} {remote} {state} 00000000:00000000 03:00000{number % 4096:03X}"
    return f"{line} 00000000     0        0 0 3 00000000{number:08x}".ljust(149) + "\n"


def test_a_table_of_thirty_thousand_connections_is_counted_exactly_and_fast(tmp_path: Path) -> None:
    local, remote, ipv6 = "0100007F", "0200007F", "0" * 24 + "01000000"
    kinds = [
        (f"{local}:C351", f"{remote}:{{:04X}}", TIME_WAIT),
        (f"{local}:C351", f"{remote}:{{:04X}}", ESTABLISHED),
        (f"{ipv6}:C351", f"{ipv6}:{{:04X}}", ESTABLISHED),
        (f"{local}:{{:04X}}", f"{remote}:C351", ESTABLISHED),  # a client of the same port elsewhere
        (f"{local}:C352", f"{remote}:{{:04X}}", ESTABLISHED),
        (f"{local}:C351", "00000000:0000", LISTEN),
    ]
    table = tmp_path / "tcp"
    lines = (
        tcp_line(number, *(part.format(number % 50_000) for part in kinds[number % len(kinds)]))
        for number in range(30_000)
    )
    table.write_text("  sl  local_address rem_address   st".ljust(149) + "\n" + "".join(lines))
    started = time.thread_time()
    assert count_lines(table, tcp_connection(0xC351)) == 10_000
    seconds = time.thread_time() - started
    for line in table.read_text().splitlines():
        line.split()
    assert seconds < (time.thread_time() - started) / 3, "it takes as long as splitting the lines"


def test_connections_are_counted_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    counted_in = []
    monkeypatch.setattr(connections, "count_connections", lambda _: counted_in.append(threading.current_thread()))
    asyncio.run(connections.watch_connections("127.0.0.1:50051", 1))
    assert len(counted_in) == 1
    assert counted_in != [threading.current_thread()]


def test_only_open_connections_to_the_port_are_counted() -> None:
    with ExitStack() as stack:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            listener = stack.enter_context(socket.create_server((host, 0), family=family))
            port = listener.getsockname()[1]
            pairs = []
            for _ in range(20):
                client = stack.enter_context(socket.create_connection((host, port)))
                pairs.append((client, stack.enter_context(listener.accept()[0])))
            # The system may list a connection twice if others open and close meanwhile.
            wait_until(lambda: count_connections(f"{host}:{port}") == 20)  # noqa: B023
            for client, server in pairs[:5]:
                server.close()  # the server's end becomes TIME_WAIT
                client.close()
            wait_until(lambda: count_connections(f"{host}:{port}") == 15)  # noqa: B023
