"""The cost of a create and of a rejected request in function calls, a measure that hardly depends on the machine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.call_context import CallContext
from cloudfront_facade_server.concurrency.greenlets import greenlet_spawn
from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.settings.serve import ServeSettings
from cloudfront_facade_server.translation.functions import create_function_to_boto
from cloudfront_facade_server.wiring import FUNCTION_SERVICE, services
from support.aws_backend import new_aws_backend
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import plain_client
from support.facade import REQUEST_ID, function

pytestmark = pytest.mark.usefixtures("aws_environment")

NAMES = ("warm-1", "warm-2", "counted")


def request(name: str) -> CreateFunctionRequest:
    return function(
        name, request_id=REQUEST_ID, tags=[Tag(key="team", value="edge"), Tag(key="cost-center", value="7")]
    )


@contextmanager
def counting(calls: list[int]) -> Iterator[None]:
    """Counts the calls of Python and C functions in this thread."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)
        calls.append(count)


def calls_of_plain_boto3(double: CloudFrontDouble) -> int:
    calls: list[int] = []
    with plain_client(double.url) as client:
        for name in NAMES:
            arguments = create_function_to_boto(request(name))
            with counting(calls):
                client.create_function(**arguments)
    return calls[-1]


def calls_of_the_facade(
    double: CloudFrontDouble, check: Callable[[Any], None], *requests: CreateFunctionRequest
) -> int:
    calls: list[int] = []

    async def measure() -> None:
        backend = new_aws_backend(endpoint_url=double.url)
        settings = ServeSettings(backend="aws", endpoint_url=double.url)
        service: Any = services(settings, backend)[FUNCTION_SERVICE][0]
        for sent in requests:
            with counting(calls):
                check(await greenlet_spawn(response_or_error, service, sent))
        await greenlet_spawn(backend.close)

    asyncio.run(measure())
    return calls[-1]


def response_or_error(service: Any, sent: CreateFunctionRequest) -> Any:
    try:
        return service.CreateFunction(sent, CallContext("CreateFunction", "test", float("inf")))
    except ValidationError as error:
        return error


def test_a_create_needs_fewer_calls_than_plain_boto3_alone(cloudfront: CloudFrontDouble) -> None:
    plain = calls_of_plain_boto3(cloudfront)
    cloudfront.functions.clear()

    def is_created(answer: Any) -> None:
        assert answer.etag

    ours = calls_of_the_facade(cloudfront, is_created, *[request(name) for name in NAMES])

    assert ours < 0.6 * plain, f"{ours} calls; plain boto3 needs {plain}"


def test_a_rejected_request_needs_at_most_4_percent_of_the_calls_of_a_create(cloudfront: CloudFrontDouble) -> None:
    plain = calls_of_plain_boto3(cloudfront)
    bad = function("no name", function_code=b"", tags=[Tag(key="aws:x"), Tag(key="k", value="\0"), Tag(key="k")])

    def is_rejected(answer: Any) -> None:
        assert len(answer.violations) == 5

    ours = calls_of_the_facade(cloudfront, is_rejected, bad, bad)

    assert ours < 0.04 * plain, f"{ours} calls; a create with plain boto3 needs {plain}"
    assert cloudfront.count("CreateFunction") == len(NAMES)
