"""The embedded backend, whose creates outlive a loss of power, beside the rate at which the disk writes and syncs."""

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
from .load import MANY
from .process import say
from .sides.messages import REPEATABLE_REQUEST

_QUOTA: Final = "1000000"
_PAGE: Final = b"\x00" * 4096


@dataclass(frozen=True)
class Durable:
    """What one round gave.

    Attributes:
        creates: functions created per second, by MANY callers.
        syncs: times per second that 4 KiB are appended to a file and synced, in the same folder.
    """

    creates: float
    syncs: float


def measure(folder: Path, rounds: int, seconds: float) -> list[Durable]:
    """Measures creates and syncs in turn, for so many seconds each."""
    server = servers.embedded(folder / "embedded.sqlite3", folder, "--embedded-max-functions", _QUOTA)
    try:
        say(f"embedded: {rounds} rounds")
        uvloop.run(_create(server.target, "warm", seconds / 4))
        return [
            Durable(uvloop.run(_create(server.target, f"r{number}", seconds)), _sync(folder / "synced", seconds / 2))
            for number in range(rounds)
        ]
    finally:
        server.process.stop()


async def _create(target: servers.Target, prefix: str, seconds: float) -> float:
    """Gives creates per second; each has a name of its own."""
    done = 0
    ends = time.perf_counter() + seconds

    async with grpc.aio.insecure_channel(target.address) as channel:
        method: grpc.aio.UnaryUnaryMultiCallable[CreateFunctionRequest, bytes] = channel.unary_unary(
            target.path, request_serializer=CreateFunctionRequest.SerializeToString
        )

        async def create(caller: int) -> None:
            nonlocal done
            request = CreateFunctionRequest()
            request.CopyFrom(REPEATABLE_REQUEST)
            number = 0
            while time.perf_counter() < ends:
                number += 1
                request.name = f"{prefix}-{caller}-{number}"
                await method(request, timeout=30)
                done += 1

        began = time.perf_counter()
        await asyncio.gather(*(create(caller) for caller in range(MANY)))
        return done / (time.perf_counter() - began)


def _sync(path: Path, seconds: float) -> float:
    """Gives syncs per second."""
    done, began = 0, time.perf_counter()
    with path.open("wb", buffering=0) as file:
        while time.perf_counter() < began + seconds:
            file.write(_PAGE)
            os.fsync(file.fileno())
            done += 1
    return done / (time.perf_counter() - began)
