"""Outputs that fail in ways that a test chooses."""

from __future__ import annotations

import errno
import threading


class FaultyOutput:
    """Lines in memory, on a disk of a limited size.

    Attributes:
        content: What was written.
        free: Bytes that can still be written.
        syncs: Number of calls of `sync`.
        sync_fails: Whether `sync` fails.
        largest_write: Maximum number of bytes that one write takes.
        gate: A write waits for it.
        writing: Set while a write waits.
    """

    def __init__(self) -> None:
        self.content = b""
        self.free = 2**40
        self.syncs = 0
        self.sync_fails = False
        self.largest_write = 2**40
        self.gate = threading.Event()
        self.gate.set()
        self.writing = threading.Event()

    def prepare(self, size: int) -> None:
        pass

    def write(self, content: memoryview) -> int:
        self.writing.set()
        self.gate.wait(10)
        self.writing.clear()
        size = min(len(content), self.free, self.largest_write)
        if not size:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.content += bytes(content[:size])
        self.free -= size
        return size

    def sync(self) -> None:
        self.syncs += 1
        if self.sync_fails:
            raise OSError(errno.EIO, "Input/output error")

    def reopen(self) -> None:
        pass

    def close(self) -> None:
        pass
