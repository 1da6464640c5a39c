"""What test fixtures need of a server: its port in a file, and its end with the process that started it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import PARENT

_POLL_SECONDS: Final = 0.2


def write_port(path: Path, address: str) -> None:
    """Writes the port of an address, and a newline, to a file, which never has only a part of it.

    Raises:
        OSError: The file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(f"{address.rpartition(':')[2]}\n")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


async def wait_for_parent(on_end: Callable[[], None]) -> None:
    """Waits until the process that started this one ends, and then calls `on_end`. It may have ended before."""
    # The kernel's own signal (PR_SET_PDEATHSIG) is sent when the thread ends that started this process.
    if not _is_adopted():
        while os.getppid() == PARENT:  # noqa: ASYNC110 (no event reports it)
            await asyncio.sleep(_POLL_SECONDS)
    on_end()


def _is_adopted() -> bool:
    """Returns whether the process that started this one had ended before this one's first statement.

    PARENT is then the process that adopts orphans, which is usually in another session. A process is in the session of
    the one that started it, unless it began a session itself. If the adopter is in the same session, returns False.
    """
    try:
        return os.getsid(0) not in (os.getpid(), os.getsid(PARENT))
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
