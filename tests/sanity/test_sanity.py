"""The sanity suite: its cases, its report, its exit code and its clean-up."""

from __future__ import annotations

import itertools
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import grpc
import pytest
from grpc_health.v1 import health, health_pb2_grpc

from cloudfront_facade.v1 import (
    function_service_pb2,
    key_value_store_data_service_pb2,
    key_value_store_service_pb2,
    tag_service_pb2,
)
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.sanity import facade as sanity
from cloudfront_facade_server.sanity import suite
from cloudfront_facade_server.sanity.expectations import CaseFailedError, details_of
from cloudfront_facade_server.sanity.facade import Facade
from cloudfront_facade_server.sanity.registry import Case
from cloudfront_facade_server.sanity.suite import all_cases
from cloudfront_facade_server.settings.client import SANITY_GROUPS
from support.facade import running_facade
from support.process import COMMAND, FacadeProcess, clean_environment, run_command
from support.rpcs import RPCS
from support.sanity import ALLOWED, FaultyBackend, number_of_resources, run_suite

SERVICES = {
    "functions": function_service_pb2.DESCRIPTOR.services_by_name["FunctionService"],
    "test": function_service_pb2.DESCRIPTOR.services_by_name["FunctionService"],
    "stores": key_value_store_service_pb2.DESCRIPTOR.services_by_name["KeyValueStoreService"],
    "keys": key_value_store_data_service_pb2.DESCRIPTOR.services_by_name["KeyValueStoreDataService"],
    "tags": tag_service_pb2.DESCRIPTOR.services_by_name["TagService"],
}
"""The service that the cases of each group test."""


