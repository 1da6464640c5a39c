"""The deadline and the retries of each method."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from client.both import Run, both
from client.canned import FILES, Canned, ErrorStatus, running_server
from cloudfront_facade import FacadeError
from cloudfront_facade._service_config import SERVICES as PATHS
from cloudfront_facade._service_config import is_long_running
from cloudfront_facade.v1 import options_pb2

UNAVAILABLE = ErrorStatus(grpc.StatusCode.UNAVAILABLE, "down")
SERVICES = {
    "FunctionService": "functions",
    "KeyValueStoreService": "key_value_stores",
    "KeyValueStoreDataService": "key_values",
    "TagService": "tags",
}
METHODS = [method for file in FILES for service in file.services_by_name.values() for method in service.methods]
LONG_RUNNING = {"WaitForKeyValueStore", "UpdateKeys", "ImportKeys"}
NOT_RETRIED = {method.name for method in METHODS if method.GetOptions().Extensions[options_pb2.not_repeatable]}

each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def call(run: Run, target: str, method: Any, **keywords: Any) -> Any:
    request = GetMessageClass(method.input_type)()
    service = SERVICES[method.containing_service.name]
    return run(target, service, method.name, iter([request]) if method.client_streaming else request, **keywords)


def test_method_is_found_after_its_stub_is_imported() -> None:
    script = """
from cloudfront_facade._service_config import is_long_running
path = "/cloudfront_facade.v1.KeyValueStoreService/WaitForKeyValueStore"
assert not is_long_running(path)
import cloudfront_facade.v1.key_value_store_service_pb2
assert is_long_running(path)
"""
    subprocess.run([sys.executable, "-c", script], timeout=60, check=True)


def test_the_services_of_the_api_and_its_long_running_methods_exist() -> None:
    paths = {f"/{method.containing_service.full_name}/{method.name}" for method in METHODS}
    assert {path.rpartition("/")[2] for path in paths if is_long_running(path)} == LONG_RUNNING
    assert set(PATHS) == {method.containing_service.full_name for method in METHODS}


@both
@each_method
def test_a_method_has_the_clients_deadline_unless_it_is_long_running(run: Run, method: Any) -> None:
    servicer = Canned()
    with running_server(servicer) as target:
        call(run, target, method)
        call(run, target, method, options={"deadline": 12.0})
        call(run, target, method, options={"deadline": 5000.0})
        call(run, target, method, timeout=5.0)
    actual = [call.time_left or 0 for call in servicer.received]
    expected = [1800, 1800, 5000, 5] if method.name in LONG_RUNNING else [30, 12, 5000, 5]
    # Long times are rounded up on the wire.
    assert all(most - 4 < seconds < most * 1.02 + 1 for seconds, most in zip(actual, expected, strict=True)), actual


@both
@each_method
def test_a_method_is_retried_unless_it_writes_keys(run: Run, method: Any) -> None:
    servicer = Canned(UNAVAILABLE)
    with running_server(servicer) as target:
        if method.name in NOT_RETRIED:
            with pytest.raises(FacadeError):
                call(run, target, method)
        else:
            call(run, target, method)
    attempts = 1 if method.name in NOT_RETRIED else 2
    assert [received.method for received in servicer.received] == [method.name] * attempts
