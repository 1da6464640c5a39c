"""A file of the embedded backend that is full, locked, gone or corrupt, in a server's process."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import (
    function_service_pb2,
    key_value_store_data_service_pb2,
    key_value_store_service_pb2,
    tag_pb2,
    tag_service_pb2,
)
from cloudfront_facade_server.backends.embedded import EmbeddedBackend, EmbeddedDatabaseError, database
from support.facade import REQUEST_ID, Facade, Failure, failing, function
from support.process import FacadeProcess

MAX_SECONDS = 2.0
UNUSABLE = "set --embedded-db or CLOUDFRONT_FACADE_EMBEDDED_DB to another path"


class Server:
    """A server on a file, with a function and a store that has one key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.process = FacadeProcess("--backend", "embedded", "--embedded-db", str(path), "--drain-delay", "0")

    def __enter__(self) -> Server:
        with ExitStack() as opened:
            opened.enter_context(self.process)
            self.channel = opened.enter_context(grpc.insecure_channel(self.process.address))
            self.facade = Facade.over(self.process.address, self.channel)
            tags = [tag_pb2.Tag(key="a", value="b")]
            self.function = self.facade.functions.CreateFunction(function("kept", tags=tags))
            created = self.facade.stores.CreateKeyValueStore(
                key_value_store_service_pb2.CreateKeyValueStoreRequest(name="kept")
            )
            self.store, self.store_etag = created.key_value_store.arn, created.etag
            self.put("kept")
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def put(self, key: str) -> Any:
        return self.facade.key_values.PutKey(
            key_value_store_data_service_pb2.PutKeyRequest(kvs_arn=self.store, key=key, value="v"),
            timeout=10,
        )

    def changes(self) -> dict[str, Callable[[], Any]]:
        """Returns one change of each kind."""
        data, facade = key_value_store_data_service_pb2, self.facade
        tags = [tag_pb2.Tag(key="new", value="v")]
        function_arn = self.function.function_summary.function_metadata.function_arn
        return {
            "create": lambda: facade.functions.CreateFunction(function("new"), timeout=10),
            "create with a request_id": lambda: facade.functions.CreateFunction(
                function("new", request_id=REQUEST_ID), timeout=10
            ),
            "publish": lambda: facade.functions.PublishFunction(
                function_service_pb2.PublishFunctionRequest(name="kept", etag=self.function.etag), timeout=10
            ),
            "delete": lambda: facade.stores.DeleteKeyValueStore(
                key_value_store_service_pb2.DeleteKeyValueStoreRequest(name="kept", etag=self.store_etag), timeout=10
            ),
            "put": lambda: self.put("new"),
            "batch": lambda: facade.key_values.UpdateKeys(
                data.UpdateKeysRequest(
                    kvs_arn=self.store,
                    changes=[data.KeyChange(put=data.KeyValue(key=f"n{number}", value="v")) for number in range(9)],
                ),
                timeout=10,
            ),
            "import": lambda: facade.key_values.ImportKeys(
                iter(
                    [
                        data.ImportKeysRequest(
                            kvs_arn=self.store, changes=[data.KeyChange(put=data.KeyValue(key="new", value="v"))]
                        )
                    ]
                ),
                timeout=10,
            ),
            "tag": lambda: facade.tags.TagResource(
                tag_service_pb2.TagResourceRequest(resource=function_arn, tags=tags),
                timeout=10,
            ),
        }

    def check_unchanged(self) -> None:
        """Checks that everything that was answered OK still exists, and nothing else."""
        with closing(sqlite3.connect(self.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT key FROM key_values").fetchall() == [("kept",)]
            assert connection.execute("SELECT name, stage FROM function_stages").fetchall() == [("kept", "DEVELOPMENT")]
            assert connection.execute("SELECT key FROM tags").fetchall() == [("a",)]
            assert connection.execute("SELECT name FROM key_value_stores").fetchall() == [("kept",)]


def check_not_applied(server: Server, calls: dict[str, Callable[[], Any]]) -> None:
    """Makes the calls in order. Each must fail in time without an effect."""
    for name, call in calls.items():
        start = time.monotonic()
        check_failure(failing(call), name)
        assert time.monotonic() - start < MAX_SECONDS, name
    lines = [line for line in server.process.lines if UNUSABLE in str(line)]
    assert len(lines) == 1, lines
    assert str(server.path) in str(lines[0])


def check_failure(failure: Failure, name: str) -> None:
    assert failure.code is grpc.StatusCode.UNAVAILABLE, (name, failure)
    assert (failure.reason, failure.outcome) == ("UPSTREAM_UNAVAILABLE", "not_applied"), (name, failure)
    assert failure.retry_after, (name, failure)


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


def test_a_file_that_was_removed_is_read_only(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as server:
        server.path.rename(tmp_path / "moved")
        check_not_applied(server, server.changes())
        (tmp_path / "moved").rename(server.path)
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


def root_page(path: Path, name: str) -> int:
    """Returns the root page of a table or an index."""
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    page: int = root
    return page


def damage(path: Path, page: int, size: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * size + (100 if page == 1 else 0))
        file.write(b"\xff" * (size - 100))


def filled(path: Path) -> None:
    with closing(EmbeddedBackend(path=str(path), s3_dir=None)) as backend:
        for number in range(30):
            backend.create_key_value_store(Name=f"s{number}", Comment="c" * 120)


@pytest.mark.parametrize("name", ["key_values", "sqlite_autoindex_key_value_stores_2", "header"])
def test_corrupt_pages_are_found_at_the_start(tmp_path: Path, name: str) -> None:
    path = tmp_path / "db"
    filled(path)
    damage(path, 1 if name == "header" else root_page(path, name))
    with pytest.raises(EmbeddedDatabaseError) as caught:
        EmbeddedBackend(path=str(path), s3_dir=None)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "restore it from a backup, or set --embedded-db" in message
    assert "\n" not in message


def test_a_large_file_is_not_checked_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "db"
    filled(path)
    damage(path, root_page(path, "key_values"))
    monkeypatch.setattr(database, "_MAX_CHECKED_BYTES", 1024)
    EmbeddedBackend(path=str(path), s3_dir=None).close()


def test_a_page_that_becomes_corrupt_ends_serving_with_one_line(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as server:
        health: Any = server.channel.unary_unary("/grpc.health.v1.Health/Check")
        assert health(b"", timeout=5) == b"\x08\x01"
        damage(server.path, root_page(server.path, "key_values"))
        # Another process writes, so that the server reads the pages again.
        with closing(sqlite3.connect(server.path)) as connection, connection:
            connection.execute("UPDATE key_value_stores SET comment = 'x'")
        check_failure(failing(server.put, "kept"), "the first error")
        for name, call in server.changes().items():
            check_failure(failing(call), name)
        line = server.process.wait_for(f"{server.path}: database disk image is malformed; restore it from a backup, "
                                       f"or {UNUSABLE}")  # fmt: skip
        assert line["level"] == "error"
        assert len([line for line in server.process.lines if UNUSABLE in str(line)]) == 1
        assert health(b"", timeout=5) == b"\x08\x02"
