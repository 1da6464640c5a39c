"""The command `cloudfront-facade` as a process."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from .cloudfront.fixtures import AWS_VARIABLES

COMMAND = [sys.executable, "-m", "cloudfront_facade_server"]
EMBEDDED_WITH_DRAIN = ("--backend", "embedded", "--embedded-db", ":memory:")
"""Flags of a server on the embedded backend in memory."""
EMBEDDED = (*EMBEDDED_WITH_DRAIN, "--drain-delay", "0")
"""Flags of the same server without a drain delay."""


_REMOVED = ("AWS_", "CLOUDFRONT_FACADE_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def clean_environment(**variables: str) -> dict[str, str]:
    """Returns an environment without this machine's AWS configuration, the facade's variables and PYTHONPATH.

    Without PYTHONDONTWRITEBYTECODE, only the first process compiles this repository's sources.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_REMOVED) and not name.lower().endswith("_proxy")
    }
    return kept | variables


def unmeasured_environment() -> dict[str, str]:
    """Returns an environment in which coverage is not measured, which would double the time that a tool takes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def run_command(*arguments: str, timeout: float = 30, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command until it exits."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class FacadeProcess:
    """`cloudfront-facade serve` as a process. As a context manager, it stops the process, which must exit with 0."""

    def __init__(
        self, *arguments: str, environment: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
    ) -> None:
        self.process = subprocess.Popen(
            [*prefix, *COMMAND, "serve", "--listen", "127.0.0.1:0", "--log-format", "json", *arguments],
            env=clean_environment(**{**AWS_VARIABLES, **(environment or {})}),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._arrived: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.address = ""

    def wait_until_serving(self, timeout: float = 30) -> Self:
        """Waits until the server is ready, and reads its address from the log."""
        if not self.address:
            self.address = self.wait_for("serving", timeout)["listen"]
        return self

    def wait_for(self, event: str, timeout: float = 30) -> dict[str, Any]:
        """Waits for the next log line with this event; lines before it are skipped."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._arrived.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event!r} in {self.lines}") from None
            if line.get("event") == event:
                return line

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def wait(self, timeout: float = 60) -> int:
        """Waits until the process exits, and returns its exit code."""
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def memory(self) -> float:
        """Returns the resident set size in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def open_files(self) -> int:
        """Returns the number of open files; 0 if this is not root, because the server forbids others to look."""
        try:
            return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())
        except PermissionError:
            return 0

    def threads(self) -> int:
        """Returns the number of threads."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/task").iterdir())

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            for text in lines:
                try:
                    line = json.loads(text)
                except ValueError:
                    line = {"text": text}
                self.lines.append(line)
                self._arrived.put(line)

    def __enter__(self) -> Self:
        return self.wait_until_serving()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                assert self.wait() == 0, self.lines
            finally:
                self.process.kill()
