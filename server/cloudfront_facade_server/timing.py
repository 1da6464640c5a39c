"""How long a change may take, and the pauses between the looks at what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from .call import Clock
from .waiting import sleep

HasTime = Callable[[], bool]
"""Tells whether an rpc leaves time for one more read that explains."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0


@dataclass(frozen=True)
class Timing:
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


def pauses(first: float = _FIRST_PAUSE, longest: float = _LONGEST_PAUSE) -> Iterator[float]:
    """Gives the seconds of one pause after another, for ever: each twice as long as the one before, up to a longest."""
    pause = first
    while True:
        yield pause
        pause = min(2 * pause, longest)
