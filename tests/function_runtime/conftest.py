"""Checks that hostile functions do not harm this process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest


@pytest.fixture
def unharmed() -> Iterator[None]:
    """Fails if another thread is blocked while a function runs, or if a process is left over."""
    beats: list[float] = [time.monotonic()]
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(0.01):
            beats.append(time.monotonic())

    thread = threading.Thread(target=beat)
    before = _children()
    thread.start()
    yield
    stopped.set()
    thread.join()
    assert all(later - earlier < 1 for earlier, later in pairwise(beats))
    assert _children() == before


def _children() -> set[str]:
    """Returns the ids of this process's children, including zombies."""
    children: set[str] = set()
    for tasks in Path("/proc/self/task").glob("*/children"):
        # A thread may end while the folder is read.
        with contextlib.suppress(FileNotFoundError):
            children.update(tasks.read_text().split())
    return children
