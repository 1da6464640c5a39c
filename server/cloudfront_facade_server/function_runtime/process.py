"""One short-lived process: it is fed, read within bounds, and gone when its time is over."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """What a process left.

    Attributes:
        output: its standard output, up to the bound.
        timed_out: whether it was killed for its time.
        output_exceeded: whether it was killed for its output.
        exit_code: as `subprocess` gives it; negative for a signal.
    """

    output: bytes
    timed_out: bool
    output_exceeded: bool
    exit_code: int


def run(command: Sequence[str], given: bytes, *, seconds: float, max_output_bytes: int) -> CompletedRun:
    """Runs a process to its end.

    It has no environment, a session of its own, and no open files but the two pipes.

    Args:
        command: the program and its arguments.
        given: for its standard input.
        seconds: it is killed after these, with all that it started.
        max_output_bytes: it is killed when it writes more.

    Raises:
        OSError: it could not start.
    """
    deadline = time.monotonic() + seconds
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd=os.sep,
        bufsize=0,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        try:
            output, timed_out, output_exceeded = _exchange(
                process.stdin, process.stdout, given, deadline, max_output_bytes
            )
            if not timed_out and not output_exceeded:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(deadline - time.monotonic(), 0))
                timed_out = process.returncode is None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
        process.wait()
    return CompletedRun(output, timed_out, output_exceeded, process.returncode)


def _exchange(
    stdin: IO[bytes], stdout: IO[bytes], given: bytes, deadline: float, max_output_bytes: int
) -> tuple[bytes, bool, bool]:
    """Writes what is given and reads until the end, the deadline or the bound: output, is late, is long."""
    output = bytearray()
    left = memoryview(given)
    os.set_blocking(stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return bytes(output), True, False
            for key, _ in selector.select(remaining):
                if key.fileobj is stdin:
                    # A process that reads no further has said what it has to say.
                    with contextlib.suppress(BlockingIOError):
                        try:
                            left = left[os.write(stdin.fileno(), left[:CHUNK_BYTES]) :]
                        except BrokenPipeError:
                            left = left[:0]
                    if not left:
                        selector.unregister(stdin)
                        stdin.close()
                    continue
                chunk = os.read(stdout.fileno(), CHUNK_BYTES)
                if not chunk:
                    return bytes(output), False, False
                output += chunk
                if len(output) > max_output_bytes:
                    return bytes(output), False, True
