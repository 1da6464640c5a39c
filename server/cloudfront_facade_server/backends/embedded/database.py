"""The SQLite file of the embedded backend: opening, locking and transactions."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import schema

IN_MEMORY = ":memory:"
"""The path of a database that lives as long as the process."""

_REMEDIES = {
    sqlite3.SQLITE_BUSY: "wait for the process that holds the lock",
    sqlite3.SQLITE_CANTOPEN: "make the file and its folder writable",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup",
    sqlite3.SQLITE_FULL: "free disk space",
    sqlite3.SQLITE_NOTADB: "move the file away",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
}
_CORRUPT_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_BUSY_STEP_SECONDS = 0.05

_MAX_CHECKED_BYTES = 64 * 1024 * 1024
"""A larger file is not checked at the start. The check reads the whole file, about 0.5 GB each second."""

_OTHER_PATH = "set --embedded-db or CLOUDFRONT_FACADE_EMBEDDED_DB to another path"


class EmbeddedDatabaseError(Exception):
    """The database cannot be opened. The message is one line: the path, the problem and its remedy."""


def default_path() -> Path:
    """Returns the default path of the database, in the XDG state directory.

    Raises:
        EmbeddedDatabaseError: Neither XDG_STATE_HOME nor a home directory exists.
    """
    state_home = Path(os.environ.get("XDG_STATE_HOME", ""))
    # The XDG specification requires that relative paths are ignored.
    if not state_home.is_absolute():
        try:
            state_home = Path.home() / ".local" / "state"
        except RuntimeError:
            raise EmbeddedDatabaseError(
                "the home directory, which contains the default database, is unknown; "
                "set --embedded-db or CLOUDFRONT_FACADE_EMBEDDED_DB to a path"
            ) from None
    return state_home / "cloudfront-facade" / "embedded.sqlite3"


def create_default_folder() -> Path:
    """Creates the folder of the default path, accessible only to its owner, and returns the path.

    Raises:
        EmbeddedDatabaseError: The home directory is unknown, or the folder cannot be created.
    """
    path = default_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_create(str(path), error) from None
    return path


class LostCommitError(sqlite3.OperationalError):
    """A commit failed, and whether its changes are durable is unknown."""


class Database:
    """One connection, which the threads share under a lock.

    SQLite allows only one writer at a time. With a connection per thread, writers would wait in SQLite's busy handler,
    which reduces throughput and delays some of them for seconds. With one connection, they wait for its lock instead.

    Args:
        path: The file, or `:memory:`. A missing file is created, accessible only to its owner; its folder must exist.
        busy_timeout: A total of seconds to wait for other threads and processes. After a wait for another process that
            was in vain, transactions do not wait until one succeeds, so that not every caller waits in turn.

    Raises:
        EmbeddedDatabaseError: The file cannot be opened or written to, or has another format.
    """

    def __init__(self, path: str, busy_timeout: float) -> None:
        self._busy_timeout = busy_timeout
        self._is_blocked = False
        self._lock = threading.Lock()
        self._connection = _open(path, busy_timeout)
        self._steps = -1

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Runs a read transaction, which sees a consistent snapshot of the database.

        Raises:
            sqlite3.OperationalError: The database is temporarily unavailable.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Runs a write transaction; only one runs at a time. When it ends without an error, its changes are durable.

        Raises:
            LostCommitError: The file system failed in the commit, so it is unknown whether something was written.
            sqlite3.DatabaseError: The database is unavailable. Nothing was written.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        deadline = time.monotonic() + self._busy_timeout
        if not self._lock.acquire(timeout=self._busy_timeout):
            raise sqlite3.OperationalError("too many threads are waiting for the database")
        try:
            self._wait_until(deadline)
            self._connection.execute(begin)
            try:
                yield self._connection
                self._wait_until(deadline)
                self._commit()
            except BaseException:
                self._connection.rollback()
                raise
            self._is_blocked = False
        except sqlite3.OperationalError as error:
            self._is_blocked = self._is_blocked or primary_code(error) == sqlite3.SQLITE_BUSY
            raise
        finally:
            self._lock.release()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0)
            # The commit itself truncates and syncs the journal. All writes precede it.
            if code & 0xFF != sqlite3.SQLITE_IOERR or code == sqlite3.SQLITE_IOERR_WRITE:
                raise
            lost = LostCommitError(*error.args)
            lost.sqlite_errorcode = code
            raise lost from error

    def _wait_until(self, deadline: float) -> None:
        """Sets how long SQLite waits for other processes."""
        remaining = 0.0 if self._is_blocked else max(deadline - time.monotonic(), 0)
        steps = math.ceil(remaining / _BUSY_STEP_SECONDS)
        if steps != self._steps:
            self._connection.execute(f"PRAGMA busy_timeout = {round(steps * _BUSY_STEP_SECONDS * 1000)}")
            self._steps = steps

    def close(self) -> None:
        """Closes the file, after the current transaction."""
        with self._lock:
            self._connection.close()


def _open(path: str, busy_timeout: float) -> sqlite3.Connection:
    try:
        file = path if path == IN_MEMORY else _create_file(path)
        connection = sqlite3.connect(file, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
    except (OSError, ValueError) as error:
        raise _cannot_create(path, error) from None
    except sqlite3.Error as error:
        raise unusable_error(path, error) from None
    try:
        _prepare(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise unusable_error(path, error) from None
        raise
    return connection


def _cannot_create(path: str, error: OSError | ValueError) -> EmbeddedDatabaseError:
    reason = getattr(error, "strerror", None) or error
    action = "opened for writing" if Path(path).exists() else "created"
    return EmbeddedDatabaseError(f"{path}: cannot be {action}: {reason}; {_OTHER_PATH}")


def _create_file(path: str) -> Path:
    # Absolute, because SQLite opens a temporary file for an empty path.
    file = Path(path).absolute()
    if file.is_dir():
        raise EmbeddedDatabaseError(f"{path}: is a folder; {_OTHER_PATH}")
    # A missing folder is probably a mistake in the path, or a volume that is not mounted.
    if not file.parent.exists():
        raise EmbeddedDatabaseError(f'{path}: the folder "{file.parent}" does not exist; create it, or {_OTHER_PATH}')
    # Function code is private, but SQLite would make the file readable by all users.
    file.touch(mode=0o600)
    return file


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    # A rollback journal, although WAL commits three to five times faster. Before SQLite 3.51.3, two processes that
    # write to a file in WAL mode can corrupt it; WAL does not work on network file systems; and its advantage, that
    # readers do not wait for writers, is lost with a single connection. The journal is truncated, not deleted, because
    # with synchronous = FULL a deleted one may reappear after a power failure and undo the last commit.
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    # On macOS, a plain fsync leaves data in the drive's cache. Elsewhere this has no effect.
    connection.execute("PRAGMA fullfsync = ON")
    # Takes the write lock first, because several processes may initialize the same new file.
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
        for statement in schema.STATEMENTS:
            connection.execute(statement)
    else:
        _check_schema(connection, path)
        _check_pages(connection, path)
    # Written even if unchanged, so that a read-only folder is an error at start, not of the first create.
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    connection.execute("COMMIT")


def _check_schema(connection: sqlite3.Connection, path: str) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != schema.APPLICATION_ID:
        raise EmbeddedDatabaseError(f"{path}: is the database of another program; {_OTHER_PATH}")
    if version != schema.VERSION:
        age = "a newer" if version > schema.VERSION else "an older"
        raise EmbeddedDatabaseError(
            f"{path}: was written by {age} release (schema {version}, this one has {schema.VERSION}); "
            f"run that release, move the file away, or {_OTHER_PATH}"
        )


def _check_pages(connection: sqlite3.Connection, path: str) -> None:
    (count,), (size,) = (connection.execute(f"PRAGMA page_{name}").fetchone() for name in ("count", "size"))
    if count * size > _MAX_CHECKED_BYTES:
        return
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        problem = " ".join(found.replace("*** in database main ***", "").split())
        raise EmbeddedDatabaseError(f"{path}: is damaged ({problem}); restore it from a backup, or {_OTHER_PATH}")


def primary_code(error: sqlite3.Error) -> int:
    """Returns SQLite's primary result code; 0 without one."""
    # The low byte of an extended code is the primary code.
    code: int = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code


def is_lost(error: sqlite3.Error) -> bool:
    """Returns whether the open file can never be used again: it is corrupt, or no longer at its path."""
    return primary_code(error) in _CORRUPT_CODES or _was_moved(error)


def _was_moved(error: sqlite3.Error) -> bool:
    # Before each write, SQLite compares the inode of the open file with the one at the path.
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED


def unusable_error(path: str, error: sqlite3.Error) -> EmbeddedDatabaseError:
    """Returns an error whose message is one line: the path, the problem and its remedy."""
    if _was_moved(error):
        return EmbeddedDatabaseError(
            f"{path}: was moved, replaced or deleted while the server used it; restore it if you need its content, "
            "and restart the server"
        )
    remedy = _REMEDIES.get(primary_code(error), "check the file system")
    return EmbeddedDatabaseError(f"{path}: {error}; {remedy}, or {_OTHER_PATH}")
