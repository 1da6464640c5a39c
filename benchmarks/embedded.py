"""Durable creates per second of the embedded backend, next to the number of syncs per second of the same disk."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import uvloop

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

from . import servers
from .load_generator import MANY_CLIENTS
from .messages import IDEMPOTENT_REQUEST
from .process import print_progress

_QUOTA: Final = "1000000"
_PAGE: Final = b"\x00" * 4096


@dataclass(frozen=True)
class EmbeddedRun:
    """The result of one round.

    Attributes:
        creates_per_second: Functions created per second by MANY_CLIENTS clients.
        syncs_per_second: Number of times per second that 4 KiB are appended to a file in the same folder and synced.
    """

    creates_per_second: float
    syncs_per_second: float


def measure(folder: Path, rounds: int, seconds: float) -> list[EmbeddedRun]:
    """Measures creates for `seconds` and syncs for half as long, in each round."""
    server = servers.embedded(folder / "embedded.sqlite3", folder, "--embedded-max-functions", _QUOTA)
    try:
        print_progress(f"embedded backend, number of rounds: {rounds}")
        uvloop.run(_create(server.target, "warm", seconds / 4))
        return [
            EmbeddedRun(
                uvloop.run(_create(server.target, f"r{number}", seconds)), _sync(folder / "synced", seconds / 2)
            )
            for number in range(rounds)
        ]
    finally:
        server.process.stop()


async def _create(target: servers.Target, prefix: str, seconds: float) -> float:
    """Creates functions with unique names and returns the creates per second."""
    done = 0
    deadline = time.perf_counter() + seconds

    async with grpc.aio.insecure_channel(target.address) as channel:
        method: grpc.aio.UnaryUnaryMultiCallable[CreateFunctionRequest, bytes] = channel.unary_unary(
            target.path, request_serializer=CreateFunctionRequest.SerializeToString
        )

        async def create(client: int) -> None:
            nonlocal done
            request = CreateFunctionRequest()
            request.CopyFrom(IDEMPOTENT_REQUEST)
            number = 0
            while time.perf_counter() < deadline:
                number += 1
                request.name = f"{prefix}-{client}-{number}"
                await method(request, timeout=30)
                done += 1

        start = time.perf_counter()
        await asyncio.gather(*(create(client) for client in range(MANY_CLIENTS)))
        return done / (time.perf_counter() - start)


def _sync(path: Path, seconds: float) -> float:
    """Appends to a file, syncs it after each write, and returns the syncs per second."""
    done, start = 0, time.perf_counter()
    with path.open("wb", buffering=0) as file:
        while time.perf_counter() < start + seconds:
            file.write(_PAGE)
            os.fsync(file.fileno())
            done += 1
    return done / (time.perf_counter() - start)
