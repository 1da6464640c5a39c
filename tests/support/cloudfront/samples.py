"""Plain boto3 clients to compare with, and sample values from the service model."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from ..rpcs import DATA_OPERATIONS
from ..values import MOMENT, STORE_ARN
from .data_wire import installed_data_wire
from .wire import installed_wire

FULL_FUNCTION: Final[Mapping[str, Any]] = {
    "Name": "rewrite_URLs-1",
    "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
    "FunctionCode": b"function handler() { return '<&>' }\r\n\x00\xff",
    "Tags": {"Items": [{"Key": "team", "Value": "edge"}, {"Key": "empty", "Value": ""}, {"Key": "absent"}]},
}


@cache
def _session() -> boto3.Session:
    """Returns a session that has loaded the service model once."""
    return boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="an-example-of-a-secret-key")


@contextmanager
def plain_client(url: str, service: str = "cloudfront", **config: Any) -> Iterator[Any]:
    """Opens a boto3 client with the defaults."""
    client = _session().client(service, region_name="us-east-1", endpoint_url=url, config=Config(**config))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def plain_data_client(url: str, **config: Any) -> Iterator[Any]:
    """Opens a boto3 client of the data plane, and lets the host resolve with an account id in front."""
    host = urlsplit(url).hostname
    resolve = socket.getaddrinfo

    def resolve_any(name: Any, *arguments: Any, **keywords: Any) -> Any:
        return resolve(host if str(name).endswith(f".{host}") else name, *arguments, **keywords)

    with (
        plain_client(url, "cloudfront-keyvaluestore", **config) as client,
        patch.object(socket, "getaddrinfo", resolve_any),
    ):
        yield client


def plain_client_of(operation: str, url: str, **config: Any) -> AbstractContextManager[Any]:
    """Opens a boto3 client of the plane that has this operation."""
    return (plain_data_client if operation in DATA_OPERATIONS else plain_client)(url, **config)


def call(client: Any, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Calls an operation of a client or a backend by its name, and reads streams to bytes."""
    is_client = hasattr(client, "meta")
    method = xform_name(operation.removesuffix("Data") if is_client else operation)
    response = getattr(client, method)(**arguments)
    return {name: value.read() if isinstance(value, StreamingBody) else value for name, value in response.items()}


def create_function(client: Any, name: str = "rewrite") -> Any:
    """Creates FULL_FUNCTION with this name."""
    return client.create_function(**{**FULL_FUNCTION, "Name": name})


def code_and_status(error: ClientError) -> tuple[str, int]:
    """Returns the AWS code and the HTTP status of an error."""
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def model_of(operation: str) -> Any:
    """Returns the model of an operation of either plane."""
    if operation in DATA_OPERATIONS:
        return installed_data_wire().operation_model(operation)
    return installed_wire().model.operation_model(operation)


def sample(shape: Any, name: str = "") -> Any:
    """Returns a value of this shape with every member and two items in every list."""
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
            return MOMENT
        case "blob":
            return b"<\x00\r\n\xff>"
    if shape.name == "KvsARN":
        return STORE_ARN
    in_head = shape.serialization.get("location") is not None
    return f"{name} /?&%" if in_head else f"{name} <&> \u00e9 \u2028 \U0001f600"
