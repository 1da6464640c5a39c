"""An error with OVERLOADED names the limit that was reached, and its setting if it has one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from cloudfront_facade_server.concurrency.fair_semaphore import Holder
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.grpc_server import decoder
from cloudfront_facade_server.grpc_server.decoder import Decoder, LargeMessages, MessageLimits
from cloudfront_facade_server.grpc_server.fair_memory import FairMemory
from cloudfront_facade_server.grpc_server.receive_places import ReceivePlaces
from cloudfront_facade_server.grpc_server.receiver import Receiver

FIRST, SECOND = Holder("10.0.0.1", "10.0.0.1:1"), Holder("10.0.0.2", "10.0.0.2:1")
SHARE = "a quarter of --max-request-memory"


def message(call: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(StatusError) as failed:
        asyncio.run(call)
    assert failed.value.reason == "OVERLOADED"
    return failed.value.message


def test_a_call_without_a_place_names_the_setting_of_the_places() -> None:
    async def call() -> None:
        places = ReceivePlaces(1, 60.0, time.monotonic)
        await places.acquire(FIRST, 1)
        await places.acquire(SECOND, 0.01)

    assert "all 1 places for messages are taken; --max-request-memory sets their number;" in message(call())


def test_a_call_that_loses_its_place_names_the_message_that_did_not_arrive() -> None:
    async def call() -> None:
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(error: StatusError) -> asyncio.Future[None]:
            lost.set_exception(error)
            return lost

        places = ReceivePlaces(1, 0.0, time.monotonic)
        await places.acquire(FIRST, 1)
        places.start(FIRST, end)
        waiting = asyncio.ensure_future(places.acquire(SECOND, 5))
        try:
            await asyncio.wait_for(lost, 5)
        finally:
            waiting.cancel()

    text = message(call())
    assert text.startswith("no complete message arrived for ")
    assert "another call needed the place" in text
    assert "--max-request-memory sets" in text


def test_a_large_request_that_waits_too_long_to_be_decoded_names_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "_MAX_WAIT_SECONDS", 0.0)

    async def call() -> None:
        messages = LargeMessages()
        await messages._turn.acquire(FIRST, 1)
        await messages.decode(bytes, b"", SECOND)

    text = message(call())
    assert "decoded one at a time" in text
    assert "memory" not in text


def test_large_requests_that_take_all_memory_name_it() -> None:
    class Context:
        async def read(self) -> bytes:
            return bytes(50_000)

    async def call() -> None:
        memory = FairMemory(100_000)
        memory.take(FIRST, 90_000)
        receiver = Receiver(3, 0.0, 60.0, memory)
        no_limits = Decoder(None, MessageLimits(100_000), LargeMessages())
        context: Any = Context()
        await receiver.receive_first(context, SECOND, no_limits, lambda _: asyncio.get_running_loop().create_future())

    text = message(call())
    assert text.startswith("the large requests that are being processed take all memory")
    assert SHARE in text
