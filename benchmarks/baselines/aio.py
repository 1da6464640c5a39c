"""A gRPC asyncio server (uvloop) that calls CloudFront with aiobotocore."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc
import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, CreateFunctionResponse
from cloudfront_facade.v1.function_service_pb2_grpc import (
    FunctionServiceServicer,
    add_FunctionServiceServicer_to_server,
)

from ..messages import from_boto, to_boto


class _Functions(FunctionServiceServicer):
    def __init__(self, client: Any) -> None:
        self._client = client

    async def CreateFunction(  # noqa: N802
        self, request: CreateFunctionRequest, _context: grpc.aio.ServicerContext[Any, Any]
    ) -> CreateFunctionResponse:
        return from_boto(await self._client.create_function(**to_boto(request)))


async def _serve(listen: str, endpoint: str) -> None:
    config = AioConfig(max_pool_connections=32)
    async with get_session().create_client(
        "cloudfront", region_name="us-east-1", endpoint_url=endpoint, config=config
    ) as client:
        server = grpc.aio.server()
        add_FunctionServiceServicer_to_server(_Functions(client), server)  # type: ignore[abstract]
        server.add_insecure_port(listen)
        await server.start()
        await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_serve(sys.argv[1], sys.argv[2]))
