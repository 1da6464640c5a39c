"""A file of the embedded backend that is corrupt, or no longer at its path."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backends.embedded_server import OTHER_PATH, Server, check_failure
from cloudfront_facade.v1 import function_service_pb2
from cloudfront_facade_server.backends.embedded import EmbeddedBackend, EmbeddedDatabaseError, database
from support.facade import failing


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


def check_lost(server: Server, problem: str) -> None:
    """Checks that all calls fail, that health is NOT_SERVING, and that the log has one line about it."""
    for name, call in server.changes().items():
        check_failure(failing(call), name)
    read = function_service_pb2.GetFunctionRequest(name="kept")
    check_failure(failing(server.facade.functions.GetFunction, read), "read")
    assert server.process.wait_for(problem)["level"] == "error"
    assert len([line for line in server.process.lines if str(server.path) in line.get("event", "")]) == 1
    assert server.health() == b"\x08\x02"


def test_a_page_that_becomes_corrupt_ends_serving_with_one_line(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as server:
        assert server.health() == b"\x08\x01"
        damage(server.path, root_page(server.path, "key_values"))
        # Another process writes, so that the server reads the pages again.
        with closing(sqlite3.connect(server.path)) as connection, connection:
            connection.execute("UPDATE key_value_stores SET comment = 'x'")
        check_failure(failing(server.put, "kept"), "the first error")
        check_lost(server, f"{server.path}: database disk image is malformed; restore it from a backup, "
                           f"or {OTHER_PATH}")  # fmt: skip


@pytest.mark.parametrize("fate", ["moved", "replaced", "deleted"])
def test_a_file_that_is_no_longer_at_its_path_ends_serving_with_one_line(tmp_path: Path, fate: str) -> None:
    with Server(tmp_path / "db") as server:
        if fate == "deleted":
            server.path.unlink()
        else:
            server.path.rename(tmp_path / "moved")
        if fate == "replaced":
            server.path.write_bytes((tmp_path / "moved").read_bytes())
        check_lost(server, f"{server.path}: was moved, replaced or deleted while the server used it; "
                           "restore it if you need its content, and restart the server")  # fmt: skip
        if fate != "deleted":
            (tmp_path / "moved").rename(server.path)
            server.check_unchanged()
