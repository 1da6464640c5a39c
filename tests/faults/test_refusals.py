"""What is refused before CloudFront hears of it, and what callers can do wrong."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import grpc
import pytest
from structlog.testing import capture_logs

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.protocol import Backend
from support.cloudfront.faults import hang
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, Facade, Failure, failing, failure_of, function, running_facade

METHOD = "/cloudfront_facade.v1.FunctionService/CreateFunction"
STORE_ARN = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def facade(cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]) -> Iterator[Facade]:
    with running_facade(aws_backend(cloudfront)) as running:
        yield running


def raw(facade: Facade, content: bytes, method: str = METHOD, **options: Any) -> Any:
    return failing(facade.channel.unary_unary(method), content, **options)


def size_on_the_wire(failure: Failure, encode: Callable[[bytes], bytes]) -> int:
    """Counts trailers as HTTP/2 does (RFC 9113, section 10.5.1): name, value and 32 bytes for each."""
    trailers = {"grpc-status": "0", "grpc-message": failure.message, **failure.trailers}
    return sum(
        len(name) + 32 + len(value if isinstance(value, str) else encode(value)) for name, value in trailers.items()
    )


def test_every_broken_rule_of_one_request_is_answered_at_once_and_not_one_byte_goes_upstream(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    config = FunctionConfig(
        runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
        key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)],
    )
    failure = failing(
        facade.functions.CreateFunction,
        function(
            "n" * 65,
            function_config=config,
            function_code=b"x" * 10_241,
            tags=[Tag(key="aws:x"), Tag(key="k", value="nul\0")],
        ),
    )

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (failure.reason, failure.domain) == ("VALIDATION_FAILED", "cloudfront-facade")
    assert failure.outcome == "not_applied"
    assert failure.metadata["violation_count"] == "5"
    assert [(violation.field, violation.reason) for violation in failure.violations] == [
        ("name", "NAME_LENGTH"),
        ("function_config.runtime", "RUNTIME_OF_ASSOCIATION"),
        ("function_code", "FUNCTION_CODE_SIZE"),
        ("tags[0].key", "TAG_KEY_RESERVED"),
        ("tags[1].value", "TAG_VALUE_CHARACTERS"),
    ]
    assert failure.message.startswith("name: ")
    assert cloudfront.requests == ()


def test_five_hundred_bad_tags_give_twenty_violations_and_the_count(
    facade: Facade, cloudfront: CloudFrontDouble
) -> None:
    bad = "a tag key that is long enough to be cut, with a NUL at its end \0"
    failure = failing(facade.functions.CreateFunction, function(tags=[Tag(key=bad)] * 500))

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert len(failure.violations) == 20
    assert len({violation.field for violation in failure.violations}) == 20
    assert failure.metadata["violation_count"] == "1000"  # 500 characters, 499 repeats, and the number of tags
    assert size_on_the_wire(failure, bytes) < 4096
    assert size_on_the_wire(failure, base64.b64encode) < 5632
    assert cloudfront.requests == ()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 10,
        b"\x0a\x05ab",
        b"\x0a\x02\xff\xfe",
        b"\x08\x96\x01\x0a",
        b"\x12" + b"\x7f" * 100,
    ],
    ids=["garbage", "cut short", "bad UTF-8", "ends in a tag", "length beyond the end"],
)
def test_bytes_that_are_no_message_are_refused_without_a_word_of_the_library(facade: Facade, content: bytes) -> None:
    failure = raw(facade, content)

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert failure.reason == "VALIDATION_FAILED"
    assert failure.message == "the request cannot be decoded: the bytes are not a message of this method"
    assert [(violation.field, violation.reason) for violation in failure.violations] == [("", "UNREADABLE")]


def test_a_wrong_wire_type_is_an_unknown_field_and_the_rules_find_what_is_missing(facade: Facade) -> None:
    failure = raw(facade, b"\x08\x01")  # `name` as a number
    assert failure.reason == "VALIDATION_FAILED"
    assert failure.violations[0].field == "name"


def test_unknown_fields_are_ignored(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    unknown = b"\xfa\x7f" + b"\x80\x80\x06" + b"x" * (6 << 14)  # field 2047, 96 KiB
    facade.channel.unary_unary(METHOD)(function().SerializeToString() + unknown)
    assert cloudfront.effects("CreateFunction") == 1


def test_deep_nesting_does_no_harm(facade: Facade) -> None:
    group = b"\xfb\x7f" * 20_000  # field 2047 opens a group, which opens a group, ...
    failure = raw(facade, group)
    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    facade.functions.CreateFunction(function())


@pytest.mark.parametrize(
    "method",
    [
        "/cloudfront_facade.v1.FunctionService/Frobnicate",
        "/cloudfront_facade.v1.FunctionService/",
        "/no.such.Service/Call",
        "/x",
        "//",
    ],
)
@pytest.mark.parametrize("kind", ["unary_unary", "unary_stream", "stream_unary", "stream_stream"])
def test_an_unknown_method_is_unimplemented(facade: Facade, method: str, kind: str) -> None:
    request = b"" if kind.startswith("unary") else iter([b""])
    call = getattr(facade.channel, kind)(method)
    failure = failing(lambda: list(call(request)) if kind.endswith("stream") else call(request))
    assert failure.code is grpc.StatusCode.UNIMPLEMENTED
    assert (failure.reason, failure.outcome) == ("METHOD_UNKNOWN", "not_applied")
    assert failure.metadata["method"] == method


def test_a_message_above_the_limit_is_refused(facade: Facade) -> None:
    for _ in range(3):
        failure = failing(facade.functions.CreateFunction, function(function_code=b"x" * 300_000))
        assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    facade.functions.CreateFunction(function())


def test_a_deadline_beyond_the_longest_is_cut(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    cloudfront.script("CreateFunction", hang())
    with running_facade(aws_backend(cloudfront), default_deadline=1, max_deadline=1, shutdown_grace_period=1) as facade:
        started = time.monotonic()
        failure = failing(facade.functions.CreateFunction, function(), timeout=30)
        assert time.monotonic() - started < 3
    assert failure.reason == "DEADLINE_EXCEEDED"


def test_too_short_a_deadline_sends_nothing(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    failure = failing(facade.functions.CreateFunction, function(), timeout=0.3)

    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (failure.reason, failure.outcome) == ("DEADLINE_TOO_SHORT", "not_applied")
    assert failure.metadata["required_ms"] == "500"
    assert cloudfront.requests == ()


def test_a_hanging_cloudfront_is_answered_at_the_default_deadline_and_its_outcome_logged(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    cloudfront.script("CreateFunction", hang())
    with (
        capture_logs() as lines,
        running_facade(aws_backend(cloudfront), default_deadline=1, drain_delay=0, shutdown_grace_period=1) as facade,
    ):
        started = time.monotonic()
        failure = failing(facade.functions.CreateFunction, function())
        assert time.monotonic() - started < 1.2
        cloudfront.release()

    assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (failure.reason, failure.outcome) == ("DEADLINE_EXCEEDED", "unknown")
    (line,) = [line for line in lines if line["event"] == "rpc"]
    assert (line["status"], line["reason"], line["outcome"]) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "unknown")
    assert line["log_level"] == "warning"


class BuggyBackend:
    """A backend with a bug that tells a secret."""

    name = "buggy"

    def create_function(self, **_: Any) -> Any:
        raise RuntimeError("the password is hunter2")

    def close(self) -> None:
        pass


def test_a_bug_tells_nothing_to_the_caller_and_no_text_to_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    with running_facade(cast(Backend, BuggyBackend())) as facade:
        failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert failure.code is grpc.StatusCode.INTERNAL
    assert (failure.message, failure.reason, failure.outcome) == ("internal error", "INTERNAL", "unknown")
    assert "hunter2" not in repr(failure)
    logged = "".join(capfd.readouterr())
    assert "RuntimeError" in logged
    assert "create_function" in logged
    assert "hunter2" not in logged


class SlowBackend:
    """A backend that answers when it is let to."""

    name = "slow"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.entered = threading.Semaphore(0)

    def create_function(self, **arguments: Any) -> Any:
        self.entered.release()
        self.release.wait(30)
        return {"FunctionSummary": {"Name": arguments["Name"]}}

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_more_calls_than_the_server_takes_are_shed_and_health_is_not_counted() -> None:
    backend = SlowBackend()
    with running_facade(backend, max_concurrent_calls=2) as facade:
        running = [facade.functions.CreateFunction.future(function(f"f{index}")) for index in range(2)]
        for _ in running:
            assert backend.entered.acquire(timeout=5)
        failure = failing(facade.functions.CreateFunction, function("one-more"))
        check_health(facade)
        backend.release.set()
        assert all(call.code() is grpc.StatusCode.OK for call in running)
        facade.functions.CreateFunction(function("later"))

    assert failure.reason == "OVERLOADED"
    assert failure.metadata["limit"] == "2"


def check_health(facade: Facade) -> None:
    assert facade.channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5) == b"\x08\x01"


def test_a_message_full_of_tags_holds_nobody_up(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    full = function(tags=[Tag()] * 120_000)
    check_health(facade)

    def slowest_answer_meanwhile() -> float:
        refused, slowest = facade.functions.CreateFunction.future(full), 0.0
        while not refused.done():
            started = time.monotonic()
            check_health(facade)
            slowest = max(slowest, time.monotonic() - started)
        failure = failing(refused.result)
        assert int(failure.metadata["violation_count"]) >= 1000
        assert failure.violations[0].description == "120000 tags; allowed: at most 50"
        return slowest

    # The best of some: the machine may be busy with something else. Looking at every tag takes far longer each time.
    assert min(slowest_answer_meanwhile() for _ in range(6)) < 0.05
    assert cloudfront.requests == ()


def test_a_stub_call_of_a_message_that_is_a_subset_works(facade: Facade) -> None:
    failure = failing(facade.functions.CreateFunction, CreateFunctionRequest())
    assert {violation.field for violation in failure.violations} == {
        "name",
        "function_config.runtime",
        "function_code",
    }


def test_every_answer_names_the_backend(facade: Facade) -> None:
    _, call = facade.functions.CreateFunction.with_call(function())
    assert ("x-cloudfront-facade-backend", "aws") in call.trailing_metadata()
    with pytest.raises(grpc.RpcError) as refused:
        facade.functions.CreateFunction(function())
    assert failure_of(refused.value).trailers["x-cloudfront-facade-backend"] == "aws"
    for refused_at_the_edge in (raw(facade, b"\xff"), raw(facade, b"", "/no.such.Service/Method")):
        assert refused_at_the_edge.trailers["x-cloudfront-facade-backend"] == "aws"
