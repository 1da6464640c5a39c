"""A server on this machine is reached without the proxy that the environment names."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from client.canned import Canned, running_server
from cloudfront_facade._targets import is_local
from support.process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLS = """
import asyncio, sys
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

REQUEST = CreateFunctionRequest(name="rewrite")

async def asynchronous(target):
    async with aio.connect(target, retry=False) as facade:
        await facade.functions.CreateFunction(REQUEST, timeout=5)

for target in sys.argv[1:]:
    with connect(target, retry=False) as facade:
        facade.functions.CreateFunction(REQUEST, timeout=5)
    asyncio.run(asynchronous(target))
"""


@pytest.fixture
def proxy() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


def variables(proxy: socket.socket) -> dict[str, str]:
    """Returns every variable by which gRPC finds a proxy."""
    address = f"127.0.0.1:{proxy.getsockname()[1]}"
    names = ("grpc_proxy", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")
    return {
        **dict.fromkeys(names, f"http://{address}"),
        "GRPC_ADDRESS_HTTP_PROXY": address,
        "GRPC_ADDRESS_HTTP_PROXY_ENABLED_ADDRESSES": "127.0.0.0/8,::1/128",
        "no_proxy": "",
    }


def call(proxy: socket.socket, *targets: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CALLS, *targets],
        env=clean_environment(**variables(proxy)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_proxy_is_used_for_loopback_and_unix_sockets(proxy: socket.socket, tmp_path: Path) -> None:
    servicer = Canned()
    path, name = f"unix:{tmp_path}/s", f"unix-abstract:{tmp_path.name}-{proxy.getsockname()[1]}"
    with (
        running_server(servicer) as address,
        running_server(servicer, path),
        running_server(servicer, name),
    ):
        port = address.rpartition(":")[2]
        targets = (address, f"localhost:{port}", f"dns:///localhost:{port}", f"ipv4:{address}", path, name)
        completed = call(proxy, *targets)
    assert completed.returncode == 0, completed.stderr
    assert len(servicer.received) == 2 * len(targets)
    proxy.setblocking(False)
    with pytest.raises(BlockingIOError):
        proxy.accept()


def test_a_proxy_is_used_for_other_servers(proxy: socket.socket) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CALLS, "facade.example.com:443"],
        env=clean_environment(http_proxy=variables(proxy)["http_proxy"]),
        stderr=subprocess.DEVNULL,
    ) as process:
        connection, _ = proxy.accept()
        with connection:
            assert connection.recv(1000).startswith(b"CONNECT facade.example.com:443 ")
        process.kill()


@pytest.mark.parametrize(
    "target",
    [
        *("127.0.0.1:1", "127.255.0.9:1", "localhost:1", "LocalHost.:1", "facade.localhost:1", "[::1]:1"),
        *("[::ffff:127.0.0.1]:1", "dns:localhost:1", "dns:///127.0.0.1:1", "dns://8.8.8.8/localhost:1"),
        *("ipv4:127.0.0.1:1,127.0.0.2:2", "ipv6:[::1]:1", "unix:/run/s", "unix-abstract:s", "vsock:1:2"),
    ],
)
def test_a_target_on_this_machine_is_local(target: str) -> None:
    assert is_local(target)


@pytest.mark.parametrize(
    "target",
    [
        *("10.0.0.1:1", "facade.example.com:443", "localhost.example.com:1", "notlocalhost:1", "[2001:db8::1]:1"),
        *("0.0.0.0:1", "ipv4:127.0.0.1:1,10.0.0.1:1", "dns:///facade.example.com", "xds:///localhost"),
    ],
)
def test_another_target_is_not_local(target: str) -> None:
    assert not is_local(target)
