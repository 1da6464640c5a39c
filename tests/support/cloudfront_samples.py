"""Values for boto3's calls of CloudFront: a plain client to compare with, and samples made from the service model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

FULL_FUNCTION: Final[Mapping[str, Any]] = {
    "Name": "rewrite_URLs-1",
    "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
    "FunctionCode": b"function handler() { return '<&>' }\r\n\x00\xff",
    "Tags": {"Items": [{"Key": "team", "Value": "edge"}, {"Key": "empty", "Value": ""}, {"Key": "absent"}]},
}

OPERATIONS: Final = (
    "CreateFunction",
    "CreateKeyValueStore",
    "DeleteFunction",
    "DeleteKeyValueStore",
    "DescribeFunction",
    "DescribeKeyValueStore",
    "GetFunction",
    "ListFunctions",
    "ListKeyValueStores",
    "ListTagsForResource",
    "PublishFunction",
    "TagResource",
    "TestFunction",
    "UntagResource",
    "UpdateFunction",
    "UpdateKeyValueStore",
)
"""All that functions, stores and tags have on the control plane."""

_MOMENT: Final = datetime(2026, 5, 5, 12, 30, 15, 123000, tzinfo=UTC)


@cache
def _session() -> boto3.Session:
    """Loads the service model once."""
    return boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="an-example-of-a-secret-key")


@contextmanager
def plain_client(url: str, **config: Any) -> Iterator[Any]:
    """Makes a boto3 client as anybody would."""
    client = _session().client("cloudfront", region_name="us-east-1", endpoint_url=url, config=Config(**config))
    try:
        yield client
    finally:
        client.close()


def call(client: Any, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Calls an operation by its name in the service model, and reads streams to bytes."""
    response = getattr(client, xform_name(operation))(**arguments)
    return {name: value.read() if isinstance(value, StreamingBody) else value for name, value in response.items()}


def create_function(client: Any, name: str = "rewrite") -> Any:
    """Creates FULL_FUNCTION under this name."""
    return client.create_function(**{**FULL_FUNCTION, "Name": name})


def code_and_status(error: ClientError) -> tuple[str, int]:
    """Gives what a refusal is known by: the AWS code and the HTTP status."""
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def sample(shape: Any, name: str = "") -> Any:
    """Makes a value of this shape that has every member, and two of every list."""
    match shape.type_name:
        case "structure":
            return {key: sample(member, key) for key, member in shape.members.items()}
        case "list":
            return [sample(shape.member, f"{name}-{index}") for index in (1, 2)]
        case "integer" | "long":
            return 7
        case "float" | "double":
            return 0.5
        case "boolean":
            return True
        case "timestamp":
            return _MOMENT
        case "blob":
            return b"<\x00\r\n\xff>"
    in_head = shape.serialization.get("location") is not None
    return f"{name} /?&%" if in_head else f"{name} <&> \u00e9 \u2028 \U0001f600"
