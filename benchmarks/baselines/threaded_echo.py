"""The echo on a threaded gRPC server: shows what asyncio costs when the handler does nothing else."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, CreateFunctionResponse
from cloudfront_facade.v1.function_service_pb2_grpc import (
    FunctionServiceServicer,
    add_FunctionServiceServicer_to_server,
)

from .echo import RESPONSE


class _Echo(FunctionServiceServicer):
    def CreateFunction(  # noqa: N802
        self, _request: CreateFunctionRequest, _context: grpc.ServicerContext
    ) -> CreateFunctionResponse:
        return RESPONSE


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(32))
    add_FunctionServiceServicer_to_server(_Echo(), server)  # type: ignore[abstract]
    server.add_insecure_port(sys.argv[1])
    server.start()
    server.wait_for_termination()
