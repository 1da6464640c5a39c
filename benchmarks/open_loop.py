"""An open-loop load test: 500 clients and a slow upstream. Calls start on schedule, not after the last response."""

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
from .process import memory_bytes, print_progress
from .upstream import Upstream

CLIENTS: Final = 500
"""The number of clients. Each has its own connection."""

SETTINGS: Final = ("--max-concurrent-upstream-calls", "128")
"""The facade's settings. 128 concurrent upstream calls allow 850 creates per second at 150 ms."""

_CALL_TIMEOUT_SECONDS: Final = 30.0


@dataclass(frozen=True)
class OpenLoopRun:
    """The result of one round.

    Attributes:
        offered_rate: The calls per second that the clients start.
        percentiles: The 1st to the 99th percentile of the latency, in seconds. A latency is counted from the scheduled
            start of a call.
        failed: The number of calls that failed.
        idle_bytes: The server's memory before the first call.
        peak_bytes: The server's peak memory.
        max_lateness: The longest delay between the scheduled and the actual start of a call, in seconds. The clients
            cause it, not the server.
    """

    offered_rate: float
    percentiles: Sequence[float]
    failed: int
    idle_bytes: int
    peak_bytes: int
    max_lateness: float


def measure(upstream: Upstream, folder: Path, per_second: float, rounds: int, seconds: float) -> list[OpenLoopRun]:
    """Runs the load test. Each round starts a new facade.

    Args:
        upstream: The running nginx.
        folder: The folder for logs.
        per_second: The number of calls to start per second.
        rounds: The number of rounds.
        seconds: The duration of a round.

    Returns:
        The result of each round.
    """
    measured = []
    for number in range(1, rounds + 1):
        print_progress(f"open loop, {CLIENTS} clients: round {number} of {rounds}")
        server = servers.facade(upstream.slow, folder, *SETTINGS)
        try:
            idle = memory_bytes(server.process.pid)
            latencies, failed, lateness = uvloop.run(_run(server.target, per_second, seconds, number))
            peak = memory_bytes(server.process.pid, "VmHWM")
        finally:
            server.process.stop()
        percentiles = statistics.quantiles(latencies, n=100)
        measured.append(OpenLoopRun(per_second, percentiles, failed, idle, peak, lateness))
    return measured


async def _run(target: servers.Target, per_second: float, seconds: float, seed: int) -> tuple[list[float], int, float]:
    """Starts calls at random times, round-robin over the clients.

    Returns:
        The latencies, the number of failed calls and the maximum lateness.
    """
    channels = [
        grpc.aio.insecure_channel(target.address, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(CLIENTS)
    ]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    methods: list[grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = [
        channel.unary_unary(target.path) for channel in channels
    ]
    arrivals = random.Random(seed)  # noqa: S311 (arrival times, not a secret)
    latencies: list[float] = []
    failed, lateness = 0, 0.0

    async def call(number: int, scheduled: float) -> None:
        nonlocal failed
        try:
            await methods[number % CLIENTS](target.body, timeout=_CALL_TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError:
            failed += 1
        latencies.append(time.perf_counter() - scheduled)

    scheduled = start = time.perf_counter()
    async with asyncio.TaskGroup() as calls:
        for number in range(round(per_second * seconds)):
            scheduled += arrivals.expovariate(per_second)
            await asyncio.sleep(max(0.0, scheduled - time.perf_counter()))
            lateness = max(lateness, time.perf_counter() - scheduled)
            calls.create_task(call(number, scheduled))
    print_progress(f"  {len(latencies) / (time.perf_counter() - start):.0f} calls per second, {failed} failed")
    for channel in channels:
        await channel.close()
    return latencies, failed, lateness
