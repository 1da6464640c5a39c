"""Shared by the tests of imports: sources of changes, canned responses, and a servicer that records how a call ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import grpc

from client.canned import Canned, error_status, info
from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysResponse, KeyChange

ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"
DONE = ImportKeysResponse(applied_changes=7, etag="E3")
PARTIAL = error_status(
    grpc.StatusCode.ABORTED,
    "no",
    info("ETAG_MISMATCH", outcome="partial", applied_changes="450", unknown_changes="50"),
    after=1,
)


def changes_of(servicer: Canned) -> list[KeyChange]:
    [received] = servicer.received
    return [change for request in received.request for change in request.changes]


class Stalling:
    """A source that yields some pairs and then stalls. It records whether it was closed."""

    def __init__(self, pairs: int = 1) -> None:
        self.stalls = asyncio.Event()
        self.closed = False
        self._pairs = pairs

    async def __aiter__(self) -> AsyncIterator[tuple[str, str]]:
        try:
            for number in range(self._pairs):
                yield str(number), "v"
            self.stalls.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.closed = True


def run_without_loop_errors(main: Coroutine[Any, Any, Any]) -> None:
    """Runs a coroutine, and checks that the event loop reports no errors."""
    errors: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        await main
        gc.collect()
        await asyncio.sleep(0.01)

    asyncio.run(watched())
    assert errors == []


class RecordingServicer(Canned):
    """A servicer that records how its import ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = threading.Event()
        self.looked_complete = False

    def ImportKeys(self, requests: Any, context: Any) -> ImportKeysResponse:  # noqa: N802
        if not context.add_callback(self.ended.set):
            self.ended.set()
        for _ in requests:
            self.started.set()
        # A cancelled stream can look complete until the call ends.
        self.looked_complete = not self.ended.wait(2)
        return DONE


def failing(error: Exception) -> Iterator[tuple[str, str]]:
    # More than fits into the buffers before the server starts to read.
    for number in range(3000):
        yield str(number), "v" * 1000
    raise error
