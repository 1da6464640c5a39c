"""Requests that are rejected before CloudFront is called."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.default_facade import facade
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, Failure, failing, failure_of, function
from support.values import STORE_ARN

__all__ = ["facade"]

METHOD = "/cloudfront_facade.v1.FunctionService/CreateFunction"


def raw(facade: Facade, content: bytes, method: str = METHOD, **options: Any) -> Any:
    return failing(facade.channel.unary_unary(method), content, **options)


def size_on_the_wire(failure: Failure, encode: Callable[[bytes], bytes]) -> int:
    """Returns the size of the trailers as HTTP/2 counts it (RFC 9113, section 10.5.1)."""
    trailers = {"grpc-status": "0", "grpc-message": failure.message, **failure.trailers}
    return sum(
        len(name) + 32 + len(value if isinstance(value, str) else encode(value)) for name, value in trailers.items()
    )


def test_all_violations_are_reported_together_and_nothing_is_sent(facade: Facade, cloudfront: CloudFrontDouble) -> None:
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


def test_500_invalid_tags_return_20_violations_and_the_total(facade: Facade, cloudfront: CloudFrontDouble) -> None:
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
def test_undecodable_bytes_are_rejected_without_library_text(facade: Facade, content: bytes) -> None:
    failure = raw(facade, content)

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert failure.reason == "VALIDATION_FAILED"
    assert failure.message == "the request cannot be decoded: the bytes are not a message of this method"
    assert [(violation.field, violation.reason) for violation in failure.violations] == [("", "UNREADABLE")]


def test_a_field_with_a_wrong_wire_type_is_treated_as_missing(facade: Facade) -> None:
    failure = raw(facade, b"\x08\x01")  # `name` as a number
    assert failure.reason == "VALIDATION_FAILED"
    assert failure.violations[0].field == "name"


def test_unknown_fields_are_ignored(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    unknown = b"\xfa\x7f" + b"\x80\x80\x06" + b"x" * (6 << 14)  # field 2047, 96 KiB
    facade.channel.unary_unary(METHOD)(function().SerializeToString() + unknown)
    assert cloudfront.effects("CreateFunction") == 1


def test_deep_nesting_is_rejected(facade: Facade) -> None:
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


def test_an_empty_request_has_a_violation_for_each_required_field(facade: Facade) -> None:
    failure = failing(facade.functions.CreateFunction, CreateFunctionRequest())
    assert {violation.field for violation in failure.violations} == {
        "name",
        "function_config.runtime",
        "function_code",
    }


def test_every_response_names_the_backend(facade: Facade) -> None:
    _, call = facade.functions.CreateFunction.with_call(function())
    assert ("x-cloudfront-facade-backend", "aws") in call.trailing_metadata()
    with pytest.raises(grpc.RpcError) as caught:
        facade.functions.CreateFunction(function())
    assert failure_of(caught.value).trailers["x-cloudfront-facade-backend"] == "aws"
    for rejected in (raw(facade, b"\xff"), raw(facade, b"", "/no.such.Service/Method")):
        assert rejected.trailers["x-cloudfront-facade-backend"] == "aws"
