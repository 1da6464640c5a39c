"""Many calls at once of a well-behaved client: none fails below the server's own limits."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_data_service_pb2 import GetKeyRequest, PutKeyRequest
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.facade import Facade, open_channel
from support.process import EMBEDDED, FacadeProcess

Call = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
def process() -> Iterator[FacadeProcess]:
    # Calls that wait for their turn are not what is tested.
    with FacadeProcess(*EMBEDDED, "--max-queue-time", "30") as process:
        yield process


@pytest.fixture(scope="module")
def request_of_a_key(process: FacadeProcess) -> GetKeyRequest:
    with open_channel(process.address) as channel:
        facade = Facade.over(process.address, channel)
        arn = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="s")).key_value_store.arn
        facade.key_values.PutKey(PutKeyRequest(kvs_arn=arn, key="k", value="v"))
        return GetKeyRequest(kvs_arn=arn, key="k")


def statuses(
    address: str, request: GetKeyRequest, connections: int, make_calls: Callable[[list[Call]], Awaitable[Any]]
) -> Counter[str]:
    """Returns how many calls ended with which status; `make_calls` receives a function for each connection."""
    counts: Counter[str] = Counter()

    def calls_of(channel: grpc.aio.Channel) -> Call:
        get_key = KeyValueStoreDataServiceStub(channel).GetKey

        async def call() -> None:
            try:
                await get_key(request, timeout=60)
                counts["OK"] += 1
            except grpc.aio.AioRpcError as error:
                counts[f"{error.code().name}: {error.details()}"] += 1

        return call

    async def run() -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.insecure_channel(address, options) for _ in range(connections)]
        await make_calls([calls_of(channel) for channel in channels])
        for channel in channels:
            await channel.close()

    asyncio.run(run())
    return counts


def test_no_call_of_a_burst_on_one_connection_is_refused(
    process: FacadeProcess, request_of_a_key: GetKeyRequest
) -> None:
    async def bursts(calls: list[Call]) -> None:
        for _ in range(5):
            await asyncio.gather(*(calls[0]() for _ in range(400)))

    assert statuses(process.address, request_of_a_key, 1, bursts) == {"OK": 2000}


def test_no_call_is_refused_while_a_connection_has_almost_as_many_as_it_may(
    process: FacadeProcess, request_of_a_key: GetKeyRequest
) -> None:
    ends = time.monotonic() + 2

    async def repeat(call: Call) -> None:
        while time.monotonic() < ends:
            await call()

    async def steady(calls: list[Call]) -> None:
        await asyncio.gather(*(repeat(calls[0]) for _ in range(99)))

    assert set(statuses(process.address, request_of_a_key, 1, steady)) == {"OK"}


def test_all_calls_of_a_burst_on_many_connections_reach_the_server(
    process: FacadeProcess, request_of_a_key: GetKeyRequest
) -> None:
    async def burst(calls: list[Call]) -> None:
        await asyncio.gather(*(call() for call in calls for _ in range(100)))

    counts = statuses(process.address, request_of_a_key, 20, burst)
    assert counts.total() == 2000
    assert all(status == "OK" or status.startswith("RESOURCE_EXHAUSTED: ") for status in counts), counts