class CallRecorder(grpc.UnaryUnaryClientInterceptor, grpc.StreamUnaryClientInterceptor):
    """Records the full name of each rpc that is called."""

    def __init__(self) -> None:
        self.called: set[str] = set()

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        self.called.add(client_call_details.method)
        return continuation(client_call_details, request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self.intercept_unary_unary(continuation, client_call_details, request_iterator)


def test_the_suite_passes_on_the_embedded_backend(facade_process: FacadeProcess) -> None:
    completed = run_command("sanity", "--target", facade_process.address, ALLOWED, timeout=100)
    assert completed.returncode == 0, completed.stdout
    assert "FAIL" not in completed.stdout
    assert completed.stdout.splitlines()[-1] == f"{len(all_cases())} passed, 0 failed, 0 skipped"


def test_every_case_has_a_unique_sentence() -> None:
    sentences = [case.sentence for case in all_cases()]
    assert len(set(sentences)) == len(sentences) > 30
    assert all(sentence.startswith("Should ") and sentence.endswith(".") for sentence in sentences)
    assert {case.group for case in all_cases()} | {"update", "publish", "in-use"} == set(SANITY_GROUPS)


def test_every_rpc_is_called_by_a_case_about_its_service(facade_address: str) -> None:
    tested: set[str] = set()
    for case in all_cases():
        recorder = CallRecorder()
        with grpc.insecure_channel(facade_address) as channel:
            facade = Facade(grpc.intercept_channel(channel, recorder))
            case.check(facade)
            prefix = f"/{SERVICES[case.group].full_name}/"
            tested |= {method for method in recorder.called if method.startswith(prefix)}
            assert facade.clean_up() == []
    assert tested == {f"/{method.containing_service.full_name}/{name}" for name, method in RPCS.items()}


def test_the_suite_deletes_everything_that_it_creates() -> None:
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    with running_facade(backend) as facade:
        assert run_suite(facade.address, "test")[0] == 0
        assert number_of_resources(backend) == (0, 0)


def test_the_suite_calls_a_server_only_with_the_confirmation_flag(facade_address: str) -> None:
    completed = run_command("sanity", "--target", facade_address)
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr.startswith("cloudfront-facade: ")
    assert ALLOWED in completed.stderr


def test_an_unreachable_server_is_reported() -> None:
    completed = run_command("sanity", "--target", "127.0.0.1:1", ALLOWED)
    assert completed.returncode == 1
    assert completed.stdout.startswith("127.0.0.1:1: UNAVAILABLE")


def test_a_server_that_is_not_a_facade_is_reported() -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        code, report = run_suite(f"127.0.0.1:{port}")
    finally:
        server.stop(None)
    assert code == 1
    assert len(report) == 1
    assert report[0].startswith(f"127.0.0.1:{port}: it is not a facade: UNIMPLEMENTED: ")


def test_cases_that_need_an_excluded_group_are_skipped_and_counted(facade_address: str) -> None:
    without = [argument for group in SANITY_GROUPS[1:] for argument in ("--without", group)]
    completed = run_command("sanity", "--target", facade_address, ALLOWED, *without)
    assert completed.returncode == 0, completed.stdout
    passed = [line for line in completed.stdout.splitlines() if line.startswith("ok")]
    assert passed
    assert all(line.startswith("ok    functions: ") for line in passed)
    assert "skip  keys: " in completed.stdout


def test_excluding_functions_creates_no_functions() -> None:
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    created = Mock(side_effect=backend.create_function)
    backend.create_function = created  # type: ignore[method-assign]
    with running_facade(backend) as facade:
        assert run_suite(facade.address, "functions")[0] == 0
    assert created.call_count == 0


def test_the_suite_fails_if_every_case_is_skipped(facade_address: str) -> None:
    without = [argument for group in SANITY_GROUPS for argument in ("--without", group)]
    assert run_command("sanity", "--target", facade_address, ALLOWED, *without).returncode == 1


def test_a_hanging_endpoint_fails_the_case_but_not_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(_correct: Callable[..., Any], _arguments: dict[str, Any]) -> Any:
        released.wait(60)
        return {}

    monkeypatch.setattr(sanity, "_CALL_SECONDS", 2.0)
    backend = FaultyBackend("get_function", hang)
    with running_facade(backend, default_deadline=60) as facade:
        started = time.monotonic()
        try:
            code, report = run_suite(facade.address, "test")
        finally:
            released.set()
        assert code == 1
        assert time.monotonic() - started < 50
        assert number_of_resources(backend) == (0, 0)
    assert "FAIL  functions: Should return a function's code byte for byte." in report
    assert any(line.startswith("      DEADLINE_EXCEEDED") for line in report)


def test_cases_fail_on_errors_without_details_and_everything_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    complete = StatusError._status

    def without_details(self: StatusError, operation: str) -> Any:
        status = complete(self, operation)
        del status.details[1:]
        return status

    monkeypatch.setattr(StatusError, "_status", without_details)
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    with running_facade(backend) as facade:
        code, report = run_suite(facade.address, "test")
        assert code == 1
        assert number_of_resources(backend) == (0, 0)
    for kind in ("BadRequest", "ResourceInfo", "PreconditionFailure"):
        assert f"      the error has no google.rpc.{kind}; it has ErrorInfo" in report
    assert " 4 failed, " in report[-1]


@pytest.mark.parametrize("details", [b"\xff", b"\x08\x05"], ids=["not a protobuf message", "another code"])
def test_details_that_cannot_be_decoded_are_treated_as_missing(details: bytes) -> None:
    error = Mock(grpc.Call, code=lambda: grpc.StatusCode.ABORTED, details=lambda: "no")
    error.trailing_metadata = lambda: (("grpc-status-details-bin", details),)
    with pytest.raises(CaseFailedError, match=r"has no google\.rpc\.BadRequest; it has no details"):
        details_of(error)["BadRequest"]


def test_a_bug_in_a_case_fails_that_case_and_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(facade: Facade) -> None:
        facade.create_function()
        raise ZeroDivisionError("by\nzero")

    cases = [Case("Should be broken.", "functions", frozenset(), broken), *all_cases()]
    monkeypatch.setattr(suite, "all_cases", lambda: cases)
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    with running_facade(backend) as facade:
        code, report = run_suite(facade.address, "test")
        assert code == 1
        assert number_of_resources(backend) == (0, 0)
    assert report[:2] == ["FAIL  functions: Should be broken.", "      bug in the case: ZeroDivisionError: by zero"]
    assert " 1 failed, " in report[-1]
    assert sum(line.startswith(("ok", "FAIL", "skip")) for line in report) == len(cases)


# The interrupt arrives during a create, another call of a case, or the clean-up. The call is applied after the signal.
@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("operation", "call"), [("create_key_value_store", 3), ("put_key", 1), ("delete_function", 9)])
def test_everything_is_deleted_after_an_interrupt(operation: str, call: int, interrupt: signal.Signals) -> None:
    reached, released = threading.Event(), threading.Event()
    calls = itertools.count(1)

    def slow(correct: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        if next(calls) == call:
            reached.set()
            assert released.wait(30)
        return correct(**arguments)

    backend = FaultyBackend(operation, slow)
    with running_facade(backend) as facade:
        arguments = ["sanity", "--target", facade.address, ALLOWED, "--without", "test"]
        with subprocess.Popen(
            [*COMMAND, *arguments],
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as command:
            try:
                assert reached.wait(30)
                assert number_of_resources(backend)[0] > 10
                command.send_signal(interrupt)
                time.sleep(1.5)
                released.set()
                out, err = command.communicate(timeout=60)
            finally:
                released.set()
                command.kill()
        assert (command.returncode, err) == (1, "")
        assert out.splitlines()[-1].startswith("interrupted: ")
        assert number_of_resources(backend) == (0, 0)


def test_a_resource_whose_deletion_is_rejected_is_reported() -> None:
    def reject(_correct: Callable[..., Any], _arguments: dict[str, Any]) -> Any:
        raise StatusError(grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED", "no")

    with running_facade(FaultyBackend("delete_key_value_store", reject)) as facade:
        code, report = run_suite(facade.address, "test")
    assert code == 1
    assert any(line.startswith("FAIL  could not be deleted: sanity-") for line in report)
    assert not any("no name" in line for line in report)
