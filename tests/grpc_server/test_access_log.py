"""The access log: one line for each rpc, with the same fields."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
import structlog
from botocore.exceptions import BotoCoreError

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade_server.call_context import CallContext
from cloudfront_facade_server.errors.classify import classify
from cloudfront_facade_server.errors.facade_errors import internal
from cloudfront_facade_server.errors.operation_target import OperationTarget
from cloudfront_facade_server.errors.translate import translate
from cloudfront_facade_server.grpc_server.access_log import log_rpc
from support.facade import REQUEST_ID, Failure, failing, function, open_channel
from support.process import EMBEDDED, FacadeProcess

FIELDS = {"event", "level", "timestamp", "method", "caller", "status", "reason", "outcome", "duration_ms"}
CREATE_FUNCTION = "/cloudfront_facade.v1.FunctionService/CreateFunction"
IMPORT_KEYS = "/cloudfront_facade.v1.KeyValueStoreDataService/ImportKeys"


def lines_of(process: FacadeProcess, channel: Any, call: Callable[[], object]) -> list[dict[str, Any]]:
    """Makes a call between two marker calls of unknown methods, and returns the log lines between the markers."""
    first, last = f"First{uuid4().hex}", f"Last{uuid4().hex}"
    failing(channel.unary_unary(f"/a.Marker/{first}"), b"")
    call()
    failing(channel.unary_unary(f"/a.Marker/{last}"), b"")
    while process.wait_for("rpc", timeout=10)["method"] != last:
        pass
    methods = [line.get("method") for line in process.lines]
    return process.lines[methods.index(first) + 1 : methods.index(last)]


@pytest.mark.parametrize(
    ("path", "request_bytes", "status", "reason"),
    [
        (CREATE_FUNCTION, b"", "INVALID_ARGUMENT", "VALIDATION_FAILED"),
        (CREATE_FUNCTION, b"\xff", "INVALID_ARGUMENT", "VALIDATION_FAILED"),
        (CREATE_FUNCTION, b"x" * 300_000, "RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"),
        (IMPORT_KEYS, b"", "INVALID_ARGUMENT", "VALIDATION_FAILED"),
        (IMPORT_KEYS, b"\xff", "INVALID_ARGUMENT", "VALIDATION_FAILED"),
        ("/cloudfront_facade.v1.FunctionService/Rename", b"", "UNIMPLEMENTED", "METHOD_UNKNOWN"),
        ("/another.Service/CreateFunction", b"", "UNIMPLEMENTED", "METHOD_UNKNOWN"),
        ("/grpc.health.v1.Health/Check", b"\xff", "INVALID_ARGUMENT", "VALIDATION_FAILED"),
    ],
    ids=[
        "invalid request",
        "undecodable request",
        "oversized request",
        "invalid stream",
        "undecodable stream",
        "unknown method",
        "unknown service",
        "undecodable health check",
    ],
)
def test_every_rejected_rpc_has_one_line_with_the_same_fields(
    facade_process: FacadeProcess, path: str, request_bytes: bytes, status: str, reason: str
) -> None:
    failures: list[Failure] = []

    def call() -> None:
        method = channel.stream_unary(path) if path == IMPORT_KEYS else channel.unary_unary(path)
        failures.append(failing(method, iter([request_bytes]) if path == IMPORT_KEYS else request_bytes))

    with open_channel(facade_process.address) as channel:
        (line,) = lines_of(facade_process, channel, call)

    (failure,) = failures
    assert (failure.code.name, failure.reason) == (status, reason)
    assert set(line) == FIELDS
    assert (line["event"], line["level"], line["method"]) == ("rpc", "info", path.rpartition("/")[2])
    assert (line["status"], line["reason"], line["outcome"]) == (status, reason, "not_applied")
    assert line["caller"].startswith("ipv4:127.0.0.1:")
    assert 0 <= line["duration_ms"] < 10_000


def test_import_that_sends_nothing_until_its_deadline_is_logged_with_its_caller_and_whole_duration(
    facade_process: FacadeProcess,
) -> None:
    ended = threading.Event()
    before = len(facade_process.lines)
    with open_channel(facade_process.address) as channel:
        silent = iter(lambda: ended.wait(5) and b"", True)
        failure = failing(channel.stream_unary(IMPORT_KEYS), silent, timeout=0.5)
        ended.set()
    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    time.sleep(0.1)
    lines = [line for line in facade_process.lines[before:] if line["event"] == "rpc"]
    for line in lines:  # gRPC may cancel the call before the server sees its end
        assert line["caller"].startswith("ipv4:127.0.0.1:")
        assert line["duration_ms"] > 400


def test_internal_is_logged_as_an_error_with_what_the_service_raised() -> None:
    call = CallContext("GetFunction", "ipv4:192.0.2.1:1", deadline=time.monotonic() + 9)
    with structlog.testing.capture_logs() as lines:
        log_rpc(call, time.monotonic(), internal("not_applied"), ZeroDivisionError("a secret"))
    (line,) = lines
    assert (line["log_level"], line["reason"], line["exception"]) == ("error", "INTERNAL", "ZeroDivisionError")
    assert "secret" not in json.dumps(line)


def test_internal_is_logged_as_an_error_with_its_cause_if_boto3_raised_what_the_table_lacks() -> None:
    call = CallContext("GetFunction", "ipv4:192.0.2.1:1", deadline=time.monotonic() + 9)
    failure = translate(classify(BotoCoreError()), OperationTarget("function", "a", {}))
    with structlog.testing.capture_logs() as lines:
        log_rpc(call, time.monotonic(), failure, failure)
    (line,) = lines
    assert (line["log_level"], line["reason"], line["cause"]) == ("error", "INTERNAL", "BotoCoreError")


def test_cancelled_calls_have_at_most_one_line_each_and_no_error() -> None:
    with FacadeProcess(*EMBEDDED) as process, open_channel(process.address) as channel:
        functions = FunctionServiceStub(channel)
        uncancelled = 0
        for number in range(300):
            calls = [functions.CreateFunction.future(function(f"f{number}"), timeout=5) for _ in range(4)]
            time.sleep(number % 7 / 2000)
            for call in calls:
                call.cancel()
            uncancelled += sum(1 for call in calls if call.code() is not grpc.StatusCode.CANCELLED)
    # A call that was cancelled before it reached the server has no line.
    rpcs = [line["status"] for line in process.lines if line["event"] == "rpc"]
    assert uncancelled <= len(rpcs) <= 1200
    assert set(rpcs) <= {"OK", "ALREADY_EXISTS", "CANCELLED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"}
    assert rpcs.count("OK") <= 300
    assert {line.get("event") for line in process.lines} <= {
        "rpc", "serving", "draining", "stopped", "the embedded backend is not CloudFront: nothing leaves this machine"
    }  # fmt: skip
    assert not [line for line in process.lines if "text" in line or line.get("level") == "error"]


def test_each_rpc_has_one_json_line_without_its_content(facade_process: FacadeProcess) -> None:
    before = len(facade_process.lines)
    request = function("logged", request_id=REQUEST_ID, function_code=b"a secret of the code")
    with open_channel(facade_process.address) as channel:
        create = channel.unary_unary("/cloudfront_facade.v1.FunctionService/CreateFunction")
        create(request.SerializeToString())
        rejected = function("not a name", function_code=b"a secret of the code")
        failing(create, rejected.SerializeToString())

    while len(lines := facade_process.lines[before:]) < 2:
        facade_process.wait_for("rpc", timeout=5)
    assert {"method", "caller", "status", "duration_ms", "outcome", "timestamp", "level"} <= set(lines[0])
    assert [(line["event"], line["status"]) for line in lines] == [("rpc", "OK"), ("rpc", "INVALID_ARGUMENT")]
    assert lines[0]["aws_request_id"]
    assert lines[1]["reason"] == "VALIDATION_FAILED"
    written = json.dumps(facade_process.lines)
    assert "secret" not in written
    assert "000000000000" not in written
