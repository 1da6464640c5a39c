"""The simplest implementation: a threaded gRPC server that calls CloudFront with a default boto3 client."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import grpc

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, CreateFunctionResponse
from cloudfront_facade.v1.function_service_pb2_grpc import (
    FunctionServiceServicer,
    add_FunctionServiceServicer_to_server,
)

from ..messages import from_boto, to_boto


class _Functions(FunctionServiceServicer):
    def __init__(self, client: Any) -> None:
        self._client = client

    def CreateFunction(  # noqa: N802
        self, request: CreateFunctionRequest, _context: grpc.ServicerContext
    ) -> CreateFunctionResponse:
        return from_boto(self._client.create_function(**to_boto(request)))


if __name__ == "__main__":
    client = boto3.client("cloudfront", region_name="us-east-1", endpoint_url=sys.argv[2])
    server = grpc.server(ThreadPoolExecutor(32))
    add_FunctionServiceServicer_to_server(_Functions(client), server)  # type: ignore[abstract]
    server.add_insecure_port(sys.argv[1])
    server.start()
    server.wait_for_termination()
