"""Whole processes by the clock: a script that creates one function and exits, and a server until it serves."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import servers
from .process import PLACES, environment, free_address, on_cores, python, say
from .upstream import Upstream

BARE_START: Final = "import boto3, grpc; boto3.client('cloudfront', region_name='us-east-1')"
"""What a server over boto3 cannot start without."""

_SCRIPTS: Final = Path("benchmarks/scripts")


@dataclass(frozen=True)
class Starts:
    """Seconds of each process in one round."""

    script_facade: float
    script_boto3: float
    serve: float
    bare: float


def measure(upstream: Upstream, folder: Path, rounds: int) -> list[Starts]:
    """Measures each process once in each round; the first round, which fills the disk's cache, is not kept."""
    server = servers.start("facade", upstream.fast, folder)
    try:
        say(f"starts: {rounds} rounds")
        return [_round(upstream, server.target.address) for _ in range(rounds + 1)][1:]
    finally:
        server.process.stop()


def _round(upstream: Upstream, address: str) -> Starts:
    return Starts(
        script_facade=_run([python(), str(_SCRIPTS / "create_by_facade.py"), address]),
        script_boto3=_run([python(), str(_SCRIPTS / "create_by_boto3.py"), upstream.fast]),
        serve=_serve(upstream.fast),
        bare=_run([python(), "-c", BARE_START]),
    )


def _run(command: Sequence[str]) -> float:
    with on_cores(PLACES["both cores"]):
        began = time.perf_counter()
        subprocess.run(command, env=environment(), check=True)
        return time.perf_counter() - began


def _serve(endpoint: str) -> float:
    """Times `serve` until its log says that the health is SERVING."""
    program = Path(python()).with_name("cloudfront-facade")
    settings = ["--backend", "aws", "--endpoint-url", endpoint, "--listen", free_address(), "--log-format", "json"]
    with on_cores(PLACES["both cores"]):
        began = time.perf_counter()
        process = subprocess.Popen([program, "serve", *settings], env=environment(), stderr=subprocess.PIPE, text=True)
    with process:
        for line in process.stderr or ():
            if json.loads(line)["event"] == "serving":
                break
        took = time.perf_counter() - began
        process.terminate()
        process.communicate()
    if process.returncode:
        raise RuntimeError(f"serve ended with {process.returncode}")
    return took
