"""What a bare refusal costs: the facade's own trailers, made once, as the answer to every call on the echo's edge."""

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

from .echo import serve
from .messages import REFUSED_REQUEST


def _refusal() -> StatusError:
    try:
        Rules(TagRules()).create_function(REFUSED_REQUEST)
    except ValidationError as error:
        return validation_failed(error.violations)
    raise ValueError("the request was not refused")


ANSWER: Final = _refusal()
TRAILERS: Final = (("x-cloudfront-facade-backend", "aws"), *ANSWER.trailing_metadata("CreateFunction"))


class _Refusal(FunctionServiceServicer):
    async def CreateFunction(  # noqa: N802
        self, _request: CreateFunctionRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> CreateFunctionResponse:
        return await context.abort(ANSWER.code, ANSWER.message, TRAILERS)


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(sys.argv[1], _Refusal()))  # type: ignore[abstract]
