"""Times whole processes: a script that creates one function and exits, and a server until it is SERVING."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import servers
from .process import AFFINITIES, clean_environment, free_address, interpreter, pinned_to, print_progress
from .upstream import Upstream

MINIMAL_PROGRAM: Final = "import boto3, grpc; boto3.client('cloudfront', region_name='us-east-1')"
"""The minimum that a gRPC server over boto3 does at startup."""

_SCRIPTS: Final = Path("benchmarks/scripts")


@dataclass(frozen=True)
class StartupRun:
    """The times of one round, in seconds.

    Attributes:
        facade_script: The script that creates a function with the facade's client.
        boto3_script: The script that creates a function with boto3.
        serve: `cloudfront-facade serve` until it is SERVING.
        minimal: MINIMAL_PROGRAM.
    """

    facade_script: float
    boto3_script: float
    serve: float
    minimal: float


def measure(upstream: Upstream, folder: Path, rounds: int) -> list[StartupRun]:
    """Measures each process once per round. The first round is discarded: it fills the disk cache."""
    server = servers.start("facade", upstream.fast, folder)
    try:
        print_progress(f"startup, number of rounds: {rounds}")
        return [_round(upstream, server.target.address) for _ in range(rounds + 1)][1:]
    finally:
        server.process.stop()


def _round(upstream: Upstream, address: str) -> StartupRun:
    return StartupRun(
        facade_script=_run([interpreter(), str(_SCRIPTS / "create_with_facade.py"), address]),
        boto3_script=_run([interpreter(), str(_SCRIPTS / "create_with_boto3.py"), upstream.fast]),
        serve=_serve(upstream.fast),
        minimal=_run([interpreter(), "-c", MINIMAL_PROGRAM]),
    )


def _run(command: Sequence[str]) -> float:
    with pinned_to(AFFINITIES["both cores"]):
        start = time.perf_counter()
        subprocess.run(command, env=clean_environment(), check=True)
        return time.perf_counter() - start


def _serve(endpoint: str) -> float:
    """Returns the seconds until `serve` logs that its health is SERVING."""
    program = Path(interpreter()).with_name("cloudfront-facade")
    settings = ["--backend", "aws", "--endpoint-url", endpoint, "--listen", free_address(), "--log-format", "json"]
    with pinned_to(AFFINITIES["both cores"]):
        start = time.perf_counter()
        process = subprocess.Popen(
            [program, "serve", *settings], env=clean_environment(), stderr=subprocess.PIPE, text=True
        )
    with process:
        for line in process.stderr or ():
            if json.loads(line)["event"] == "serving":
                break
        seconds = time.perf_counter() - start
        process.terminate()
        process.communicate()
    if process.returncode:
        raise RuntimeError(f"serve exited with code {process.returncode}")
    return seconds
