"""Measures coverage of code in greenlets without an endless loop in Python 3.11, and in less time.

In each thread, coverage asks greenlet for the current greenlet at every call, and greenlet keeps state for every such
thread. When the thread ends, a pending call in the main thread frees the state. If a second thread ends meanwhile and
the main thread is traced, the interpreter loops forever. Therefore, only threads that run greenlets may ask: the main
thread and the thread of the event loop, which both live as long as the process. The others do not ask at all, because
asking takes as long as the rest of the measurement.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import coverage
from coverage.collector import Collector
from greenlet import getcurrent, greenlet

from .event_loop import THREAD_NAME


class _Collector(Collector):
    @property
    def concur_id_func(self) -> Callable[[], greenlet] | None:  # type: ignore[override]
        """What a thread that starts will ask for the current greenlet; None if it runs no greenlets."""
        return getcurrent if threading.current_thread().name == THREAD_NAME else None


def track_greenlets_only_where_they_run() -> None:
    """Configures coverage for threads that start later; does nothing if coverage is not measured."""
    measuring: Any = coverage.Coverage.current()
    if measuring is not None:
        measuring._collector.__class__ = _Collector
