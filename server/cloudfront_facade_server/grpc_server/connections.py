"""The limit of connections: how many the process can have open, and a log line when they are used up."""

from __future__ import annotations

import asyncio
import os
import re
import resource
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import structlog

RESERVED_FILES: Final = 256
"""Files that the process needs besides connections: upstream connections, the database, worker processes, libraries."""

_CHECK_SECONDS: Final = 1.0
_BLOCK_BYTES: Final = 64 * 1024

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
    while (count := await asyncio.to_thread(count_connections, address)) is not None:
        if not is_full and count >= limit:
            is_full = True
            _log.warning("connection limit reached; further connections are closed", connections=count, limit=limit)
        elif is_full and count < limit:
            is_full = False
            _log.info("below the connection limit again", connections=count, limit=limit)
        await asyncio.sleep(_CHECK_SECONDS)


def count_connections(address: str) -> int | None:
    """Returns the number of open connections to an address of this host; None if the system does not say.

    It blocks, so it runs in a thread: the system takes about 1.5 ms to list 1,000 connections, closed ones too.
    """
    if address.startswith("unix:"):
        path = re.escape(os.fsencode(address.removeprefix("unix:")))
        return _count(("unix",), re.compile(rb" 03 +\d+ %b$" % path, re.MULTILINE))
    return _count(("tcp", "tcp6"), tcp_connection(int(address.rpartition(":")[2])))


def tcp_connection(port: int) -> re.Pattern[bytes]:
    """Returns a pattern for an open connection to a port of this host in /proc/net/tcp."""
    # The local port, the remote address and port, and the state ESTABLISHED.
    return re.compile(rb":%04X [0-9A-F]+:[0-9A-F]{4} 01 " % port)


def _count(tables: Iterable[str], connection: re.Pattern[bytes]) -> int | None:
    try:
        return sum(count_lines(Path(f"/proc/self/net/{table}"), connection) for table in tables)
    except OSError:
        return None


def count_lines(table: Path, connection: re.Pattern[bytes]) -> int:
    """Returns how many lines of a table match, each at most once.

    It reads in blocks, because a regular expression stops all other threads while it searches.
    """
    count, rest = 0, b""
    with table.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            lines, _, rest = (rest + block).rpartition(b"\n")
            count += len(connection.findall(lines))
    return count + len(connection.findall(rest))
