"""A CloudFront whose reads lag behind its writes."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from support.cloudfront.state import InMemoryCloudFront

_READS = ("Describe", "Get", "List")

Lags = Callable[[str, Mapping[str, Any]], bool]
"""Takes a read's operation and arguments; returns whether it lags."""


class LaggingReads:
    """Runs the operations of a double: reads show the state of some time ago.

    Args:
        seconds: How old that state is.
        lags: Which reads lag.
    """

    def __init__(self, seconds: float, lags: Lags) -> None:
        self._seconds = seconds
        self._lags = lags
        self.state = InMemoryCloudFront()
        self._history = [(time.monotonic(), _copy(self.state))]
        self._lock = threading.Lock()

    def __call__(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Runs an operation with boto3's arguments; raises ClientError."""
        with self._lock:
            if operation.startswith(_READS):
                shown = self._before() if self._lags(operation, arguments) else self.state
                return shown.apply(operation, arguments)
            response = self.state.apply(operation, arguments)
            self._history.append((time.monotonic(), _copy(self.state)))
            return response

    def catch_up(self) -> None:
        """Lets reads show the current state from now on."""
        with self._lock:
            self._history = [(time.monotonic() - self._seconds, _copy(self.state))]

    def _before(self) -> InMemoryCloudFront:
        """Returns the state of some time ago, or the first one."""
        latest = time.monotonic() - self._seconds
        old = [state for written, state in self._history if written <= latest]
        return old[-1] if old else self._history[0][1]


def _copy(state: InMemoryCloudFront) -> InMemoryCloudFront:
    copied = InMemoryCloudFront()
    copied.functions = copy.deepcopy(state.functions)
    copied.stores = copy.deepcopy(state.stores)
    copied.tags = copy.deepcopy(state.tags)
    return copied
