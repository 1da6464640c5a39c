"""Starts processes, pins them to cores, stops them, and reads their CPU time and memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Self

AFFINITIES: Final[Mapping[str, frozenset[int]]] = {"both cores": frozenset({0, 1}), "one core": frozenset({0})}
"""The cores that servers are pinned to. On both cores, the threads of a process run in parallel and hand the GIL from
core to core, as in most containers. On one core, they do not."""

CLIENT_CORES: Final = frozenset({1})
"""The cores of the clients and nginx. The server does not use them if it is pinned to one core."""

_PROCESS_CPU_CLOCK: Final = 2
"""The low bits of the id of Linux's CPU-time clock of another process: all threads, user and system time, in ns."""

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 20.0


class ProcessError(Exception):
    """A process failed to start or exited early. The message has the end of its log."""


def clean_environment() -> dict[str, str]:
    """Returns an environment with example credentials, without this machine's settings for AWS, proxies and Python.

    CA bundles are removed because the server reads them before it serves, but boto3 only when it connects. Python's
    settings are removed because PYTHONDONTWRITEBYTECODE makes Python compile this repository's sources, but not those
    of installed packages, at every start.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CLOUDFRONT_FACADE_", "PYTHON"))
        and not name.lower().endswith(("_proxy", "_ca_bundle"))
    }
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "an-example-of-a-secret-key",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GRPC_VERBOSITY": "NONE",
    }


def interpreter(venv: str = ".venv-bench") -> str:
    """Returns the path of the Python interpreter of a virtual environment."""
    return str(Path(venv, "bin", "python"))


def free_address() -> str:
    """Returns HOST:PORT of a free port on the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def pinned_to(cores: Set[int]) -> Iterator[None]:
    """Pins this thread, and the processes that it starts, to these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pin(pid: int, cores: Set[int]) -> None:
    """Pins all threads of a process to these cores."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def cpu_seconds(pid: int) -> float:
    """Returns the user and system time of a process in seconds. Unlike /proc, it has a resolution of 1 ns."""
    return time.clock_gettime((~pid << 3) | _PROCESS_CPU_CLOCK)


def memory_bytes(pid: int, field: str = "VmRSS") -> int:
    """Returns the resident memory of a process: `VmRSS` is the current value, `VmHWM` the peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise ProcessError(f"process {pid} has no {field}")


class Process:
    """A process that is pinned to cores and logs to a file. As a context manager, it stops the process on exit.

    Args:
        command: The command line; it runs in the repository's root.
        cores: The cores to pin the process to.
        log: The file for standard error and, unless `piped` is set, standard output.
        piped: Whether standard input and output are pipes, for `exchange`.
    """

    def __init__(self, command: Sequence[str], cores: Set[int], log: Path, *, piped: bool = False) -> None:
        self._command = command
        self._log = log
        with pinned_to(cores), log.open("wb") as output:
            self.popen = subprocess.Popen(
                command,
                env=clean_environment(),
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else output,
                stderr=output,
                text=True,
            )
        self.pid = self.popen.pid

    def wait_until_listening(self, address: str) -> Self:
        """Waits until the address accepts connections.

        Raises:
            ProcessError: The process exited, or does not listen after 30 seconds.
        """
        host, _, port = address.rpartition(":")
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.popen.poll() is None:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        self.stop()
        raise ProcessError(f"{' '.join(self._command)} does not listen on {address}:\n{self._log_tail()}")

    def exchange(self, line: str) -> str:
        """Writes a line to standard input and returns the next line of standard output.

        Raises:
            ProcessError: The process exited.
        """
        stdin, stdout = self._pipes()
        stdin.write(f"{line}\n")
        stdin.flush()
        if response := stdout.readline():
            return response
        raise ProcessError(f"{' '.join(self._command)} exited:\n{self._log_tail()}")

    def stop(self) -> None:
        """Terminates the process, and kills it if it does not exit in time."""
        self.popen.terminate()
        try:
            self.popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def _log_tail(self) -> str:
        return self._log.read_text()[-2000:]

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self.popen.stdin is None or self.popen.stdout is None:
            raise ProcessError(f"{' '.join(self._command)} was started without pipes")
        return self.popen.stdin, self.popen.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def print_progress(text: str) -> None:
    """Prints a line of progress to standard error."""
    print(text, file=sys.stderr, flush=True)
