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
        total: Maximum seconds of reads after each send whose response was lost.
        longest_send: Maximum seconds of one send and its settling. A second send starts only if the server's shutdown
            leaves that much time.
        lag: Maximum seconds for which a read may show an older state; 0 if reads never lag.
        clock: A monotonic clock.
        sleep: Waits the given number of seconds.
    """

    total: float
    longest_send: float
    lag: float
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = sleep
