"""Runs one short-lived process with a time limit and an output limit."""

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
    """How a process ended.

    Attributes:
        output: Its standard output, up to the limit or slightly above it.
        timed_out: Whether it was killed because it exceeded the time limit.
        output_exceeded: Whether it was killed because it exceeded the output limit.
        exit_code: The exit code, as in `subprocess`; negative if a signal ended the process.
    """

    output: bytes
    timed_out: bool
    output_exceeded: bool
    exit_code: int


def run(command: Sequence[str], stdin: bytes, *, seconds: float, max_output_bytes: int) -> CompletedRun:
    """Runs a process to its end.

    The process has an empty environment, a new session, and no open files except two pipes and `/dev/null`.

    Args:
        command: The program and its arguments.
        stdin: Its standard input.
        seconds: Time limit, after which it is killed together with every process that it started.
        max_output_bytes: Limit of its output, above which it is killed.

    Returns:
        Its output, and how it ended.

    Raises:
        OSError: The process cannot be started.
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
            output, timed_out, output_exceeded = _communicate(
                process.stdin, process.stdout, stdin, deadline, max_output_bytes
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


def _communicate(
    stdin: IO[bytes], stdout: IO[bytes], data: bytes, deadline: float, max_output_bytes: int
) -> tuple[bytes, bool, bool]:
    """Writes the data, and reads until the end of the output, the deadline or the limit.

    Returns:
        The output, whether the deadline has passed, and whether the output is above the limit.
    """
    output = bytearray()
    unsent = memoryview(data)
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
                    with contextlib.suppress(BlockingIOError):
                        try:
                            unsent = unsent[os.write(stdin.fileno(), unsent[:CHUNK_BYTES]) :]
                        # A process may close its input and still write a complete response.
                        except BrokenPipeError:
                            unsent = unsent[:0]
                    if not unsent:
                        selector.unregister(stdin)
                        stdin.close()
                    continue
                chunk = os.read(stdout.fileno(), CHUNK_BYTES)
                if not chunk:
                    return bytes(output), False, False
                output += chunk
                if len(output) > max_output_bytes:
                    return bytes(output), False, True
