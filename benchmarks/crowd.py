"""Five hundred callers at a slow upstream: they call when they like, not when the last answer came."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import uvloop

from . import servers
from .process import memory_bytes, say
from .upstream import Upstream

CALLERS: Final = 500
"""Each with a connection of its own."""

SETTINGS: Final = ("--max-concurrent-upstream-calls", "128")
"""What an operator sets for it: 128 calls upstream at once are good for 850 creates per second at 150 ms."""

_CALL_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Crowd:
    """What the crowd saw.

    Attributes:
        offered: calls per second.
        percentiles: 99 of them: the latency that so many of a hundred calls do not exceed, in seconds, from the moment
            when a call was due until its answer.
        failed: calls that were answered with an error.
        idle_bytes: the server's memory before the first call.
        most_bytes: the most memory that it ever had.
        late: the longest that a caller was late with a call, in seconds: what the callers themselves add.
    """

    offered: float
    percentiles: Sequence[float]
    failed: int
    idle_bytes: int
    most_bytes: int
    late: float


def measure(upstream: Upstream, folder: Path, per_second: float, rounds: int, seconds: float) -> list[Crowd]:
    """Measures a new facade in each round.

    Args:
        upstream: nginx.
        folder: for logs.
        per_second: calls to offer per second.
        rounds: how often.
        seconds: how long each time.
    """
    measured = []
    for number in range(1, rounds + 1):
        say(f"{CALLERS} callers: round {number} of {rounds}")
        server = servers.facade(upstream.slow, folder, *SETTINGS)
        try:
            idle = memory_bytes(server.process.pid)
            latencies, failed, late = uvloop.run(_offer(server.target, per_second, seconds, number))
            most = memory_bytes(server.process.pid, "VmHWM")
        finally:
            server.process.stop()
        measured.append(Crowd(per_second, statistics.quantiles(latencies, n=100), failed, idle, most, late))
    return measured


async def _offer(
    target: servers.Target, per_second: float, seconds: float, seed: int
) -> tuple[list[float], int, float]:
    """Calls at random moments, each with the caller whose turn it is; gives latencies, failures and lateness."""
    channels = [
        grpc.aio.insecure_channel(target.address, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(CALLERS)
    ]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    methods: list[grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = [
        channel.unary_unary(target.path) for channel in channels
    ]
    moments = random.Random(seed)  # noqa: S311 (arrivals, not a secret)
    latencies: list[float] = []
    failed, late = 0, 0.0

    async def call(number: int, due: float) -> None:
        nonlocal failed
        try:
            await methods[number % CALLERS](target.body, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError:
            failed += 1
        latencies.append(time.perf_counter() - due)

    due = began = time.perf_counter()
    async with asyncio.TaskGroup() as calls:
        for number in range(round(per_second * seconds)):
            due += moments.expovariate(per_second)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late = max(late, time.perf_counter() - due)
            calls.create_task(call(number, due))
    say(f"  {len(latencies) / (time.perf_counter() - began):.0f} calls per second, {failed} failed")
    for channel in channels:
        await channel.close()
    return latencies, failed, late
