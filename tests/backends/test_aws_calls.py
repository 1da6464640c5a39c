"""The AWS backend sends the same requests as boto3, and returns the same responses and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.protocol import Backend
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import (
    FULL_FUNCTION,
    call,
    code_and_status,
    model_of,
    plain_client_of,
    sample,
)
from support.cloudfront.wire import client_error
from support.rpcs import BACKEND_METHODS, OPERATIONS

MakeBackend = Callable[..., AwsBackend]


def complete_response(operation: str, arguments: Mapping[str, Any]) -> Any:
    """Returns a response with every member of the operation."""
    shape = model_of(operation).output_shape
    return sample(shape) if shape else {}


def without_varying_headers(response: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(response["ResponseMetadata"])
    headers = dict(metadata["HTTPHeaders"])
    assert metadata.pop("RequestId") == headers.pop("x-amzn-requestid")
    assert headers.pop("date")
    metadata.pop("MaxAttemptsReached", None)
    return {**response, "ResponseMetadata": {**metadata, "HTTPHeaders": headers}}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_response_equals_that_of_plain_boto3(aws_backend: MakeBackend, operation: str) -> None:
    sent = sample(model_of(operation).input_shape)

    with CloudFrontDouble(complete_response) as double, plain_client_of(operation, double.url) as client:
        plain, ours = call(client, operation, sent), call(aws_backend(double), operation, sent)

    if operation == "UpdateFunction":  # the model reads this ETag from a header that the service does not send
        plain["ETag"] = plain["ResponseMetadata"]["HTTPHeaders"]["etag"]
    assert without_varying_headers(ours) == without_varying_headers(plain)
    assert plain.keys() - {"ResponseMetadata"} == complete_response(operation, {}).keys(), (
        "the sample must have every member"
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_error_equals_that_of_plain_boto3(aws_backend: MakeBackend, operation: str) -> None:
    sent = sample(model_of(operation).input_shape)

    def fail(operation: str, arguments: Mapping[str, Any]) -> Any:
        raise client_error("InvalidArgument", 400, "an argument <is> wrong")

    errors = []
    with CloudFrontDouble(fail) as double, plain_client_of(operation, double.url) as client:
        for caller in (client, aws_backend(double)):
            with pytest.raises(ClientError, match="an argument <is> wrong") as caught:
                call(caller, operation, sent)
            errors.append(caught.value)
        assert double.count(operation) == 2

    plain, ours = errors
    assert without_varying_headers(ours.response) == without_varying_headers(plain.response)
    assert ours.operation_name == plain.operation_name == model_of(operation).name
    assert code_and_status(ours) == ("InvalidArgument", 400)


def test_the_aws_backend_defines_every_method_of_the_protocol() -> None:
    assert set(BACKEND_METHODS) <= vars(AwsBackend).keys()


def test_absent_and_empty_values_differ_on_the_wire(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront)
    backend.create_function(**FULL_FUNCTION)
    backend.create_key_value_store(Name="a")
    backend.create_key_value_store(Name="b", Comment="")

    function, absent, empty = (request.body for request in cloudfront.requests)
    assert b"<Tag><Key>empty</Key><Value /></Tag><Tag><Key>absent</Key></Tag>" in function
    assert b"<Comment" not in absent
    assert b"<Comment />" in empty


def test_the_user_agent_names_the_facade_and_its_version(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend
) -> None:
    aws_backend(cloudfront).list_key_value_stores()
    assert " cloudfront-facade/" in cloudfront.requests[0].headers["user-agent"]


def test_requests_are_signed_for_the_region(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    aws_backend(cloudfront).list_key_value_stores()
    aws_backend(cloudfront, region="eu-west-1").list_key_value_stores()
    default, other = (request.headers["authorization"] for request in cloudfront.requests)
    assert "/us-east-1/cloudfront/aws4_request" in default
    assert "/eu-west-1/cloudfront/aws4_request" in other


def test_many_threads_share_one_backend(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront)

    def create_and_read(number: int) -> bool:
        name, code = f"f{number}", bytes([number]) * 1000
        created = backend.create_function(**{**FULL_FUNCTION, "Name": name, "FunctionCode": code})
        assert created["FunctionSummary"]["Name"] == name
        return bool(backend.get_function(Name=name)["FunctionCode"].read() == code)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(create_and_read, range(64)))
    assert cloudfront.effects("CreateFunction") == 64


def test_the_aws_backend_implements_the_protocol(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend: Backend = aws_backend(cloudfront)
    assert backend.name == "aws"


def test_closing_closes_the_connections(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront)
    backend.list_key_value_stores()
    assert cloudfront.connections == 1

    backend.close()

    cloudfront.wait_until_idle()
