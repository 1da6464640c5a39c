"""One side under load for a while, so that a profiler can look at it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from . import servers
from .creates import BARE_REFUSALS
from .load import MANY, caller, many_callers, one_caller, weight
from .process import say
from .upstream import Upstream

SIDES: Final = tuple(name for name in servers.SERVERS if name != BARE_REFUSALS)
"""The sides that can be held: those that answer creates."""

_CALLS: Final = 500


def hold(name: str, callers: int, upstream: Upstream, folder: Path, seconds: float) -> None:
    """Starts a side, tells its process, and lets it be called, by one caller or by MANY, for so many seconds."""
    server = servers.start(name, upstream.fast, folder)
    try:
        say(f"{name} is process {server.process.pid}, at {server.target.address}, for {seconds:g} s")
        with caller(server.target) as call:
            answer = weight(server.target, call())
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                found = (
                    many_callers(server, server.target, _CALLS, answer, folder, upstream.process.pid)
                    if callers == MANY
                    else one_caller(server, call, _CALLS, upstream.process.pid)
                )
                say(f"  {found.per_second:.0f} calls per second, {found.cpu_per_call * 1e3:.2f} ms of CPU each")
    finally:
        server.process.stop()
