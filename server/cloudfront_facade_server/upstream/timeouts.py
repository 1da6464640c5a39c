"""How long it may take to settle a change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..call_context import Clock
from ..concurrency.greenlets import sleep


@dataclass(frozen=True)
class SettleTimeouts:
    """How long it may take to find out what became of a change.

    Attributes:
        read: Maximum seconds of one read with short timeouts.
        total: Seconds of reads to settle a change whose response was lost, after each send.
        longest_send: Maximum seconds of one send with its settling. A second send starts only if the server's shutdown
            leaves it that much.
        clock: A monotonic clock.
        sleep: Waits the given number of seconds.
    """

    read: float
    total: float
    longest_send: float
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = sleep
