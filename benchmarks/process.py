"""Processes: started on chosen cores, stopped, and asked for their CPU time and memory."""

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

PLACES: Final[Mapping[str, frozenset[int]]] = {"both cores": frozenset({0, 1}), "one core": frozenset({0})}
"""Where whatever is measured runs: as on a machine with cores to spare, where threads of one process run on several and
hand the interpreter's lock from core to core; and as on a machine with one core."""

CALLERS_CORES: Final = frozenset({1})
"""Where callers and nginx run: away from what is measured on one core, and as far away as can be from it on both."""

_CLOCK_OF_PROCESS: Final = 2
"""The low bits of Linux's clock id of another process: all its threads, user and system time, in nanoseconds."""

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 20.0


class ProcessError(Exception):
    """A process did not start or did not end; the text says which, and the end of its log."""


def environment() -> dict[str, str]:
    """Gives an environment with example credentials, and without what this machine sets for AWS, networks and Python.

    Where authorities are named, the server reads them before it serves, and boto3 only when it connects. And Python
    is to keep what it compiled: pip compiles what it installs, but not the sources of this repository.
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


def python(venv: str = ".venv-bench") -> str:
    """Gives the interpreter of an environment of this repository."""
    return str(Path(venv, "bin", "python"))


def free_address() -> str:
    """Gives HOST:PORT on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def on_cores(cores: Set[int]) -> Iterator[None]:
    """Runs this thread, and the processes that it starts, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pid: int, cores: Set[int]) -> None:
    """Puts all threads of a process on these cores."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def cpu_seconds(pid: int) -> float:
    """Gives the user and system time of a process: what /proc tells in ticks of 10 ms, but in nanoseconds."""
    return time.clock_gettime((~pid << 3) | _CLOCK_OF_PROCESS)


def memory_bytes(pid: int, field: str = "VmRSS") -> int:
    """Gives the resident memory of a process: `VmRSS` for now, `VmHWM` for the most that it ever was."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise ProcessError(f"process {pid} has no {field}")


class Process:
    """A process on chosen cores, its output in a file; as a context it is stopped at the end.

    Args:
        command: what to run, from the root of the repository.
        cores: where to run it.
        log: the file for its standard error, and its standard output where that is not piped.
        piped: whether to talk to it by standard input and output.
    """

    def __init__(self, command: Sequence[str], cores: Set[int], log: Path, *, piped: bool = False) -> None:
        self._command = command
        self._log = log
        with on_cores(cores), log.open("wb") as output:
            self.popen = subprocess.Popen(
                command,
                env=environment(),
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else output,
                stderr=output,
                text=True,
            )
        self.pid = self.popen.pid

    def wait_for(self, address: str) -> Self:
        """Waits until somebody listens at the address."""
        host, _, port = address.rpartition(":")
        ends = time.monotonic() + _START_SECONDS
        while time.monotonic() < ends and self.popen.poll() is None:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        self.stop()
        raise ProcessError(f"{' '.join(self._command)} does not listen:\n{self._log.read_text()[-2000:]}")

    def ask(self, line: str) -> str:
        """Sends a line to standard input and gives the line that comes back."""
        send, receive = self._pipes()
        send.write(f"{line}\n")
        send.flush()
        if answer := receive.readline():
            return answer
        raise ProcessError(f"{' '.join(self._command)} ended:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Ends the process: politely, then not."""
        self.popen.terminate()
        try:
            self.popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self.popen.stdin is None or self.popen.stdout is None:
            raise ProcessError(f"{' '.join(self._command)} was not started with pipes")
        return self.popen.stdin, self.popen.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def say(text: str) -> None:
    """Tells on standard error what is being done."""
    print(text, file=sys.stderr, flush=True)
