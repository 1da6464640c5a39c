"""A file of the embedded backend that is full or locked, in a server's process."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from backends.embedded_server import OTHER_PATH, Server, check_failure
from cloudfront_facade.v1 import function_service_pb2
from cloudfront_facade_server.backends.embedded import database
from support.facade import failing

MAX_SECONDS = 2.0


def check_not_applied(server: Server, calls: dict[str, Callable[[], Any]]) -> None:
    """Makes the calls in order. Each must fail in time without an effect."""
    for name, call in calls.items():
        start = time.monotonic()
        check_failure(failing(call), name)
        assert time.monotonic() - start < MAX_SECONDS, name
    lines = [line for line in server.process.lines if OTHER_PATH in str(line)]
    assert len(lines) == 1, lines
    assert str(server.path) in str(lines[0])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            if error.errno != ENOSPC:
                raise


def test_a_full_disk_applies_nothing_and_heals(small_disk: Path) -> None:
    with Server(small_disk / "db") as server:
        filler = small_disk / "filler"
        fill(filler)
        check_not_applied(server, server.changes())
        filler.unlink()
        server.check_unchanged()
        server.put("kept")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")
def test_a_file_size_limit_applies_nothing_and_heals(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as server:
        pid, (_, hard) = server.process.process.pid, resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (256, hard))
        check_not_applied(server, server.changes())
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        server.check_unchanged()
        server.put("kept")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_file_applies_nothing_and_heals(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as server:
        read = function_service_pb2.GetFunctionRequest(name="kept")
        calls = {**server.changes(), "read": lambda: server.facade.functions.GetFunction(read, timeout=10)}
        with locked(server.path):
            check_not_applied(server, calls)
        server.check_unchanged()
        server.put("kept")


def test_many_calls_do_not_wait_for_a_locked_file_in_turn(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as server, ThreadPoolExecutor(24) as callers:
        change = server.changes()["publish"]

        def call() -> float:
            start = time.monotonic()
            check_failure(failing(change), "publish")
            return time.monotonic() - start

        with locked(server.path):
            assert max(callers.map(lambda _: call(), range(24))) < MAX_SECONDS
        server.check_unchanged()
        server.put("kept")


def test_a_lock_that_is_released_in_time_delays_a_change(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as server, ThreadPoolExecutor(1) as callers:
        with locked(server.path):
            change = callers.submit(server.put, "kept")
            time.sleep(0.3)
        assert change.result(5)


def test_a_commit_that_the_file_system_loses_is_not_reported_as_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = sqlite3.OperationalError("disk I/O error")
    lost.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    for code, expected in ((sqlite3.SQLITE_IOERR_FSYNC, True), (sqlite3.SQLITE_IOERR_WRITE, False)):
        lost.sqlite_errorcode = code
        opened = database.Database(str(tmp_path / "db"), 0.1)
        real = opened._connection

        class Failing:
            def execute(self, sql: str, _real: sqlite3.Connection = real) -> Any:
                if sql == "COMMIT":
                    raise lost
                return _real.execute(sql)

            def rollback(self, _real: sqlite3.Connection = real) -> None:
                _real.rollback()

        monkeypatch.setattr(opened, "_connection", Failing())
        with pytest.raises(sqlite3.OperationalError) as caught, opened.writing():
            pass
        assert isinstance(caught.value, database.LostCommitError) is expected
        real.close()
