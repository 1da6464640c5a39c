"""A service with a method of each streaming kind, because the API does not have all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from google.rpc import error_details_pb2

from client.canned import error_status

NOT_FOUND = error_status(
    grpc.StatusCode.NOT_FOUND,
    "no",
    error_details_pb2.ErrorInfo(reason="RESOURCE_NOT_FOUND", domain="cloudfront-facade"),
)


class Streaming:
    """Streaming methods. They fail when a message is `fail`."""

    def __init__(self) -> None:
        self.deadlines: list[float | None] = []

    def watch(self, request: bytes, context: Any) -> Iterator[bytes]:
        return self.echo(iter([request, request]), context)

    def gather(self, requests: Iterator[bytes], context: Any) -> bytes:
        return b" ".join(self.echo(requests, context))

    def echo(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        self.deadlines.append(context.time_remaining())
        for request in requests:
            if request == b"fail":
                context.set_trailing_metadata(NOT_FOUND.trailers)
                context.abort(NOT_FOUND.code, NOT_FOUND.message)
            yield request

    def handlers(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            "Streaming",
            {
                "Watch": grpc.unary_stream_rpc_method_handler(self.watch),
                "Gather": grpc.stream_unary_rpc_method_handler(self.gather),
                "Echo": grpc.stream_stream_rpc_method_handler(self.echo),
            },
        )
