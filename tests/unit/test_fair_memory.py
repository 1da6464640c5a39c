"""How memory is shared over callers and their connections."""

from __future__ import annotations

import asyncio

from cloudfront_facade_server.concurrency.fair_semaphore import Holder
from cloudfront_facade_server.grpc_server.fair_memory import FairMemory, TakenMemory

FIRST, SECOND, THIRD = (Holder("10.0.0.1", f"10.0.0.1:{port}") for port in range(3))
OTHER = Holder("10.0.0.2", "10.0.0.2:1")


def fill(memory: FairMemory, holder: Holder) -> int:
    """Takes as many bytes as there is room for, one by one; returns how many."""
    taken = 0
    while memory.has_room(holder, 1):
        memory.take(holder, 1)
        taken += 1
    return taken


def test_a_connection_takes_half_and_further_ones_find_room() -> None:
    memory = FairMemory(1000)
    assert fill(memory, FIRST) == 500
    assert fill(memory, SECOND) == 250
    assert fill(memory, THIRD) > 30


def test_one_caller_leaves_a_fifth_to_others() -> None:
    memory = FairMemory(1000)
    for port in range(50):
        fill(memory, Holder("10.0.0.1", f"10.0.0.1:{port}"))
    assert fill(memory, OTHER) >= 100


def test_a_request_may_be_larger_than_the_limit_if_nothing_is_taken() -> None:
    memory = FairMemory(1000)
    assert memory.has_room(FIRST, 2000)
    memory.take(FIRST, 2000)
    assert not memory.has_room(SECOND, 1)
    memory.release(FIRST, 2000)
    assert memory.has_room(SECOND, 2000)


def test_room_is_waited_for() -> None:
    async def main() -> None:
        memory = FairMemory(1000)
        memory.take(FIRST, 1000)
        assert not await memory.wait_for_room(SECOND, 100, 0.05)
        asyncio.get_running_loop().call_later(0.05, memory.release, FIRST, 1000)
        assert await memory.wait_for_room(SECOND, 100, 5.0)

    asyncio.run(main())


def test_memory_that_is_given_back_twice_counts_once() -> None:
    memory = FairMemory(1000)
    taken = TakenMemory(memory, FIRST)
    taken.add(300)
    taken.give_back(200)
    assert memory.taken_by(FIRST) == 100
    taken.release()
    taken.give_back(100)
    assert memory.taken_by(FIRST) == 0
