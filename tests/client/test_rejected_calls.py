"""The outcome of calls that gRPC itself rejects: `not_applied` only if the request was certainly not processed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from client.both import Run, asynchronous, both
from client.canned import Canned, ErrorStatus, running_server
from client.rejecting import Rejections, rejecting_server
from cloudfront_facade import FacadeError, connect
from cloudfront_facade._sending import Sending
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, CreateFunctionResponse
from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest, PutKeyRequest

CREATE = CreateFunctionRequest(name="a")
PUT = PutKeyRequest(kvs_arn="arn", key="a", value="b")
LARGE = "v" * 5_000_000
GZIP = {"options": [("grpc.default_compression_algorithm", 2)]}
SHORT = {"options": [("grpc.max_send_message_length", 100)]}
BAD_CONFIG = {"options": [("grpc.service_config", "{")]}


@pytest.fixture
def servicer() -> Canned:
    return Canned()


@pytest.fixture
def target(servicer: Canned) -> Iterator[str]:
    with running_server(servicer, options=[("grpc.compression_enabled_algorithms_bitset", 1)]) as target:
        yield target


def failure(run: Run, target: str, service: str, name: str, *arguments: Any, **keywords: Any) -> FacadeError:
    with pytest.raises(FacadeError) as caught:
        run(target, service, name, *arguments, **keywords)
    return caught.value


@both
@pytest.mark.parametrize(
    ("name", "request_", "keywords", "error"),
    [
        ("CreateFunction", CreateFunctionRequest(function_code=LARGE.encode()), {}, "SERVER: Received message larger"),
        ("CreateFunction", CreateFunctionRequest(name="a" * 101), {"options": SHORT}, "CLIENT: Sent message larger"),
        ("CreateFunction", CREATE, {"metadata": [(f"x{n}", "y" * 100) for n in range(900)]}, "received metadata size"),
        ("CreateFunction", CREATE, {"options": GZIP}, "Compression algorithm 'gzip' is disabled."),
        ("CreateFunction", CREATE, {"options": BAD_CONFIG}, "Failed to create channel"),
        ("PutKey", PutKeyRequest(value=LARGE), {}, "SERVER: Received message larger"),
        ("PutKey", PutKeyRequest(value="a" * 101), {"options": SHORT}, "CLIENT: Sent message larger"),
        ("PutKey", PUT, {"metadata": [(f"x{n}", "y" * 100) for n in range(900)]}, "received metadata size"),
        ("PutKey", PUT, {"options": GZIP}, "Compression algorithm 'gzip' is disabled."),
        ("PutKey", PUT, {"options": BAD_CONFIG}, "Failed to create channel"),
        ("put_many", None, {"options": GZIP}, "Compression algorithm 'gzip' is disabled."),
        ("put_many", None, {"options": BAD_CONFIG}, "Failed to create channel"),
    ],
)
def test_a_request_that_grpc_rejects_unread_is_not_applied(
    run: Run, servicer: Canned, target: str, name: str, request_: Any, keywords: dict[str, Any], error: str
) -> None:
    service = "functions" if name == "CreateFunction" else "key_values"
    arguments = ("arn", {"a": "b"}) if request_ is None else (request_,)
    if run is asynchronous and "metadata" in keywords:
        keywords = {"metadata": tuple(keywords["metadata"])}
    failed = failure(run, target, service, name, *arguments, **keywords)
    assert failed.details().startswith(error)
    assert (failed.outcome, [each.request for each in servicer.received if each.request]) == ("not_applied", [])


@both
def test_a_later_request_of_a_stream_that_is_too_large_is_unknown(run: Run, servicer: Canned, target: str) -> None:
    failed = failure(run, target, "key_values", "put_many", "arn", [(str(n), "v") for n in range(500)] + [("a", LARGE)])
    assert failed.details().startswith("SERVER: Received message larger")
    assert failed.outcome == "unknown"
    assert len(servicer.received[0].request) == 1


@both
@pytest.mark.parametrize("options", [{}, {"options": [("grpc.enable_retries", 0)]}])
def test_a_response_that_the_client_rejects_is_unknown(run: Run, options: dict[str, Any]) -> None:
    large = tuple((f"x{number}", "y" * 100) for number in range(900))
    servicer = Canned(ErrorStatus(grpc.StatusCode.ABORTED, "", large), CreateFunctionResponse(location=LARGE))
    with running_server(servicer, options=[("grpc.max_send_message_length", -1)]) as target:
        metadata = failure(run, target, "functions", "CreateFunction", CREATE, options=options)
        message = failure(run, target, "functions", "CreateFunction", CREATE, options=options)
    assert "received metadata size exceeds" in metadata.details()
    assert "CLIENT: Received message larger than max" in message.details()
    assert (metadata.outcome, message.outcome, len(servicer.received)) == ("unknown", "unknown", 2)


@pytest.mark.parametrize(
    "details",
    [
        # Versions of gRPC since 1.72 that reject a response say this, as a server does for a request.
        "received metadata size exceeds hard limit (value length 100000 vs. 16384)",
        "received metadata size exceeds soft limit (15125 vs. 8192);  grpc-status:44B y-big:15037B",
        "CLIENT: Received message larger than max (5000000 vs. 4194304)",
        "SERVER: Sent message larger than max (5000000 vs. 4194304)",
        # Servers report it for their own metadata too.
        "Invalid metadata",
    ],
)
def test_an_error_that_may_be_about_the_response_is_unknown(details: str) -> None:
    sending = Sending(retried=False, streaming=False)
    assert sending.may_be_processed(grpc.StatusCode.RESOURCE_EXHAUSTED, details, ())


@both
@pytest.mark.parametrize(
    ("name", "options", "outcome"),
    [
        ("ImportKeys", {}, "not_applied"),
        ("CreateFunction", {"retry": False}, "not_applied"),
        ("CreateFunction", {"request_ids": False}, "not_applied"),
        ("CreateFunction", {"options": [("grpc.enable_retries", 0)]}, "not_applied"),
        ("CreateFunction", {}, "not_applied"),
        # gRPC may have made earlier attempts, and does not report how they ended.
        ("CreateFunction", {"options": [("grpc.service_config", "{}")]}, "unknown"),
    ],
)
def test_a_refused_stream_is_not_applied_if_all_attempts_were_refused(
    run: Run, name: str, options: dict[str, Any], outcome: str
) -> None:
    rejections = Rejections(100)
    with rejecting_server(rejections) as target:
        if name == "ImportKeys":
            error = failure(run, target, "key_values", name, iter([ImportKeysRequest(kvs_arn="arn")]), options=options)
        else:
            error = failure(run, target, "functions", name, CREATE, options=options)
    assert "RST_STREAM with error code 7" in error.details()
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, outcome)


@both
@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ((("X y", "1"),), '^invalid metadata key "X y"; allowed: a-z 0-9 - _ \\.$'),
        ((("", "1"),), '^invalid metadata key ""'),
        ((("x", "hush\n"),), '^invalid value of the metadata key "x"; allowed: printable ASCII'),
    ],
)
@pytest.mark.parametrize("name", ["PutKey", "ImportKeys"])
def test_metadata_that_cannot_be_sent_raises_value_error(
    run: Run, servicer: Canned, target: str, metadata: Any, error: str, name: str
) -> None:
    request: Any = PUT if name == "PutKey" else iter([ImportKeysRequest(kvs_arn="arn")])
    with pytest.raises(ValueError, match=error) as caught:
        run(target, "key_values", name, request, metadata=metadata)
    assert "hush" not in str(caught.value)
    assert not servicer.received


def test_binary_and_text_metadata_are_sent(servicer: Canned, target: str) -> None:
    metadata: Any = (("x-trace", "a b~"), ("x-bytes", b"c"), ("x-bin", b"\x00\xff"))
    as_iterator: Any = iter(metadata)
    with connect(target) as facade:
        facade.key_values.PutKey(PUT, metadata=metadata)
        facade.key_values.PutKey(PUT, metadata=as_iterator)
    assert len(servicer.received) == 2


@both
@pytest.mark.parametrize(
    ("service", "name", "arguments"),
    [
        ("functions", "CreateFunction", (CREATE,)),
        ("key_values", "PutKey", (PUT,)),
        ("key_values", "put_many", ("arn", {"a": "b"})),
        ("key_value_stores", "wait_until_ready", ("a",)),
    ],
)
def test_a_negative_timeout_raises_value_error(
    run: Run, servicer: Canned, target: str, service: str, name: str, arguments: Any
) -> None:
    with pytest.raises(ValueError, match=r"^timeout must not be negative, but it is -1$"):
        run(target, service, name, *arguments, timeout=-1)
    assert not servicer.received
