"""A semaphore whose waiters are served in fair order: callers first, then the connections of each caller."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_CACHED_HOLDERS: Final = 4096


@dataclass(frozen=True)
class Holder:
    """Who asks for a slot.

    Attributes:
        caller: The caller, for example its IP address.
        connection: One of the caller's connections.
    """

    caller: str
    connection: str

    @staticmethod
    @lru_cache(_CACHED_HOLDERS)
    def of_peer(peer: str) -> Holder:
        """Returns the holder for a peer as gRPC names it, for example `ipv4:192.0.2.1:50000`."""
        return Holder(peer.rpartition(":")[0] or peer, peer)


@dataclass(eq=False)
class Waiter:
    """A place in the queue.

    Attributes:
        holder: Who waits.
        granted: Resolves to whether a slot was taken.
        is_queued: Whether it is still in the queue.
    """

    holder: Holder
    granted: asyncio.Future[bool]
    is_queued: bool = True


class FairSemaphore:
    """Limits concurrency, and shares it fairly when it is scarce.

    A caller alone may hold every slot. When several wait, the next slot goes to the caller that holds the fewest, and
    within it to the connection that holds the fewest. If the queue is full, the connection with the longest queue
    loses its newest waiter.

    Args:
        slots: Maximum number of slots that are held at the same time.
        max_waiting: Maximum number of waiters.

    Attributes:
        slots: Maximum number of slots that are held at the same time.
        held: Number of slots that are held.
        waiting: Number of waiters.
    """

    def __init__(self, slots: int, max_waiting: int) -> None:
        self.slots = slots
        self._max_waiting = max_waiting
        self._held_by_caller: dict[str, int] = {}
        self._held_by_connection: dict[str, int] = {}
        self._queues: dict[str, dict[str, deque[Waiter]]] = {}
        self.held = 0
        self.waiting = 0

    def try_acquire(self, holder: Holder) -> bool:
        """Takes a slot if one is free; returns whether it did."""
        if self.held >= self.slots:
            return False
        self._take(holder)
        return True

    async def acquire(self, holder: Holder, max_wait: float) -> bool:
        """Takes a slot, and waits for it if none is free.

        Args:
            holder: Who asks.
            max_wait: The longest wait, in seconds.

        Returns:
            Whether the slot was taken; if it was, `release` must be called.
        """
        if self.try_acquire(holder):
            return True
        if max_wait <= 0 or not self._make_room(holder):
            return False
        loop = asyncio.get_running_loop()
        waiter = Waiter(holder, loop.create_future())
        self._queues.setdefault(holder.caller, {}).setdefault(holder.connection, deque()).append(waiter)
        self.waiting += 1
        timer = loop.call_later(max_wait, self._reject, waiter)
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if not waiter.granted.cancelled() and waiter.granted.result():
                self.release(holder)  # it was granted just before the cancellation
            self._remove(waiter)
            raise
        finally:
            timer.cancel()

    def held_by(self, holder: Holder) -> int:
        """Returns how many slots a connection holds."""
        return self._held_by_connection.get(holder.connection, 0)

    def next_waiter(self) -> Waiter | None:
        """Returns who gets the next slot; None if the queue is empty."""
        return self._next() if self._queues else None

    def release(self, holder: Holder) -> None:
        """Frees a slot, which the next waiter takes."""
        self.held -= 1
        _subtract_one(self._held_by_caller, holder.caller)
        _subtract_one(self._held_by_connection, holder.connection)
        if self._queues:
            self._grant()

    def _take(self, holder: Holder) -> None:
        self.held += 1
        _add_one(self._held_by_caller, holder.caller)
        _add_one(self._held_by_connection, holder.connection)

    def _grant(self) -> None:
        """Passes a slot to the next waiter. One that was cancelled is still queued until its task notices."""
        while self._queues and not self._grant_to(self._next()):
            pass

    def _grant_to(self, waiter: Waiter) -> bool:
        self._remove(waiter)
        if waiter.granted.done():
            return False
        self._take(waiter.holder)
        waiter.granted.set_result(True)
        return True

    def _next(self) -> Waiter:
        caller = min(self._queues, key=lambda caller: self._held_by_caller.get(caller, 0))
        connections = self._queues[caller]
        connection = min(connections, key=lambda connection: self._held_by_connection.get(connection, 0))
        # Of those that hold equally many, whoever was served last comes last next time.
        connections[connection] = connections.pop(connection)
        self._queues[caller] = self._queues.pop(caller)
        return connections[connection][0]

    def _make_room(self, holder: Holder) -> bool:
        """Returns whether the queue has room for one more waiter, after it dropped one of a longer queue if needed."""
        if self.waiting < self._max_waiting:
            return True
        queues = [queue for connections in self._queues.values() for queue in connections.values()]
        longest = max(queues, key=len, default=deque[Waiter]())
        if len(longest) <= len(self._queues.get(holder.caller, {}).get(holder.connection, ())) + 1:
            return False
        self._reject(longest[-1])
        return True

    def _reject(self, waiter: Waiter) -> None:
        if not waiter.granted.done():
            self._remove(waiter)
            waiter.granted.set_result(False)

    def _remove(self, waiter: Waiter) -> None:
        if not waiter.is_queued:
            return
        waiter.is_queued = False
        connections = self._queues[waiter.holder.caller]
        queue = connections[waiter.holder.connection]
        queue.remove(waiter)
        self.waiting -= 1
        if not queue:
            del connections[waiter.holder.connection]
        if not connections:
            del self._queues[waiter.holder.caller]


def _add_one(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1


def _subtract_one(counts: dict[str, int], key: str) -> None:
    if counts[key] == 1:
        del counts[key]
    else:
        counts[key] -= 1
