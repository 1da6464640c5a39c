"""A bare rejection: the echo server, but every call fails with the facade's trailers, which are built once."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

import grpc
import uvloop

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, CreateFunctionResponse
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceServicer
from cloudfront_facade_server.errors.facade_errors import validation_failed
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules

from ..messages import INVALID_REQUEST
from .echo import serve


def _rejection() -> StatusError:
    try:
        Rules(TagRules()).create_function(INVALID_REQUEST)
    except ValidationError as error:
        return validation_failed(error.violations)
    raise ValueError("the request was accepted")


ERROR: Final = _rejection()
TRAILERS: Final = (("x-cloudfront-facade-backend", "aws"), *ERROR.trailing_metadata("CreateFunction"))


class _Rejection(FunctionServiceServicer):
    async def CreateFunction(  # noqa: N802
        self, _request: CreateFunctionRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> CreateFunctionResponse:
        return await context.abort(ERROR.code, ERROR.message, TRAILERS)


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(sys.argv[1], _Rejection()))  # type: ignore[abstract]
