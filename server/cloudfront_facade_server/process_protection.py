"""Protects the server's process from other processes of the same user."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def forbid_attaching() -> None:
    """Forbids debuggers, reads of this process's memory and core dumps, on Linux. Only root may still attach.

    The memory has credentials and callers' data, and functions run as the same user.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
