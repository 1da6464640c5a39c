"""Floods of pings, of silent connections and of reset calls, and calls of unknown methods, on a real process."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from h2.exceptions import ProtocolError
from hyperframe.frame import PingFrame

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.facade import failing, function, open_channel
from support.http2 import RawConnection, message_prefix
from support.process import EMBEDDED, FacadeProcess
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux has /proc/self/fd")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CREATE = "/cloudfront_facade.v1.FunctionService/CreateFunction"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HEALTH = "/grpc.health.v1.Health/Check"
MAX_SECONDS = 1.0
"""The longest health check; the machine may be busy."""

MAX_GROWTH = 60.0
"""MiB after a flood, when its connections are closed."""


@contextmanager
def server(*flags: str) -> Iterator[tuple[FacadeProcess, Any]]:
    """Runs a server, which must answer after the block, with the files, threads and memory of before."""
    with FacadeProcess(*EMBEDDED, *flags) as process, open_channel(process.address) as channel:
        check = channel.unary_unary(HEALTH)
        assert FunctionServiceStub(channel).CreateFunction(function("before"), timeout=5).etag
        files, threads, memory = process.open_files(), process.threads(), process.memory()
        yield process, check
        assert check(b"", timeout=5)
        assert FunctionServiceStub(channel).CreateFunction(function("after"), timeout=5).etag
        wait_until(lambda: process.open_files() <= files + 1)
        assert process.threads() <= threads + 2
        assert process.memory() - memory < MAX_GROWTH
        assert not [line for line in process.lines if "text" in line or line["level"] == "error"]


@pytest.mark.parametrize(
    "path",
    [
        "/cloudfront_facade.v1.FunctionService/Unknown",
        "/unknown.Service/Method",
        "/",
        "/a/b/c",
        "/no-slash" + "x" * 2000,
    ],
    ids=["method", "service", "empty", "three parts", "long"],
)
def test_unknown_method_is_unimplemented(facade_address: str, path: str) -> None:
    with open_channel(facade_address) as channel:
        failure = failing(channel.unary_unary(path), b"\x0a\x01f", timeout=5)
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN")
    assert failure.outcome == "not_applied"


def test_flood_of_pings_is_ended() -> None:
    pings = PingFrame(0, opaque_data=b"12345678").serialize() * 100
    with server() as (process, check), RawConnection(process.address) as connection:
        for _ in range(1000):
            with suppress(OSError):
                connection.socket.sendall(pings)
            assert_answers_soon(check)
            if not is_open(connection):
                return
        raise AssertionError("the connection is open after 100,000 pings")


def test_silent_and_half_open_connections_are_closed() -> None:
    flags = ("--max-connection-idle", "1", "--handshake-timeout", "1", "--max-connections", "1100")
    beginnings = [b"", PREFACE[:10], PREFACE, PREFACE + SETTINGS, b"\x16\x03\x01", b"GET / HTTP/1.1\r\n"]
    with server(*flags) as (process, check), ExitStack() as stack:
        host, _, port = process.address.rpartition(":")
        silent = []
        for number in range(1000):
            connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            connection.sendall(beginnings[number % len(beginnings)])
            if number % 5 == 0:
                connection.shutdown(socket.SHUT_WR)
            silent.append(connection)
        assert_answers_soon(check)
        for connection in silent:
            with suppress(ConnectionError):
                while connection.recv(4096):
                    pass


@pytest.mark.parametrize("message", [None, function("f").SerializeToString()], ids=["headers", "whole call"])
def test_rapid_resets_do_not_exhaust_the_server(message: bytes | None) -> None:
    with server() as (process, check):
        for _ in range(5):
            with RawConnection(process.address) as connection:
                for _ in range(20):
                    if not reset_calls(connection, 50, message) or not is_open(connection):
                        break
                    assert_answers_soon(check)


def reset_calls(connection: RawConnection, count: int, message: bytes | None) -> bool:
    """Opens and resets calls; returns whether the server accepts more."""
    with suppress(OSError, ProtocolError):
        for _ in range(count):
            stream = connection.open(CREATE)
            if message is not None:
                connection.send(stream, message_prefix(len(message)) + message, end=True)
            connection.h2.reset_stream(stream, error_code=8)
            connection.flush()
        return True
    return False


def is_open(connection: RawConnection) -> bool:
    try:
        return connection.receive(0.0)
    except (OSError, ProtocolError):
        return False


def assert_answers_soon(check: Any) -> None:
    started = time.monotonic()
    assert check(b"", timeout=5)
    assert time.monotonic() - started < MAX_SECONDS
