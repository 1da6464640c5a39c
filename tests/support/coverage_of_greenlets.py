"""Measures coverage of code in greenlets without an endless loop in Python 3.11.

In each thread, coverage asks greenlet for the current greenlet, and greenlet keeps state for every such thread. When
the thread ends, a pending call in the main thread frees the state. If a second thread ends meanwhile and the main
thread is traced, the interpreter loops forever. Therefore, only threads that run greenlets may ask: the main thread and
the thread of the event loop, which both live as long as the process.
"""

from __future__ import annotations

import threading
from typing import Any

import coverage
from greenlet import getcurrent

from .event_loop import THREAD_NAME


class _NoGreenlet:
    """Identifies the only flow of control in a thread without greenlets."""


_ALONE = _NoGreenlet()


def track_greenlets_only_where_they_run() -> None:
    """Configures coverage for threads that start later; does nothing if coverage is not measured."""
    measuring: Any = coverage.Coverage.current()
    if measuring is not None:
        measuring._collector.concur_id_func = _current


def _current() -> Any:
    return getcurrent() if threading.current_thread().name == THREAD_NAME else _ALONE
