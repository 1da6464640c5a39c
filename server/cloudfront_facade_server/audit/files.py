"""The audit file: opened for appending, rotated by size or by others."""

from __future__ import annotations

import os
import select
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import structlog

from ..watched_files import UnusableFilesError

_MODE: Final = 0o600
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
"""O_NONBLOCK, so that opening a FIFO does not wait for its reader. Regular files ignore it."""

_log = structlog.get_logger()


class Output(Protocol):
    """Where lines are written. All methods are called in one thread."""

    def prepare(self, size: int) -> None:
        """Makes room for this number of bytes, between two lines."""

    def write(self, content: memoryview) -> int:
        """Writes the beginning of the content, and returns how many bytes; raises OSError."""

    def sync(self) -> None:
        """Returns when all that was written is as safe as this output promises; raises OSError."""

    def reopen(self) -> None:
        """Writes to the file of the same name from now on, because the current one was renamed; raises OSError."""

    def close(self) -> None:
        """Closes it."""


class AuditFile:
    """A file of lines. The rotated ones are named `FILE.1`, the newest, to `FILE.KEEP`.

    Args:
        path: The file. It is created with mode 0600 if it does not exist; the folder must exist.
        max_bytes: The size at which it is rotated.
        keep: How many rotated files are kept.

    Raises:
        UnusableFilesError: The file cannot be created or written, or is not a regular file.
    """

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        self._max_bytes = max_bytes
        self._keep = keep
        self._has_failed_to_rotate = False
        try:
            # The file that a symbolic link names is rotated, and not the link.
            self._path = path.resolve()
            self._descriptor = _open(self._path)
        except (OSError, RuntimeError) as error:
            raise _unusable(path, error) from None

    def prepare(self, size: int) -> None:
        """Rotates the file if the bytes would exceed its size. A file that was removed is created again."""
        status = os.fstat(self._descriptor)
        if not status.st_nlink:
            self.reopen()
        elif status.st_size and status.st_size + size > self._max_bytes:
            self._rotate()

    def write(self, content: memoryview) -> int:
        """Writes the beginning of the content, and returns how many bytes; raises OSError."""
        return os.write(self._descriptor, content)

    def sync(self) -> None:
        """Returns when all that was written is on disk; raises OSError."""
        os.fdatasync(self._descriptor)

    def reopen(self) -> None:
        """Opens the file of the same name, which is created if it does not exist; raises OSError."""
        descriptor = _open(self._path)
        os.close(self._descriptor)
        self._descriptor = descriptor

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)

    def _rotate(self) -> None:
        """Renames the file and opens a new one. If that fails, the current one grows, because no record may be lost."""
        try:
            if self._is_in_place():
                for number in range(self._keep - 1, 0, -1):
                    with suppress(FileNotFoundError):
                        self._rotated(number).rename(self._rotated(number + 1))
                self._path.rename(self._rotated(1))
            self.reopen()
        except OSError as error:
            if not self._has_failed_to_rotate:
                _log.error("audit file not rotated; it continues to grow", problem=_reason(error))
            self._has_failed_to_rotate = True
        else:
            self._has_failed_to_rotate = False

    def _is_in_place(self) -> bool:
        """Returns whether the open file still has its name, because others may have renamed it."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _rotated(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


class StandardOutput:
    """Standard output. What is written is handed to the runtime, whatever the runtime does with it."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = os.dup(descriptor)

    def prepare(self, size: int) -> None:
        """Does nothing."""

    def write(self, content: memoryview) -> int:
        """Writes the beginning of the content, and waits for the reader if necessary; raises OSError."""
        while True:
            try:
                return os.write(self._descriptor, content)
            except BlockingIOError:
                # Another process that has the same pipe can have made it non-blocking.
                _wait_until_writable(self._descriptor)

    def sync(self) -> None:
        """Does nothing, because the reader decides what is kept."""

    def reopen(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Closes the duplicate."""
        os.close(self._descriptor)


def _wait_until_writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()


def _open(path: Path) -> int:
    """Opens a file between two lines, and returns its descriptor; raises OSError."""
    created = False
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        descriptor = os.open(path, _FLAGS | os.O_CREAT, _MODE)
        created = True
    try:
        status = os.fstat(descriptor)
        _require_regular(status)
        if created:
            _sync_folder(path.parent)
        elif status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
            # A process was killed while it wrote a line.
            os.write(descriptor, b"\n")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")


def _sync_folder(folder: Path) -> None:
    """Returns when the names in the folder are on disk. Otherwise a power failure could take the new file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _unusable(path: Path, error: Exception) -> UnusableFilesError:
    problem = "its folder does not exist" if isinstance(error, FileNotFoundError) else _reason(error)
    return UnusableFilesError(
        f'--audit: cannot write to "{path}": {problem}; allowed: a regular file in a folder that exists and is '
        "writable, or stdout"
    )
