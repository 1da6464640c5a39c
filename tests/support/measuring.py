"""Coverage of code that runs in greenlets, around a trap of Python 3.11.

In each thread, coverage asks greenlet which greenlet runs, and greenlet keeps a state for every thread that asked. When
such a thread ends, its state is given up by a pending call in the main thread. Where a second one ends meanwhile, and
the main thread is traced, the interpreter goes round in circles for ever. So only threads that do run greenlets ask:
the main one, and that of the event loop, neither of which ends.
"""

from __future__ import annotations

import threading
from typing import Any

import coverage
from greenlet import getcurrent

from .event_loop import THREAD_NAME


class _NoGreenlet:
    """What stands for the one flow of a thread that runs no greenlets."""


_ALONE = _NoGreenlet()


def ask_only_where_greenlets_run() -> None:
    """Tells the coverage of this process, for threads that are still to start; does nothing where none is measured."""
    measuring: Any = coverage.Coverage.current()
    if measuring is not None:
        measuring._collector.concur_id_func = _current


def _current() -> Any:
    return getcurrent() if threading.current_thread().name == THREAD_NAME else _ALONE
