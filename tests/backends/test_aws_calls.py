"""The AWS backend changes nothing on the way: what boto3 sends is sent, what boto3 returns or raises comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.protocol import Backend
from support.cloudfront_http import CloudFrontDouble, RecordedRequest
from support.cloudfront_samples import FULL_FUNCTION, call, code_and_status, plain_client, sample
from support.cloudfront_wire import installed_wire, refusal

MakeBackend = Callable[..., AwsBackend]

OPERATIONS = (
    "CreateFunction",
    "DescribeFunction",
    "GetFunction",
    "CreateKeyValueStore",
    "DescribeKeyValueStore",
    "ListKeyValueStores",
    "ListTagsForResource",
)
ARN = "arn:aws:cloudfront::123456789012:key-value-store/12345678-1234-1234-1234-123456789012"
ASSOCIATED = {
    "Comment": "a comment with <&> and é",
    "Runtime": "cloudfront-js-2.0",
    "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": ARN}]},
}
STORE = {"Name": "redirects"}
IMPORT = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/folder/key.json"}

SENT: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "function with all tag shapes and binary code": ("CreateFunction", FULL_FUNCTION),
    "function with all fields": ("CreateFunction", {**FULL_FUNCTION, "FunctionConfig": ASSOCIATED}),
    "function without tags": ("CreateFunction", {k: v for k, v in FULL_FUNCTION.items() if k != "Tags"}),
    "function with no tags in its tags": ("CreateFunction", {**FULL_FUNCTION, "Tags": {"Items": []}}),
    "function with 50 tags": (
        "CreateFunction",
        {**FULL_FUNCTION, "Tags": {"Items": [{"Key": f"k{n}", "Value": "v" * n} for n in range(50)]}},
    ),
    "function with every byte": ("CreateFunction", {**FULL_FUNCTION, "FunctionCode": bytes(range(256)) * 40}),
    "store of a name alone": ("CreateKeyValueStore", STORE),
    "store with an empty comment": ("CreateKeyValueStore", {**STORE, "Comment": ""}),
    "store with all fields": (
        "CreateKeyValueStore",
        {**STORE, "Comment": "c", "ImportSource": IMPORT, "Tags": FULL_FUNCTION["Tags"]},
    ),
    "describe of a stage": ("DescribeFunction", {"Name": "rewrite", "Stage": "LIVE"}),
    "describe without a stage": ("DescribeFunction", {"Name": "rewrite"}),
    "get": ("GetFunction", {"Name": "rewrite", "Stage": "DEVELOPMENT"}),
    "describe of a store": ("DescribeKeyValueStore", STORE),
    "list": ("ListKeyValueStores", {}),
    "list with everything": ("ListKeyValueStores", {"Marker": "a b&c", "MaxItems": "7", "Status": "READY"}),
    "tags": ("ListTagsForResource", {"Resource": ARN}),
}


def answer_in_full(operation: str, arguments: Mapping[str, Any]) -> Any:
    """Answers with every member that the operation has."""
    return sample(installed_wire().model.operation_model(operation).output_shape)


def without_what_changes(response: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(response["ResponseMetadata"])
    headers = dict(metadata["HTTPHeaders"])
    assert metadata.pop("RequestId") == headers.pop("x-amzn-requestid")
    assert headers.pop("date")
    metadata.pop("MaxAttemptsReached", None)
    return {**response, "ResponseMetadata": {**metadata, "HTTPHeaders": headers}}


def steady_headers(request: RecordedRequest) -> dict[str, str]:
    """Gives the headers that two equal calls have in common."""
    changing = ("authorization", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent")
    return {name: "" if name in changing else value for name, value in request.headers.items()}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_boto3s_own(aws_backend: MakeBackend, operation: str) -> None:
    sent = sample(installed_wire().model.operation_model(operation).input_shape)

    with CloudFrontDouble(answer_in_full) as double, plain_client(double.url) as client:
        plain, ours = call(client, operation, sent), call(aws_backend(double), operation, sent)

    assert without_what_changes(ours) == without_what_changes(plain)
    assert plain.keys() - {"ResponseMetadata"} == answer_in_full(operation, {}).keys(), "the sample is full"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_refusal_is_boto3s_own(aws_backend: MakeBackend, operation: str) -> None:
    sent = sample(installed_wire().model.operation_model(operation).input_shape)

    def refuse(operation: str, arguments: Mapping[str, Any]) -> Any:
        raise refusal("InvalidArgument", 400, "an argument <is> wrong")

    errors = []
    with CloudFrontDouble(refuse) as double, plain_client(double.url) as client:
        for caller in (client, aws_backend(double)):
            with pytest.raises(ClientError, match="an argument <is> wrong") as caught:
                call(caller, operation, sent)
            errors.append(caught.value)
        assert double.count(operation) == 2

    plain, ours = errors
    assert without_what_changes(ours.response) == without_what_changes(plain.response)
    assert ours.operation_name == plain.operation_name == operation
    assert code_and_status(ours) == ("InvalidArgument", 400)


@pytest.mark.parametrize(("operation", "arguments"), SENT.values(), ids=SENT.keys())
def test_every_request_is_boto3s_own(aws_backend: MakeBackend, operation: str, arguments: Mapping[str, Any]) -> None:
    with CloudFrontDouble(answer_in_full) as double, plain_client(double.url) as client:
        call(client, operation, arguments)
        call(aws_backend(double), operation, arguments)
        plain, ours = double.requests

    assert ours.arguments == arguments
    assert (ours.method, ours.path, ours.body) == (plain.method, plain.path, plain.body)
    assert steady_headers(ours) == steady_headers(plain)


def test_absent_and_empty_values_differ_on_the_wire(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront)
    backend.create_function(**FULL_FUNCTION)
    backend.create_key_value_store(Name="a")
    backend.create_key_value_store(Name="b", Comment="")

    function, absent, empty = (request.body for request in cloudfront.requests)
    assert b"<Tag><Key>empty</Key><Value /></Tag><Tag><Key>absent</Key></Tag>" in function
    assert b"<Comment" not in absent
    assert b"<Comment />" in empty


def test_requests_name_the_facade_and_its_version(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
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


def test_it_is_a_backend_and_its_settling_one_too(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend: Backend = aws_backend(cloudfront)
    settling: Backend = aws_backend(cloudfront).settling(1.0)
    assert (backend.name, settling.name) == ("aws", "aws")
    settling.close()


def test_closing_closes_the_connections(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> None:
    backend = aws_backend(cloudfront)
    backend.list_key_value_stores()
    assert cloudfront.connections == 1

    backend.close()

    cloudfront.wait_until_idle()
