"""How long a change may take, and the pauses between the looks at what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..call_context import Clock
from ..concurrency.greenlets import sleep

HasTime = Callable[[], bool]
"""Tells whether an rpc leaves time for one more read that explains."""


@dataclass(frozen=True)
class SettleTimeouts:
    """How long a change may take.

    Attributes:
        look: seconds that one read can take at the most, of those that explain or settle.
        settling: seconds for which a change whose answer was lost is looked for, after each send.
        longest_send: seconds that one send and its settling can take; a second one starts only where the server's end
            leaves it that much.
        clock: a monotonic clock.
        sleep: waits so many seconds.
    """

    look: float
    settling: float
    longest_send: float
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = sleep
