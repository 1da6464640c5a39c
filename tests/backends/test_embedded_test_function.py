"""TestFunction in the embedded backend: its checks, what it passes to the runner, and its results."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backends.embedded_resources import associated_with, create_store
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.function_runtime import InvalidEventError, Run, RunnerError, StoreMetadata
from function_runtime.events import request_event
from support.errors import error_with_operation

EVENT = b'{"version":"1.0"}'
GOOD = Run('{"request":{}}', None, [], 6)


class RecordingRunner:
    """Records the arguments of each run, and returns a fixed result."""

    def __init__(self, result: Callable[[], Run] = lambda: GOOD) -> None:
        self.result = result
        self.runs: list[tuple[bytes, str, bytes, Mapping[str, str] | None]] = []
        self.stores: list[StoreMetadata | None] = []

    def run(
        self,
        code: bytes,
        runtime: str,
        event: bytes,
        key_values: Mapping[str, str] | None,
        store: StoreMetadata | None = None,
    ) -> Run:
        self.runs.append((code, runtime, event, key_values))
        self.stores.append(store)
        return self.result()


def backend_with(runner: RecordingRunner | None) -> EmbeddedBackend:
    return EmbeddedBackend(path=":memory:", s3_dir=None, runner=runner)


def create(
    backend: EmbeddedBackend, code: bytes = b"first", runtime: str = "cloudfront-js-2.0", *store_arns: str
) -> str:
    config = {"Comment": "", "Runtime": runtime, **(associated_with(*store_arns) if store_arns else {})}
    etag: str = backend.create_function(Name="f", FunctionConfig=config, FunctionCode=code)["ETag"]
    return etag


def store_with(backend: EmbeddedBackend, **key_values: str) -> str:
    arn = create_store(backend)
    if key_values:
        backend.update_keys(
            KvsARN=arn,
            IfMatch=backend.describe_key_value_store_data(KvsARN=arn)["ETag"],
            Puts=[{"Key": key, "Value": value} for key, value in key_values.items()],
        )
    return arn


def test_the_result_of_a_run_includes_the_summary_of_the_function() -> None:
    runner = RecordingRunner(lambda: Run('{"request":{}}', None, ["one", "two"], 42))
    with closing(backend_with(runner)) as backend:
        etag = create(backend)
        response = backend.test_function(Name="f", IfMatch=etag, EventObject=EVENT)
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert response["TestResult"] == {
            "FunctionSummary": backend.describe_function(Name="f")["FunctionSummary"],
            "ComputeUtilization": "42",
            "FunctionExecutionLogs": ["one", "two"],
            "FunctionErrorMessage": "",
            "FunctionOutput": '{"request":{}}',
        }
    assert runner.runs == [(b"first", "cloudfront-js-2.0", EVENT, None)]


def test_a_function_that_throws_returns_a_result_with_the_error() -> None:
    with closing(backend_with(RecordingRunner(lambda: Run(None, "thrown", [], 6)))) as backend:
        response = backend.test_function(Name="f", IfMatch=create(backend), EventObject=EVENT)
    assert response["TestResult"]["FunctionErrorMessage"] == "thrown"
    assert response["TestResult"]["FunctionOutput"] == ""


def test_the_requested_stage_is_run() -> None:
    runner = RecordingRunner()
    with closing(backend_with(runner)) as backend:
        first = create(backend)
        backend.publish_function(Name="f", IfMatch=first)
        config = {"Comment": "", "Runtime": "cloudfront-js-1.0"}
        backend.update_function(Name="f", IfMatch=first, FunctionConfig=config, FunctionCode=b"second")
        etags = {stage: backend.describe_function(Name="f", Stage=stage)["ETag"] for stage in ("DEVELOPMENT", "LIVE")}
        for stage, etag in etags.items():
            response = backend.test_function(Name="f", Stage=stage, IfMatch=etag, EventObject=EVENT)
            assert response["TestResult"]["FunctionSummary"]["FunctionMetadata"]["Stage"] == stage
        with pytest.raises(ClientError, match="InvalidIfMatchVersion"):
            backend.test_function(Name="f", Stage="LIVE", IfMatch=etags["DEVELOPMENT"], EventObject=EVENT)
    assert runner.runs == [
        (b"second", "cloudfront-js-1.0", EVENT, None),
        (b"first", "cloudfront-js-2.0", EVENT, None),
    ]


def test_the_function_receives_the_current_keys_of_its_store() -> None:
    runner = RecordingRunner()
    with closing(backend_with(runner)) as backend:
        arn = store_with(backend)
        etag = create(backend, b"x", "cloudfront-js-2.0", arn)
        backend.test_function(Name="f", IfMatch=etag, EventObject=EVENT)
        data_etag = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
        backend.put_key(KvsARN=arn, IfMatch=data_etag, Key="k", Value="v")
        backend.test_function(Name="f", IfMatch=etag, EventObject=EVENT)
    assert [key_values for *_, key_values in runner.runs] == [{}, {"k": "v"}]


def test_the_function_receives_the_metadata_of_its_store() -> None:
    runner = RecordingRunner()
    moment = datetime(2026, 5, 5, 12, 0, 0, 123_456, tzinfo=UTC)
    times = iter([moment, moment.replace(minute=1), *[moment.replace(minute=2)] * 9])
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, runner=runner, clock=lambda: next(times))) as backend:
        arn = store_with(backend)
        data_etag = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
        backend.put_key(KvsARN=arn, IfMatch=data_etag, Key="k", Value="v")
        etag = create(backend, b"x", "cloudfront-js-2.0", arn)
        backend.test_function(Name="f", IfMatch=etag, EventObject=EVENT)
    store = StoreMetadata(arn.rpartition("/")[2], "2026-05-05T12:00:00.123Z", "2026-05-05T12:02:00.123Z")
    assert runner.stores == [store]


def test_a_function_without_a_store_receives_no_metadata() -> None:
    runner = RecordingRunner()
    with closing(backend_with(runner)) as backend:
        store_with(backend, k="v")
        backend.test_function(Name="f", IfMatch=create(backend), EventObject=EVENT)
    assert runner.stores == [None]


def test_testing_changes_nothing() -> None:
    with closing(backend_with(RecordingRunner())) as backend:
        etag = create(backend)
        before = {**backend.describe_function(Name="f"), "ResponseMetadata": None}
        backend.test_function(Name="f", IfMatch=etag, EventObject=EVENT)
        assert {**backend.describe_function(Name="f"), "ResponseMetadata": None} == before


def test_a_running_function_does_not_block_other_operations() -> None:
    started, finish = threading.Event(), threading.Event()

    def long_run() -> Run:
        started.set()
        assert finish.wait(10)
        return GOOD

    with closing(backend_with(RecordingRunner(long_run))) as backend, ThreadPoolExecutor(1) as pool:
        etag = create(backend)
        testing = pool.submit(backend.test_function, Name="f", IfMatch=etag, EventObject=EVENT)
        assert started.wait(10)
        backend.create_key_value_store(Name="meanwhile")
        backend.publish_function(Name="f", IfMatch=etag)
        backend.delete_function(Name="f", IfMatch=etag)
        assert not testing.done()
        finish.set()
        assert testing.result()["TestResult"]["FunctionSummary"]["Status"] == "UNPUBLISHED"


def test_an_invalid_event_is_rejected_with_the_message_of_the_runner() -> None:
    def reject() -> Run:
        raise InvalidEventError("version must be 1.0")

    with (
        closing(backend_with(RecordingRunner(reject))) as backend,
        pytest.raises(ClientError, match=r"version must be 1\.0") as caught,
    ):
        backend.test_function(Name="f", IfMatch=create(backend), EventObject=EVENT)
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"


def test_a_failure_of_the_runner_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Run:
        raise RunnerError("SECRET of the engine")

    with closing(backend_with(RecordingRunner(fail))) as backend:
        etag = create(backend)
        with pytest.raises(ClientError) as caught:
            backend.test_function(Name="f", IfMatch=etag, EventObject=EVENT)
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "TestFunctionFailed"
    assert response["Error"]["Type"] == "Receiver"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "SECRET" not in str(caught.value)
    assert "SECRET of the engine" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"Name": "g"}, ("NoSuchFunctionExists", 404)),
        ({"Stage": "LIVE"}, ("NoSuchFunctionExists", 404)),
        ({"Stage": "live"}, ("InvalidArgument", 400)),
        ({"IfMatch": ""}, ("InvalidIfMatchVersion", 400)),
        ({"IfMatch": "E0123456789ABC"}, ("InvalidIfMatchVersion", 400)),
        ({"EventObject": b"x" * 40_961}, ("InvalidArgument", 400)),
    ],
)
def test_a_rejected_test_does_not_run_the_function(arguments: dict[str, Any], error: tuple[str, int]) -> None:
    runner = RecordingRunner()
    with closing(backend_with(runner)) as backend:
        etag = create(backend)
        request = {"Name": "f", "IfMatch": etag, "EventObject": EVENT, **arguments}
        assert error_with_operation(backend.test_function, **request) == (*error, "TestFunction")
        good = {"Name": "f", "IfMatch": etag, "EventObject": b"x" * 40_960}
        backend.test_function(**good)
    assert len(runner.runs) == 1


def event(uri: str = "/old") -> bytes:
    return json.dumps(request_event(uri)).encode()


READS_STORE = b"""
import cf from 'cloudfront';
const kvs = cf.kvs();
async function handler(event) {
    console.log('asked for ' + event.request.uri);
    event.request.uri = await kvs.get(event.request.uri);
    return event.request;
}
"""


@pytest.mark.parametrize("runtime", ["cloudfront-js-1.0", "cloudfront-js-2.0"])
def test_the_engine_runs_the_function(runtime: str) -> None:
    code = b"function handler(event) { event.request.uri = '/new'; console.log('ran'); return event.request; }"
    with closing(backend_with(None)) as backend:
        etag = create(backend, code, runtime)
        result = backend.test_function(Name="f", IfMatch=etag, EventObject=event())["TestResult"]
    assert result["FunctionErrorMessage"] == ""
    assert json.loads(result["FunctionOutput"])["request"]["uri"] == "/new"
    assert result["FunctionExecutionLogs"] == ["ran"]
    assert 0 <= int(result["ComputeUtilization"]) <= 100


def test_the_engine_reads_the_associated_store() -> None:
    with closing(backend_with(None)) as backend:
        arn = store_with(backend, **{"/old": "/from-store"})
        etag = create(backend, READS_STORE, "cloudfront-js-2.0", arn)
        existing = backend.test_function(Name="f", IfMatch=etag, EventObject=event())["TestResult"]
        missing = backend.test_function(Name="f", IfMatch=etag, EventObject=event("/other"))["TestResult"]
    assert json.loads(existing["FunctionOutput"])["request"]["uri"] == "/from-store"
    assert existing["FunctionExecutionLogs"] == ["asked for /old"]
    assert missing["FunctionErrorMessage"] != ""
    assert missing["FunctionOutput"] == ""


@pytest.mark.parametrize(
    "code",
    [b"function handler(event) { throw new Error('thrown'); }", b"this is not code", b"var handler = 1;", b"\xff"],
)
def test_invalid_code_returns_a_result_with_the_error(code: bytes) -> None:
    with closing(backend_with(None)) as backend:
        result = backend.test_function(Name="f", IfMatch=create(backend, code), EventObject=event())["TestResult"]
    assert result["FunctionErrorMessage"] != ""
    assert result["FunctionOutput"] == ""


@pytest.mark.parametrize("content", [b"", b"no JSON", b"{}", b"[]", b"\xff"])
def test_a_malformed_event_is_rejected(content: bytes) -> None:
    with closing(backend_with(None)) as backend:
        error = error_with_operation(backend.test_function, Name="f", IfMatch=create(backend), EventObject=content)
    assert error == ("InvalidArgument", 400, "TestFunction")
