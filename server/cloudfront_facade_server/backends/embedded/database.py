"""The SQLite file of the embedded backend: opening it, its lock and its transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import schema

IN_MEMORY = ":memory:"
"""The path of a database that lives as long as the process."""

_REMEDIES = {
    sqlite3.SQLITE_BUSY: "wait for the process that holds it",
    sqlite3.SQLITE_CANTOPEN: "make the file and its folder writable",
    sqlite3.SQLITE_CORRUPT: "put a sound copy in its place",
    sqlite3.SQLITE_FULL: "free some space",
    sqlite3.SQLITE_NOTADB: "move the file away",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
}
_ELSEWHERE = "give --embedded-db another path"


class EmbeddedDatabaseError(Exception):
    """The database cannot be opened. The message is one line: the path, what is wrong, what to do."""


def default_path() -> Path:
    """Where the database is unless said otherwise: in the XDG state directory.

    Raises:
        EmbeddedDatabaseError: there is neither XDG_STATE_HOME nor a home directory.
    """
    state_home = Path(os.environ.get("XDG_STATE_HOME", ""))
    # The XDG specification has relative paths ignored.
    if not state_home.is_absolute():
        try:
            state_home = Path.home() / ".local" / "state"
        except RuntimeError:
            raise EmbeddedDatabaseError(
                "there is no home directory to keep a database in: give --embedded-db"
            ) from None
    return state_home / "cloudfront-facade" / "embedded.sqlite3"


class Database:
    """One connection that the threads take in turn.

    SQLite has one writer at a time anyway. Threads with a connection each wait for it in SQLite's back-off, which costs
    throughput and lets some of them wait for seconds; here they queue.

    Args:
        path: the file, or `:memory:`. A missing folder is created, open to its owner only; so is the file.
        busy_timeout: seconds to wait for other threads, and once more for other processes.

    Raises:
        EmbeddedDatabaseError: the file cannot be opened, written to or understood.
    """

    def __init__(self, path: str, busy_timeout: float) -> None:
        self._busy_timeout = busy_timeout
        self._lock = threading.Lock()
        self._connection = _open(path, busy_timeout)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the database.

        Raises:
            sqlite3.OperationalError: the database cannot be used at the moment.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes beside. What it wrote is on the disk when it ends without an error.

        Raises:
            sqlite3.OperationalError: the database cannot be used at the moment. Nothing was written.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        if not self._lock.acquire(timeout=self._busy_timeout):
            raise sqlite3.OperationalError("too many threads wait for the database")
        try:
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Closes the file, after the transaction that is under way."""
        with self._lock:
            self._connection.close()


def _open(path: str, busy_timeout: float) -> sqlite3.Connection:
    try:
        # Absolute, for SQLite takes an empty path for a file to be deleted.
        file = path if path == IN_MEMORY else _create_file(Path(path).absolute())
        connection = sqlite3.connect(file, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EmbeddedDatabaseError(f"{path}: cannot be created: {reason}; {_ELSEWHERE}") from None
    except sqlite3.Error as error:
        raise unusable(path, error) from None
    try:
        _prepare(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise unusable(path, error) from None
        raise
    return connection


def _create_file(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Function code is its owner's: SQLite alone would make the file readable for everybody.
    path.touch(mode=0o600)
    return path


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    # A rollback journal, although WAL commits three to five times as often: two processes that write to a file in WAL
    # mode can corrupt it before SQLite 3.51.3; WAL does not work on network file systems; and its gain, readers that do
    # not wait for writers, is lost behind one connection. TRUNCATE, because with synchronous = FULL a journal that was
    # deleted may be back after a loss of power, and then takes the last commit with it.
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    # On macOS a plain fsync leaves data in the drive's cache; elsewhere this does nothing.
    connection.execute("PRAGMA fullfsync = ON")
    # At once exclusive, because several processes may start on a new file.
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
        for statement in schema.STATEMENTS:
            connection.execute(statement)
    else:
        _check_schema(connection, path)
    # Also where nothing changes: a folder that cannot be written to stops the start, not the first create.
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    connection.execute("COMMIT")


def _check_schema(connection: sqlite3.Connection, path: str) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != schema.APPLICATION_ID:
        raise EmbeddedDatabaseError(f"{path}: is another program's database; {_ELSEWHERE}")
    if version != schema.VERSION:
        age = "a newer" if version > schema.VERSION else "an older"
        raise EmbeddedDatabaseError(
            f"{path}: was written by {age} release (schema {version}, this one has {schema.VERSION}); "
            f"run that release, move the file away, or {_ELSEWHERE}"
        )


def unusable(path: str, error: sqlite3.Error) -> EmbeddedDatabaseError:
    """Says in a line what is wrong with the database, and what to do."""
    # Extended codes have the primary one in their low byte.
    remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "look into the file system")
    return EmbeddedDatabaseError(f"{path}: {error}; {remedy}, or {_ELSEWHERE}")
