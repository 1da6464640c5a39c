"""The health service and the command `health`."""

from __future__ import annotations

import socket
import time
from typing import Any

import grpc

from support.facade import open_channel
from support.process import run_command


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


def test_an_invalid_listen_variable_is_reported_in_one_line() -> None:
    checked = run_command("health", CLOUDFRONT_FACADE_LISTEN="bogus")
    assert checked.returncode == 1
    assert checked.stderr == (
        'cloudfront-facade: CLOUDFRONT_FACADE_LISTEN "bogus": '
        "must be HOST:PORT with a port from 0 to 65535, or unix:PATH\n"
    )


def test_an_invalid_target_is_reported_in_one_line() -> None:
    for target in ("50051", "http://127.0.0.1:50051", "127.0.0.1:70000", "unix:"):
        checked = run_command("health", "--target", target)
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
