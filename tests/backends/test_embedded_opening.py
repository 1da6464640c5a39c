"""Opening the database of the embedded backend: path, permissions, and the message if it cannot be used."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cloudfront_facade_server.backends.embedded import (
    EmbeddedBackend,
    EmbeddedDatabaseError,
    create_default_folder,
    default_path,
    schema,
)

# Opens the database subject to the file system's permissions, even as root: drops the capabilities that bypass them.
OPEN_UNPRIVILEGED = """
import ctypes, os, sys

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
if len(sys.argv) == 3:
    if sys.platform == "linux":
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[2], sys.argv[1], sys.argv[2], "dropped"])

from cloudfront_facade_server.backends.embedded import EmbeddedBackend, EmbeddedDatabaseError
if os.access(sys.argv[1], os.W_OK) and os.access(os.path.dirname(sys.argv[1]), os.W_OK):
    print("privileged")
else:
    try:
        EmbeddedBackend(path=sys.argv[1], s3_dir=None).close()
        print("opened")
    except EmbeddedDatabaseError as error:
        print(error)
"""


def open_and_close(path: Path | str) -> None:
    EmbeddedBackend(path=str(path), s3_dir=None, busy_timeout_seconds=0.05).close()


def opening_error(path: Path | str) -> str:
    """Returns the message of the error that opening the path raises."""
    with pytest.raises(EmbeddedDatabaseError) as caught:
        open_and_close(path)
    return one_line(str(caught.value), path)


def one_line(message: str, path: Path | str) -> str:
    assert message.startswith(f"{path}: ")
    assert message.endswith("set --embedded-db or CLOUDFRONT_FACADE_EMBEDDED_DB to another path")
    assert "\n" not in message
    return message


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_and_close(path)
    assert permissions(path) == 0o600


def test_a_missing_folder_is_named_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "db"
    assert f'{path}: the folder "{path.parent}" does not exist; create it, or ' in opening_error(path)
    assert list(tmp_path.iterdir()) == []


def test_permissions_of_existing_files_are_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "db"
    open_and_close(path)
    path.chmod(0o640)
    open_and_close(path)
    assert (permissions(tmp_path), permissions(path)) == (0o755, 0o640)


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.touch()
    open_and_close(path)
    open_and_close(path)


def test_data_survives_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "db")
    with closing(EmbeddedBackend(path=path, s3_dir=None)) as backend:
        created = backend.create_key_value_store(Name="s", Comment="c")
    with closing(EmbeddedBackend(path=path, s3_dir=None)) as backend:
        described = backend.describe_key_value_store(Name="s")
    assert described["ETag"] == created["ETag"]
    assert described["KeyValueStore"]["ARN"] == created["KeyValueStore"]["ARN"]


def test_an_in_memory_database_is_not_shared_and_creates_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend:
        backend.create_key_value_store(Name="s")
        with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as other:
            assert other.list_key_value_stores()["KeyValueStoreList"]["Quantity"] == 0
    assert list(tmp_path.iterdir()) == []


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    backend = EmbeddedBackend(path=str(tmp_path / "db"), s3_dir=None)
    backend.close()
    backend.close()


def test_a_file_that_is_not_a_database_is_rejected_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(b"somebody's notes " * 100)
    assert "not a database; move the file away" in opening_error(path)
    assert path.read_bytes() == b"somebody's notes " * 100


def test_the_database_of_another_program_is_rejected_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    assert "the database of another program" in opening_error(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("version", "age"), [(schema.VERSION + 1, "a newer"), (schema.VERSION - 1, "an older")])
def test_the_schema_of_another_release_is_rejected(tmp_path: Path, version: int, age: str) -> None:
    path = tmp_path / "db"
    open_and_close(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    assert f"{age} release (schema {version}" in opening_error(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)


def test_a_damaged_database_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_and_close(path)
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(content)
    assert "malformed; restore it from a backup" in opening_error(path)


def test_a_folder_is_rejected(tmp_path: Path) -> None:
    assert f"{tmp_path}: is a folder; " in opening_error(tmp_path)


def test_an_empty_path_is_rejected() -> None:
    assert "is a folder" in opening_error("")


def test_a_path_below_a_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be created: " in opening_error(tmp_path / "file" / "db")


def test_a_path_with_a_nul_is_rejected() -> None:
    assert "cannot be created: " in opening_error("\0")


def test_a_locked_file_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_and_close(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "database is locked; wait for the process that holds the lock" in opening_error(path)
        other.execute("ROLLBACK")
    open_and_close(path)


@pytest.mark.parametrize("read_only", ["file", "folder"])
def test_a_read_only_file_or_folder_cannot_be_opened(tmp_path: Path, read_only: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "db"
    open_and_close(path)
    # With an existing journal, the folder need not be writable.
    path.with_name("db-journal").unlink()
    (path if read_only == "file" else folder).chmod(0o500)
    command = [sys.executable, "-c", OPEN_UNPRIVILEGED, str(path), OPEN_UNPRIVILEGED]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    folder.chmod(0o700)
    if printed == "privileged":
        pytest.skip("permissions cannot be enforced on this platform")
    assert "make the file and its folder writable" in one_line(printed, path)


def test_a_file_on_a_read_only_file_system_is_not_reported_as_missing(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        open_and_close(tmp_path / "db")
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        assert "db: cannot be opened for writing: Read-only file system; " in opening_error(tmp_path / "db")
        assert "other: cannot be created: Read-only file system; " in opening_error(tmp_path / "other")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_the_default_path_is_in_the_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "cloudfront-facade" / "embedded.sqlite3"


def test_the_default_folder_is_created_private_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = create_default_folder()
    assert path == default_path()
    assert permissions(path.parent) == 0o700
    path.parent.chmod(0o750)
    open_and_close(create_default_folder())
    assert permissions(path.parent) == 0o750


def test_a_default_folder_that_cannot_be_created_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(EmbeddedDatabaseError) as caught:
        create_default_folder()
    assert "cannot be created: Not a directory" in one_line(str(caught.value), default_path())


@pytest.mark.parametrize("state_home", [None, "", "relative/path"])
def test_the_default_state_directory_is_in_the_home_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_home: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if state_home is None:
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_STATE_HOME", state_home)
    assert default_path() == tmp_path / ".local" / "state" / "cloudfront-facade" / "embedded.sqlite3"


def test_without_a_home_directory_the_path_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(EmbeddedDatabaseError, match="set --embedded-db"):
        default_path()
