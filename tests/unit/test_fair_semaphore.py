"""The order in which a fair semaphore serves its waiters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import pytest

from cloudfront_facade_server.concurrency.fair_semaphore import FairSemaphore, Holder

FLOOD = Holder("10.0.0.1", "10.0.0.1:1")
POLITE = Holder("10.0.0.2", "10.0.0.2:1")
FLOOD_SECOND = Holder("10.0.0.1", "10.0.0.1:2")


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))


async def queue(semaphore: FairSemaphore, *holders: Holder) -> list[asyncio.Task[bool]]:
    tasks = [asyncio.ensure_future(semaphore.acquire(holder, 5.0)) for holder in holders]
    await asyncio.sleep(0)
    return tasks


async def order(semaphore: FairSemaphore, tasks: Mapping[str, Awaitable[bool]], held: list[Holder]) -> list[str]:
    """Releases slots one at a time; returns the names of the waiters in the order in which they got a slot."""
    served: list[str] = []
    for name, task in tasks.items():
        asyncio.ensure_future(task).add_done_callback(lambda _, name=name: served.append(name))  # type: ignore[misc]
    for holder in held:
        semaphore.release(holder)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return served


def test_a_caller_alone_may_hold_every_slot() -> None:
    semaphore = FairSemaphore(3, 10)
    assert [semaphore.try_acquire(FLOOD) for _ in range(4)] == [True, True, True, False]


def test_a_holder_exceeds_another_with_two_slots_more() -> None:
    semaphore = FairSemaphore(10, max_waiting=10)
    for _ in range(2):
        assert semaphore.try_acquire(FLOOD)
    assert semaphore.exceeds(FLOOD, POLITE)
    assert semaphore.exceeds(FLOOD, FLOOD_SECOND), "connections of one caller are compared"
    assert semaphore.try_acquire(POLITE)
    assert semaphore.try_acquire(FLOOD_SECOND)
    assert semaphore.exceeds(FLOOD, POLITE), "the caller has three slots"
    assert not semaphore.exceeds(FLOOD, FLOOD_SECOND)
    assert not semaphore.exceeds(POLITE, FLOOD)
    assert not semaphore.exceeds(FLOOD, FLOOD)


def test_a_freed_slot_goes_to_the_caller_that_holds_the_fewest() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(4, 100)
        for _ in range(4):
            semaphore.try_acquire(FLOOD)
        flood = await queue(semaphore, *[FLOOD] * 20)
        (polite,) = await queue(semaphore, POLITE)
        semaphore.release(FLOOD)
        assert await polite
        assert not any(task.done() for task in flood)

    run(test)


def test_a_freed_slot_goes_to_the_connection_that_holds_the_fewest() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(2, 100)
        for _ in range(2):
            semaphore.try_acquire(FLOOD)
        await queue(semaphore, *[FLOOD] * 5)
        (second,) = await queue(semaphore, FLOOD_SECOND)
        semaphore.release(FLOOD)
        assert await second

    run(test)


def test_callers_that_hold_equally_many_take_turns() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 100)
        other = Holder("10.0.0.3", "10.0.0.3:1")
        semaphore.try_acquire(other)
        flood = await queue(semaphore, *[FLOOD] * 3)
        polite = await queue(semaphore, *[POLITE] * 3)
        served = await order(
            semaphore,
            {f"flood{n}": task for n, task in enumerate(flood)} | {f"polite{n}": task for n, task in enumerate(polite)},
            [other, FLOOD, POLITE, FLOOD, POLITE],
        )
        assert served == ["flood0", "polite0", "flood1", "polite1", "flood2"]

    run(test)


def test_waiters_of_one_connection_are_served_in_the_order_of_their_arrival() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 100)
        semaphore.try_acquire(FLOOD)
        tasks = await queue(semaphore, *[FLOOD] * 3)
        assert await order(semaphore, dict(zip("abc", tasks, strict=True)), [FLOOD] * 3) == ["a", "b", "c"]

    run(test)


def test_a_waiter_is_rejected_after_its_timeout() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 100)
        semaphore.try_acquire(FLOOD)
        assert not await semaphore.acquire(POLITE, 0.01)
        assert not await semaphore.acquire(POLITE, 0)
        assert (semaphore.held, semaphore.waiting) == (1, 0)
        semaphore.release(FLOOD)
        assert semaphore.held == 0

    run(test)


def test_a_full_queue_drops_the_newest_waiter_of_the_longest_queue() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 3)
        semaphore.try_acquire(FLOOD)
        flood = await queue(semaphore, *[FLOOD] * 3)
        assert not await semaphore.acquire(FLOOD, 5), "its own queue is the longest"
        (polite,) = await queue(semaphore, POLITE)
        await asyncio.sleep(0)
        assert [task.done() for task in flood] == [False, False, True]
        assert not flood[2].result()
        semaphore.release(FLOOD)
        assert await flood[0]
        semaphore.release(FLOOD)
        assert await polite

    run(test)


def test_a_full_queue_drops_a_waiter_of_the_caller_with_the_most() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 3)
        semaphore.try_acquire(POLITE)
        connections = [Holder(FLOOD.caller, f"{FLOOD.caller}:{number}") for number in range(3)]
        flood = await queue(semaphore, *connections)
        (polite,) = await queue(semaphore, POLITE)
        await asyncio.sleep(0)
        assert sum(task.done() for task in flood) == 1
        semaphore.release(POLITE)
        semaphore.release(FLOOD)
        await asyncio.sleep(0)
        assert await polite

    run(test)


def test_looking_for_the_next_holder_changes_no_order() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 10)
        semaphore.try_acquire(FLOOD)
        await queue(semaphore, POLITE, FLOOD_SECOND)
        assert [semaphore.next_holder() for _ in range(3)] == [POLITE] * 3

    run(test)


@pytest.mark.parametrize("granted_first", [False, True])
def test_a_waiter_that_is_cancelled_keeps_no_slot(*, granted_first: bool) -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 3)
        semaphore.try_acquire(FLOOD)
        (task,) = await queue(semaphore, POLITE)
        if granted_first:
            semaphore.release(FLOOD)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if not granted_first:
            semaphore.release(FLOOD)
        assert (semaphore.held, semaphore.waiting) == (0, 0)
        assert semaphore.try_acquire(FLOOD)

    run(test)


def test_a_slot_is_not_granted_to_a_waiter_that_is_being_cancelled() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 3)
        semaphore.try_acquire(FLOOD)
        cancelled, patient = await queue(semaphore, POLITE, POLITE)
        cancelled.cancel()
        semaphore.release(FLOOD)
        assert await patient
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        semaphore.release(POLITE)
        assert (semaphore.held, semaphore.waiting) == (0, 0)

    run(test)


def test_a_waiter_that_is_rejected_and_cancelled_is_removed_once() -> None:
    async def test() -> None:
        semaphore = FairSemaphore(1, 1)
        semaphore.try_acquire(FLOOD)
        (task,) = await queue(semaphore, POLITE)
        (waiter,) = semaphore._queues[POLITE.caller][POLITE.connection]
        semaphore._reject(waiter)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert semaphore.waiting == 0

    run(test)


@pytest.mark.parametrize(
    ("peer", "caller"),
    [
        ("ipv4:192.0.2.1:50000", "ipv4:192.0.2.1"),
        ("ipv6:%5B2001:db8::1%5D:50000", "ipv6:%5B2001:db8::1%5D"),
        ("unix:", "unix"),
        ("unknown", "unknown"),
    ],
)
def test_the_caller_of_a_peer_is_its_address_without_the_port(peer: str, caller: str) -> None:
    holder = Holder.of_peer(peer)
    assert (holder.caller, holder.connection) == (caller, peer)
    assert holder.is_shared is (caller == "unix"), "gRPC has one name for all connections of a Unix socket"
