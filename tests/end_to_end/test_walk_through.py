"""The walk-through with grpcurl checks its arguments, and deletes everything that it creates, even if a step fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2 import ListFunctionsRequest
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import ListKeyValueStoresRequest
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from support.process import EMBEDDED, FacadeProcess, clean_environment
from support.tools import require_tool

PROJECT: Final = Path(__file__).parents[2]
SHELL: Final = PROJECT / "clients" / "grpcurl" / "walk-through.sh"


class FailingOnce(grpc.GenericRpcHandler):
    """Forwards every call, but fails the first call of one method."""

    def __init__(self, channel: grpc.Channel, method: str) -> None:
        self._channel = channel
        self._method = method
        self.failed = False

    def _call(self, method: str, requests: Iterator[bytes]) -> Any:
        multi_callable: grpc.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(method)
        return multi_callable(requests)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        method = handler_call_details.method

        def forward(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            if method.endswith(f"/{self._method}") and not self.failed:
                self.failed = True
                context.abort(grpc.StatusCode.UNAVAILABLE, "this step fails")
            call = self._call(method, requests)
            try:
                yield from call
            except grpc.RpcError:
                context.set_trailing_metadata(call.trailing_metadata())
                context.abort(call.code(), call.details())

        return grpc.stream_stream_rpc_method_handler(forward)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with FacadeProcess(*EMBEDDED) as process:
        yield process.address


def walk(*arguments: str, path: str | None = None, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """Runs the script.

    Args:
        arguments: The arguments of the script.
        path: The folders in which it finds programs; by default those of this process and the one of grpcurl.
        folder: The folder to run it in.
    """
    environment = clean_environment()
    environment["PATH"] = path or f"{Path(require_tool('grpcurl')).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        [require_tool("sh"), str(SHELL), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def remaining_names(address: str) -> list[str]:
    """Returns the names of all functions and stores of a server."""
    with grpc.insecure_channel(address) as channel:
        functions = FunctionServiceStub(channel).ListFunctions(ListFunctionsRequest()).functions
        stores = KeyValueStoreServiceStub(channel).ListKeyValueStores(ListKeyValueStoresRequest()).key_value_stores
    return [function.name for function in functions] + [store.name for store in stores]


# The methods fail while the store is not READY, while a LIVE function uses it, and while it is in use.
@pytest.mark.parametrize("method", ["WaitForKeyValueStore", "UpdateFunction", "DeleteKeyValueStore"])
def test_the_script_deletes_everything_if_a_step_fails(method: str, address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        failing = FailingOnce(channel, method)
        proxy = grpc.server(ThreadPoolExecutor(4), handlers=[failing])
        port = proxy.add_insecure_port("127.0.0.1:0")
        proxy.start()
        try:
            completed = walk(f"127.0.0.1:{port}")
        finally:
            proxy.stop(None).wait()
    assert failing.failed
    assert completed.returncode != 0, completed.stdout
    assert "this step fails" in completed.stderr
    assert "left behind" not in completed.stderr
    assert remaining_names(address) == []
    again = walk(address)
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert remaining_names(address) == []


def test_the_script_only_reports_that_the_server_is_unreachable() -> None:
    completed = walk("127.0.0.1:1")
    assert completed.returncode != 0
    assert completed.stdout == ""
    assert "Failed to dial" in completed.stderr
    assert "left behind" not in completed.stderr


def test_the_script_runs_in_any_folder(address: str, tmp_path: Path) -> None:
    completed = walk(address, folder=tmp_path)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert completed.stdout.endswith("-- done\n")


def test_without_grpcurl_the_script_prints_how_to_install_it(tmp_path: Path) -> None:
    completed = walk("127.0.0.1:1", path=str(tmp_path))
    assert completed.returncode == 1
    assert completed.stdout == ""
    [line] = completed.stderr.splitlines()
    assert 'grpcurl is not on PATH; run: make grpcurl && export PATH="$PWD/.venv/bin:$PATH"' in line


@pytest.mark.parametrize(
    "arguments", [("--frobnicate",), ("-x",), ("--target", "127.0.0.1:1"), ("127.0.0.1:1", "extra")]
)
def test_the_script_rejects_unknown_arguments(arguments: tuple[str, ...]) -> None:
    completed = walk(*arguments)
    assert completed.returncode == 2
    assert completed.stdout == ""
    [line] = completed.stderr.splitlines()
    assert line.endswith("usage: clients/grpcurl/walk-through.sh [HOST:PORT]")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_script_prints_its_usage(option: str) -> None:
    completed = walk(option)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert completed.stdout == "usage: clients/grpcurl/walk-through.sh [HOST:PORT]\n"
