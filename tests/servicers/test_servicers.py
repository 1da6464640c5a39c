"""The servicers without a server, driven by grpcio-testing: codes, messages and the exact boto3 call."""

from __future__ import annotations

from typing import Any

import grpc
import grpc_testing
import pytest
from botocore.exceptions import ReadTimeoutError

from cloudfront_facade.v1 import function_service_pb2, key_value_store_service_pb2
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.call_context import CallContext
from cloudfront_facade_server.grpc_server.status import to_status_error
from cloudfront_facade_server.settings.serve import ServeSettings
from cloudfront_facade_server.upstream.concurrency_limiter import ConcurrencyLimiter
from cloudfront_facade_server.wiring import services
from support.cloudfront.wire import client_error
from support.event_loop import in_loop
from support.facade import REQUEST_ID, function

FUNCTIONS = function_service_pb2.DESCRIPTOR.services_by_name["FunctionService"]
STORES = key_value_store_service_pb2.DESCRIPTOR.services_by_name["KeyValueStoreService"]


class Recorder:
    """A backend that records its calls and returns the configured responses."""

    name = "recorder"

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.responses: dict[str, Any] = {}

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            response = self.responses[operation]
            if isinstance(response, Exception):
                raise response
            return response

        return call


class StatusTranslator:
    """Runs a service's methods in grpcio-testing's thread, and translates exceptions as the gRPC server does."""

    def __init__(self, service: object) -> None:
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._service, operation)

        def handle(request: Any, context: Any) -> Any:
            call = CallContext(operation, "test", deadline=float("inf"))
            try:
                return in_loop(method, request, call)
            except Exception as error:  # noqa: BLE001 (as the gRPC server does)
                failure = to_status_error(error, call)
            context.abort(failure.code, failure.message)
            raise AssertionError

        return handle


@pytest.fixture
def backend() -> Recorder:
    return Recorder()


@pytest.fixture
def server(backend: Recorder) -> Any:
    settings = ServeSettings(backend="embedded", settle_timeout=0)
    by_name = services(settings, backend)
    return grpc_testing.server_from_dictionary(
        {descriptor: StatusTranslator(by_name[descriptor.full_name][0]) for descriptor in (FUNCTIONS, STORES)},
        grpc_testing.strict_real_time(),
    )


def invoke(server: Any, service: Any, request: Any) -> tuple[Any, grpc.StatusCode, str]:
    method = service.methods[0]
    rpc = server.invoke_unary_unary(method, (), request, None)
    response, _, code, details = rpc.termination()
    return response, code, details


def test_a_create_of_a_function_makes_one_boto3_call(server: Any, backend: Recorder) -> None:
    backend.responses["create_function"] = {"FunctionSummary": {"Name": "rewrite"}, "ETag": "E1", "Location": "l"}
    response, code, _ = invoke(server, FUNCTIONS, function(function_code=b"x", tags=[Tag(key="a", value="1")]))
    assert code is grpc.StatusCode.OK
    assert (response.etag, response.location, response.function_summary.name) == ("E1", "l", "rewrite")
    assert backend.calls == [
        (
            "create_function",
            {
                "Name": "rewrite",
                "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
                "FunctionCode": b"x",
                "Tags": {"Items": [{"Key": "a", "Value": "1"}]},
            },
        )
    ]


def test_a_create_of_a_store_makes_one_boto3_call_with_the_request_tag(server: Any, backend: Recorder) -> None:
    backend.responses["create_key_value_store"] = {"KeyValueStore": {"Name": "redirects"}, "ETag": "E1"}
    _, code, _ = invoke(server, STORES, CreateKeyValueStoreRequest(name="redirects", request_id=REQUEST_ID))
    assert code is grpc.StatusCode.OK
    fingerprint = "9588ed95e29802942944d3acf5bd9280"
    tag = {"Key": "cloudfront-facade:request", "Value": f"{REQUEST_ID}/{fingerprint}"}
    assert backend.calls == [("create_key_value_store", {"Name": "redirects", "Tags": {"Items": [tag]}})]


def test_a_rejected_request_does_not_reach_the_backend(server: Any, backend: Recorder) -> None:
    _, code, details = invoke(server, FUNCTIONS, function("not a name"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details == 'name: "not a name" contains U+0020 at position 4; allowed: a-z A-Z 0-9 - _'
    _, code, details = invoke(server, STORES, CreateKeyValueStoreRequest())
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details == "name: empty; allowed: 1 to 64 of a-z A-Z 0-9 - _"
    assert backend.calls == []


@pytest.mark.parametrize(
    ("error", "code", "details"),
    [
        (
            client_error("FunctionAlreadyExists", 409),
            grpc.StatusCode.ALREADY_EXISTS,
            'function "rewrite" already exists',
        ),
        (
            ReadTimeoutError(endpoint_url="https://cloudfront.example.com"),
            grpc.StatusCode.UNAVAILABLE,
            "CloudFront's response was lost, so it is unknown whether the change was applied; "
            "check whether it was applied before you retry",
        ),
        (RuntimeError("secret"), grpc.StatusCode.INTERNAL, "internal error"),
    ],
    ids=["error of CloudFront", "lost response", "bug"],
)
def test_an_exception_of_the_backend_becomes_a_status(
    server: Any, backend: Recorder, error: Exception, code: grpc.StatusCode, details: str
) -> None:
    backend.responses["create_function"] = error
    assert invoke(server, FUNCTIONS, function())[1:] == (code, details)


def test_a_failed_call_releases_its_slot() -> None:
    limiter = ConcurrencyLimiter(limit=1, min_upstream_time=0)
    call = CallContext("CreateFunction", "test", deadline=float("inf"))
    for _ in range(2):
        with pytest.raises(KeyError), limiter.admit(call):
            raise KeyError
