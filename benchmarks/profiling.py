"""Keeps one server under load, so that a profiler can attach to it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from . import servers
from .creates import BARE_REJECTION
from .load_generator import MANY_CLIENTS, body_size, measure_many_clients, measure_one_client, open_connection
from .process import print_progress
from .upstream import Upstream

SERVERS: Final = tuple(name for name in servers.SERVERS if name != BARE_REJECTION)
"""The servers that can be kept under load: those that accept creates."""

_CALLS: Final = 500


def sustain_load(name: str, clients: int, upstream: Upstream, folder: Path, seconds: float) -> None:
    """Starts a server, prints its pid, and keeps it under load.

    Args:
        name: One of SERVERS.
        clients: The number of clients: 1 or MANY_CLIENTS.
        upstream: The running nginx.
        folder: The folder for logs and h2load's files.
        seconds: The duration.
    """
    server = servers.start(name, upstream.fast, folder)
    try:
        print_progress(f"{name}: pid {server.process.pid}, address {server.target.address}, {seconds:g} s")
        with open_connection(server.target) as call:
            size = body_size(server.target, call())
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                measured = (
                    measure_many_clients(server, server.target, _CALLS, size, folder, upstream.process.pid)
                    if clients == MANY_CLIENTS
                    else measure_one_client(server, call, _CALLS, upstream.process.pid)
                )
                cpu_ms = measured.cpu_per_call * 1e3
                print_progress(f"  {measured.per_second:.0f} calls per second, {cpu_ms:.2f} ms of CPU per call")
    finally:
        server.process.stop()
