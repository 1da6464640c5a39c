"""Connections: pings, idle timeouts and stream limits."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import grpc
import pytest

from support.facade import failing, open_channel
from support.process import EMBEDDED, FacadeProcess, run_command


def exchange(connection: socket.socket, content: bytes, until: bytes, times: int = 1) -> bytes:
    """Sends content, and returns what is received until it contains `until` or the server closes the connection."""
    connection.sendall(content)
    received = b""
    while received.count(until) < times and (more := connection.recv(65_536)):
        received += more
    return received


def test_pings_are_allowed_on_a_connection_without_calls() -> None:
    ping = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + b"--ping--"
    with FacadeProcess(*EMBEDDED) as process:
        host, _, port = process.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            # The last two are early. A connection is closed at its third early ping.
            received = exchange(connection, 3 * ping, until=b"--ping--", times=3)
            time.sleep(5.2)
            received += exchange(connection, ping, until=b"--ping--")
            assert b"too_many_pings" not in received
            assert b"too_many_pings" in exchange(connection, ping, until=b"too_many_pings")


def test_a_connection_that_does_not_speak_grpc_is_closed_and_not_logged(certificates: dict[str, Path]) -> None:
    with FacadeProcess(*EMBEDDED) as process:
        host, _, port = process.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: facade\r\n\r\n")
            while plain.recv(4096):
                pass
        context = ssl.create_default_context(cafile=str(certificates["ca"]))
        with socket.create_connection((host, int(port)), timeout=5) as plain, pytest.raises(OSError):
            context.wrap_socket(plain, server_hostname="localhost")
        assert run_command("health", "--target", process.address).returncode == 0
    assert not [line for line in process.lines if "text" in line or line.get("level") == "error"]


def test_idle_and_half_open_connections_are_closed(certificates: dict[str, Path]) -> None:
    tls = ("--tls-cert", str(certificates["server_cert"]), "--tls-key", str(certificates["server_key"]))
    with (
        FacadeProcess(*EMBEDDED, "--max-connection-idle", "1") as plain,
        FacadeProcess(*EMBEDDED, *tls, "--handshake-timeout", "1") as secured,
    ):
        idle = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and settings
        for process, content in ((plain, idle), (secured, b"")):
            host, _, port = process.address.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(content)
                while connection.recv(4096):
                    pass  # until the server closes, or the timeout fails the test


def test_concurrent_streams_of_a_connection_are_limited() -> None:
    with (
        FacadeProcess(*EMBEDDED, "--max-concurrent-streams", "2") as process,
        open_channel(process.address, use_local_subchannel_pool=1) as channel,
    ):
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        watching = [watch(b"") for _ in range(2)]
        assert all(next(responses) for responses in watching)
        third = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert failing(third, b"", timeout=0.5).code is grpc.StatusCode.DEADLINE_EXCEEDED
        watching[0].cancel()
        assert third(b"", timeout=5)
