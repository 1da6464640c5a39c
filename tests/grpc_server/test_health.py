"""The health service and the command `health`."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import grpc
import pytest

from cloudfront_facade_server.settings.client import SANITY_GROUPS
from support.facade import open_channel
from support.process import COMMAND, EMBEDDED, FacadeProcess, clean_environment, run_command


def test_health_is_served_for_the_server_and_each_service(facade_address: str) -> None:
    for service in ("", "cloudfront_facade.v1.FunctionService", "cloudfront_facade.v1.KeyValueStoreService"):
        checked = run_command("health", "--target", facade_address, "--service", service)
        assert (checked.returncode, checked.stdout) == (0, "SERVING\n")
    unknown = run_command("health", "--target", facade_address, "--service", "no.such.Service")
    assert unknown.returncode == 1
    assert "NOT_FOUND" in unknown.stdout


def test_health_list_answers_or_is_unimplemented_immediately(facade_address: str) -> None:
    start = time.monotonic()
    with open_channel(facade_address) as channel:
        code = code_of(channel.unary_unary("/grpc.health.v1.Health/List"))
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.UNIMPLEMENTED)
    assert time.monotonic() - start < 1


def code_of(method: Any) -> grpc.StatusCode:
    """Returns the status code of a call with an empty request."""
    code: grpc.StatusCode = method.future(b"", timeout=5).code()  # waits for the end of the call
    return code


PROXIES: dict[str, Any] = {
    name: "http://127.0.0.1:1"
    for lower in ("grpc_proxy", "http_proxy", "https_proxy", "all_proxy")
    for name in (lower, lower.upper())
} | {
    # gRPC's own proxy for ranges of addresses.
    "GRPC_ADDRESS_HTTP_PROXY": "127.0.0.1:1",
    "GRPC_ADDRESS_HTTP_PROXY_ENABLED_ADDRESSES": "127.0.0.0/8,::1/128",
}
"""Every proxy variable, with a proxy that does not exist."""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_variable_applies_to_a_server_on_this_machine(facade_address: str, host: str) -> None:
    target = f"{host}:{facade_address.rpartition(':')[2]}"

    checked = run_command("health", "--target", target, **PROXIES)
    assert (checked.returncode, checked.stdout) == (0, "SERVING\n")

    skipped = ",".join(SANITY_GROUPS)
    suite = run_command("sanity", "--target", target, "--i-may-create-and-delete", "--without", skipped, **PROXIES)
    assert suite.stdout.splitlines()[-1].startswith("0 passed, 0 failed")


def test_ctrl_c_ends_a_wait_silently() -> None:
    command = [*COMMAND, "health", "--target", "127.0.0.1:1", "--wait", "60"]
    with subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE, text=True) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (130, "")


def test_no_proxy_variable_applies_to_a_unix_socket(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/facade.sock"
    with FacadeProcess(*EMBEDDED, "--listen", address):
        assert run_command("health", "--target", address, **PROXIES).stdout == "SERVING\n"


def test_health_waits_until_the_server_is_serving(tmp_path: Path) -> None:
    listen = f"unix:{tmp_path}/facade.sock"
    command = [*COMMAND, "health", "--target", listen, "--wait", "30"]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)
        with FacadeProcess(*EMBEDDED, "--listen", listen):
            output, _ = waiting.communicate(timeout=10)
    assert (waiting.returncode, output) == (0, "SERVING\n")


def test_health_that_waits_in_vain_prints_the_last_reason_and_exits_1() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{closed.getsockname()[1]}"
        start = time.monotonic()
        checked = run_command("health", "--target", target, "--wait", "1")
    assert 1 <= time.monotonic() - start < 6
    assert checked.returncode == 1
    assert checked.stdout.startswith(f"{target}: UNAVAILABLE: ")
    assert checked.stdout.count("\n") == 1


def test_an_invalid_listen_variable_is_reported_in_one_line() -> None:
    checked = run_command("health", CLOUDFRONT_FACADE_LISTEN="bogus")
    assert checked.returncode == 1
    assert checked.stderr == (
        'cloudfront-facade: CLOUDFRONT_FACADE_LISTEN "bogus": '
        "must be HOST:PORT with a port from 0 to 65535, or unix:PATH\n"
    )


def test_a_listen_variable_with_port_0_is_not_a_target() -> None:
    checked = run_command("health", "--wait", "60", CLOUDFRONT_FACADE_LISTEN="127.0.0.1:0")
    assert (checked.returncode, checked.stdout) == (1, "")
    assert checked.stderr == (
        'cloudfront-facade: CLOUDFRONT_FACADE_LISTEN "127.0.0.1:0" is any free port; set --target to the one in use\n'
    )


def test_an_invalid_target_is_reported_in_one_line() -> None:
    for target in ("50051", "http://127.0.0.1:50051", "127.0.0.1:70000", "127.0.0.1:0", "unix:"):
        checked = run_command("health", "--target", target, "--wait", "60")
        assert (checked.returncode, checked.stdout) == (1, "")
        assert checked.stderr.startswith(f'cloudfront-facade: --target "{target}": ')
        assert checked.stderr.count("\n") == 1


def test_health_exits_1_without_a_server_and_its_default_target_is_the_listen_address(facade_address: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        unreachable = run_command("health", CLOUDFRONT_FACADE_LISTEN=f"127.0.0.1:{closed.getsockname()[1]}")
    assert unreachable.returncode == 1
    assert unreachable.stdout.startswith("127.0.0.1:")
    assert "UNAVAILABLE" in unreachable.stdout
    assert unreachable.stdout.count("\n") == 1
    port = facade_address.rpartition(":")[2]
    assert run_command("health", CLOUDFRONT_FACADE_LISTEN=f"0.0.0.0:{port}").returncode == 0
    assert run_command("health", CLOUDFRONT_FACADE_HEALTH_TARGET=facade_address).returncode == 0
