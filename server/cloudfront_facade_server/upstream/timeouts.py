"""The timeouts of settling."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..call_context import Clock
from ..concurrency.greenlets import sleep


@dataclass(frozen=True)
class SettleTimeouts:
    """How long it may take to find out whether a change was applied.

    Attributes:
        read: Maximum seconds of one read with short timeouts.
        total: Maximum seconds of reads after each send whose response was lost.
        longest_send: Maximum seconds of one send and its settling. A second send starts only if the server's shutdown
            leaves that much time.
        clock: A monotonic clock.
        sleep: Waits the given number of seconds.
    """

    read: float
    total: float
    longest_send: float
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = sleep
