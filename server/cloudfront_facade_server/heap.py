"""Settings of the C library's heap."""

from __future__ import annotations

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_LARGE_BYTES: Final = 256 * 1024
_ARENAS: Final = 4


def return_large_blocks() -> None:
    """Makes glibc return large blocks to the system when they are freed (man mallopt); does nothing elsewhere.

    By itself, glibc raises its limit for large blocks to the size of the largest one that was freed, and then keeps
    what large messages took in many arenas.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)
