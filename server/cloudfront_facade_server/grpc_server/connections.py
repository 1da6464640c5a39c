"""The limit of connections: how many the process can have open, and a log line when they are used up."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Final

import structlog

RESERVED_FILES: Final = 256
"""Files that the process needs besides connections: upstream connections, the database, worker processes, libraries."""

_CHECK_SECONDS: Final = 1.0
_ESTABLISHED: Final = "01"
_CONNECTED: Final = "03"

_log = structlog.get_logger()


def usable_connections(wanted: int) -> int:
    """Returns how many connections the server may have. Raises the process' soft limit of open files if it must.

    Args:
        wanted: The limit that was set.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    usable = max(1, soft - RESERVED_FILES)
    _log.warning("the limit of open files lowers --max-connections", max_connections=usable, open_files=soft)
    return usable


async def watch_connections(address: str, limit: int) -> None:
    """Logs when the connections are used up, because gRPC closes further ones without a word; runs until cancelled.

    Args:
        address: The address on which the server listens, with its port.
        limit: The limit of connections.
    """
    is_full = False
    while (count := count_connections(address)) is not None:
        if not is_full and count >= limit:
            is_full = True
            _log.warning("connection limit reached; further connections are closed", connections=count, limit=limit)
        elif is_full and count < limit:
            is_full = False
            _log.info("below the connection limit again", connections=count, limit=limit)
        await asyncio.sleep(_CHECK_SECONDS)


def count_connections(address: str) -> int | None:
    """Returns the number of open connections to an address of this host; None if the system does not say."""
    try:
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            lines = Path("/proc/self/net/unix").read_text().splitlines()
            return sum(1 for line in lines if line.endswith(f" {path}") and line.split()[5] == _CONNECTED)
        port = f":{int(address.rpartition(':')[2]):04X}"
        return sum(
            1
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]
            if (fields := line.split())[1].endswith(port) and fields[3] == _ESTABLISHED
        )
    except OSError:
        return None
