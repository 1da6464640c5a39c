"""A semaphore whose waiters are served in fair order: callers first, then the connections of each caller."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

_CACHED_HOLDERS: Final = 4096


class Holder(NamedTuple):
    """Who asks for a slot.

    Attributes:
        caller: The caller, for example its IP address.
        connection: One of the caller's connections.
        is_shared: Whether others have the same name, because gRPC has one name for all connections of a Unix socket.
    """

    caller: str
    connection: str
    is_shared: bool = False

    @staticmethod
    @lru_cache(_CACHED_HOLDERS)
    def of_peer(peer: str) -> Holder:
        """Returns the holder for a peer as gRPC names it, for example `ipv4:192.0.2.1:50000`."""
        return Holder(peer.rpartition(":")[0] or peer, peer, is_shared=peer.startswith("unix:"))


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
    within it to the connection that holds the fewest. If the queue is full, the caller with the most waiters loses the
    newest one of its connection with the most.

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

    def next_holder(self) -> Holder | None:
        """Returns who gets the next slot; None if the queue is empty."""
        return self._next().holder if self._queues else None

    def exceeds(self, one: Holder, other: Holder) -> bool:
        """Returns whether one has more slots than the other, and still would if it passed one on to the other.

        Callers are compared, and if both have the same one, their connections.
        """
        if one.caller != other.caller:
            counts, names = self._held_by_caller, (one.caller, other.caller)
        else:
            counts, names = self._held_by_connection, (one.connection, other.connection)
        return counts.get(names[0], 0) > counts.get(names[1], 0) + 1

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
        self._move_to_end(waiter.holder)
        self._take(waiter.holder)
        waiter.granted.set_result(True)
        return True

    def _next(self) -> Waiter:
        caller = min(self._queues, key=lambda caller: self._held_by_caller.get(caller, 0))
        connections = self._queues[caller]
        connection = min(connections, key=lambda connection: self._held_by_connection.get(connection, 0))
        return connections[connection][0]

    def _move_to_end(self, holder: Holder) -> None:
        """Of those that hold equally many, whoever was served last comes last next time."""
        if connections := self._queues.get(holder.caller):
            if queue := connections.pop(holder.connection, None):
                connections[holder.connection] = queue
            self._queues[holder.caller] = self._queues.pop(holder.caller)

    def _make_room(self, holder: Holder) -> bool:
        """Returns whether the queue has room for one more waiter, after it dropped one of a longer queue if needed."""
        if self.waiting < self._max_waiting:
            return True
        if not self._queues:
            return False
        own = self._queues.get(holder.caller, {})
        longest = max(self._queues.values(), key=_count)
        if longest is not own and _count(longest) <= _count(own) + 1:
            longest = own
        queue = max(longest.values(), key=len, default=deque[Waiter]())
        if longest is own and len(queue) <= len(own.get(holder.connection, ())) + 1:
            return False
        self._reject(queue[-1])
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


def _count(queues: dict[str, deque[Waiter]]) -> int:
    return sum(map(len, queues.values()))


def _add_one(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1


def _subtract_one(counts: dict[str, int], key: str) -> None:
    if counts[key] == 1:
        del counts[key]
    else:
        counts[key] -= 1
