"""A backend that blocks, made one that waits in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ..waiting import wait


class Threaded:
    """A Backend whose methods are those of another, run in threads of its own.

    Args:
        backend: a Backend that blocks.
        threads: how many of its calls run at once.
    """

    def __init__(self, backend: Any, threads: int) -> None:
        self._backend = backend
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="backend")
        self.name: str = backend.name

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._backend, operation)

        def call(**arguments: Any) -> Any:
            return wait(asyncio.get_running_loop().run_in_executor(self._threads, partial(method, **arguments)))

        return call

    def close(self) -> None:
        """Closes the backend, after what is under way."""
        self._threads.shutdown()
        self._backend.close()
