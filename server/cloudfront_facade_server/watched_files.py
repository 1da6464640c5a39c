"""Configuration files that are read again while the server runs.

A change is in force within ten seconds. Content counts only if two looks agree, because a half-written file can be
valid: policies without their last forbid, for example. If new content cannot be used, the last good one stays in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, Generic, TypeVar

import structlog

from .concurrency.greenlets import run_in_daemon_thread

_T = TypeVar("_T")

LOOK_SECONDS: Final = 3.0
"""Time between two looks. A change needs up to three looks, so it is in force within ten seconds."""

Content = Mapping[str, bytes]
"""The content of each file, by its path."""

_log = structlog.get_logger()


class UnusableFilesError(Exception):
    """Files are missing, unreadable or wrong. The message is one line: the file, the problem and what is allowed."""


class WatchedFiles(Generic[_T]):
    """Files and what they configure.

    Args:
        what: What the files are, for the log: `policies`, for example.
        read: Returns the content of the files; raises UnusableFilesError. It is called in a thread.
        load: Returns what a content configures; raises UnusableFilesError. It is called in a thread.

    Attributes:
        what: What the files are.
        current: What is in force.
        sha256: The hash of the content that is in force, in hexadecimal.

    Raises:
        UnusableFilesError: The files cannot be used at the start.
    """

    def __init__(self, what: str, read: Callable[[], Content], load: Callable[[Content], _T]) -> None:
        self.what = what
        self._read = read
        self._load = load
        self._content = read()
        self._candidate: Content | None = None
        self._rejected: Content | None = None
        self._problem = ""
        self.current = load(self._content)
        self.sha256 = _hash(self._content)

    def look(self) -> None:
        """Reads the files once. Content that differs from what is in force replaces it at the second look."""
        try:
            content = self._read()
            if content == self._content:
                self._candidate, self._rejected, self._problem = None, None, ""
                return
            if content == self._rejected:
                return
            if content != self._candidate:
                self._candidate = content
                return
            self._rejected = content
            current = self._load(content)
        except UnusableFilesError as error:
            self._candidate = None
            self._report(str(error))
            return
        self._content, self.current, self.sha256 = content, current, _hash(content)
        self._candidate, self._rejected, self._problem = None, None, ""
        _log.info("files reloaded", what=self.what, sha256=self.sha256)

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            _log.error("files not reloaded; the last good ones stay in force", what=self.what, problem=problem)


async def watch(files: Iterable[WatchedFiles[Any]]) -> None:
    """Looks at the files repeatedly, until it is cancelled."""
    files = tuple(files)
    while files:
        await asyncio.sleep(LOOK_SECONDS)
        for each in files:
            await run_in_daemon_thread(each.look)


def _hash(content: Content) -> str:
    digest = sha256()
    for path in sorted(content):
        digest.update(sha256(path.encode()).digest() + sha256(content[path]).digest())
    return digest.hexdigest()
