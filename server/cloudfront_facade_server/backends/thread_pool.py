"""A backend that blocks, made one that waits in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from ..concurrency.greenlets import await_


class ThreadPoolBackend:
    """A Backend whose methods are those of another, run in threads of its own.

    Running functions takes long, and has threads apart; what exceeds them is refused as CloudFront refuses what comes
    too fast.

    Args:
        backend: a Backend that blocks.
        threads: how many of its calls run at once.
        runs: how many functions run at once.
    """

    def __init__(self, backend: Any, threads: int, runs: int = 4) -> None:
        self._backend = backend
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="backend")
        self._runners = ThreadPoolExecutor(runs, thread_name_prefix="runner")
        self._runs_left = runs
        self.name: str = backend.name

    def test_function(self, **arguments: Any) -> Any:
        """Calls TestFunction."""
        if not self._runs_left:
            error = {"Code": "Throttling", "Message": "As many functions are being tested as can be at once."}
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, "TestFunction")
        self._runs_left -= 1
        try:
            return _run(self._runners, partial(self._backend.test_function, **arguments))
        finally:
            self._runs_left += 1

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._backend, operation)

        def call(**arguments: Any) -> Any:
            return _run(self._threads, partial(method, **arguments))

        return call

    def close(self) -> None:
        """Closes the backend, after what is under way."""
        self._threads.shutdown()
        self._runners.shutdown()
        self._backend.close()


def _run(threads: ThreadPoolExecutor, call: Callable[[], Any]) -> Any:
    return await_(asyncio.get_running_loop().run_in_executor(threads, call))
