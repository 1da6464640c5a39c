"""A bare gRPC call: returns a constant response of a create's size. Uses asyncio and uvloop, like the facade."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any, Final

import grpc
import uvloop

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, CreateFunctionResponse
from cloudfront_facade.v1.function_service_pb2_grpc import (
    FunctionServiceServicer,
    add_FunctionServiceServicer_to_server,
)

from ..messages import COMMENT, NAME, from_boto

RESPONSE: Final = from_boto(
    {
        "Location": f"https://cloudfront.amazonaws.com/2020-05-31/function/{NAME}",
        "ETag": "ETVPDKIKX0DER",
        "FunctionSummary": {
            "Name": NAME,
            "Status": "UNPUBLISHED",
            "FunctionConfig": {"Comment": COMMENT},
            "FunctionMetadata": {
                "FunctionARN": f"arn:aws:cloudfront::123456789012:function/{NAME}",
                "CreatedTime": datetime(2026, 5, 5, 12, 30, 15, 123000, tzinfo=UTC),
                "LastModifiedTime": datetime(2026, 5, 5, 12, 30, 15, 123000, tzinfo=UTC),
            },
        },
    }
)


class _Echo(FunctionServiceServicer):
    async def CreateFunction(  # noqa: N802
        self, _request: CreateFunctionRequest, _context: grpc.aio.ServicerContext[Any, Any]
    ) -> CreateFunctionResponse:
        return RESPONSE


async def serve(listen: str, servicer: FunctionServiceServicer) -> None:
    """Serves until the process is stopped."""
    server = grpc.aio.server()
    add_FunctionServiceServicer_to_server(servicer, server)
    server.add_insecure_port(listen)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(sys.argv[1], _Echo()))  # type: ignore[abstract]
