"""Creates of several threads and processes in the embedded backend, and a file that another process locks."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from backends.embedded_processes import creating, start
from backends.embedded_resources import TAGS, all_stores, create_function, function_exists
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.backends.embedded.database import Database
from support.errors import code_of


@pytest.fixture(params=["memory", "file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ":memory:" if request.param == "memory" else str(tmp_path / "db")


def test_two_processes_on_a_new_file_create_each_name_once(tmp_path: Path) -> None:
    path = tmp_path / "db"
    names = [f"same{number}" for number in range(40)]
    with creating(path, "same", 40) as first, creating(path, "same", 40) as second:
        for child in (first, second):
            start(child)
        outcomes = [dict(line.split() for line in child.communicate()[0].splitlines()) for child in (first, second)]
    for name in names:
        assert sorted(outcome[name] for outcome in outcomes) == ["EntityAlreadyExists", "OK"]
    with closing(EmbeddedBackend(path=str(path), s3_dir=None)) as backend:
        assert [store["Name"] for store in all_stores(backend)] == sorted(names)
        assert all(function_exists(backend, name) for name in names)


def test_a_write_is_immediately_visible_to_another_process(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(EmbeddedBackend(path=str(path), s3_dir=None)) as backend, creating(path, "theirs", 1) as child:
        start(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "theirs0 OK\n"
        assert create_function(backend, "theirs0") == "FunctionAlreadyExists"
        assert function_exists(backend, "theirs0")


def test_only_one_of_16_threads_creates_a_name(path: str) -> None:
    with closing(EmbeddedBackend(path=path, s3_dir=None)) as backend, ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: create_function(backend, "same"), range(64)))
    assert sorted(codes) == ["FunctionAlreadyExists"] * 63 + ["OK"]


def test_16_threads_do_not_exceed_the_quota(path: str) -> None:
    with closing(EmbeddedBackend(path=path, s3_dir=None, max_functions=5)) as backend, ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda number: create_function(backend, f"f{number}"), range(64)))
        assert [number for number in range(64) if function_exists(backend, f"f{number}")] == [
            number for number, code in enumerate(codes) if code == "OK"
        ]
    assert sorted(codes) == ["OK"] * 5 + ["TooManyFunctions"] * 59


def test_16_threads_write_and_read_concurrently(path: str) -> None:
    def write_and_read(number: int) -> bool:
        arn = backend.create_key_value_store(Name=f"s{number}", Tags=TAGS)["KeyValueStore"]["ARN"]
        backend.list_key_value_stores()
        described = backend.describe_key_value_store(Name=f"s{number}")["KeyValueStore"]["ARN"]
        return bool(described == arn and backend.list_tags_for_resource(Resource=arn)["Tags"] == TAGS)

    with closing(EmbeddedBackend(path=path, s3_dir=None)) as backend, ThreadPoolExecutor(16) as pool:
        assert all(pool.map(write_and_read, range(64)))
        assert len(all_stores(backend)) == 64


def test_a_locked_file_is_unavailable_until_it_is_unlocked(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with (
        closing(EmbeddedBackend(path=str(path), s3_dir=None, busy_timeout_seconds=0.05)) as backend,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ClientError) as caught:
            backend.create_key_value_store(Name="s")
        assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
        assert caught.value.response["Error"]["Type"] == "Receiver"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert code_of(backend.list_key_value_stores) == "ServiceUnavailable"
        other.execute("ROLLBACK")
        assert all_stores(backend) == []
        backend.create_key_value_store(Name="s")


def test_a_commit_blocked_by_a_reader_for_too_long_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with (
        closing(EmbeddedBackend(path=str(path), s3_dir=None, busy_timeout_seconds=0.05)) as backend,
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM tags").fetchall()
        assert create_function(backend, "f") == "ServiceUnavailable"
        reader.execute("COMMIT")
        assert not function_exists(backend, "f")
        assert create_function(backend, "f") == "OK"


def test_a_thread_waits_for_others_up_to_the_busy_timeout(tmp_path: Path) -> None:
    def read() -> None:
        with database.reading():
            pass

    with closing(Database(str(tmp_path / "db"), 0.05)) as database, ThreadPoolExecutor(1) as pool:
        with database.writing():
            assert isinstance(pool.submit(read).exception(), sqlite3.OperationalError)
        assert pool.submit(read).exception() is None


def test_the_reason_for_an_unavailable_database_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "db"
    with (
        closing(EmbeddedBackend(path=str(path), s3_dir=None, busy_timeout_seconds=0.05)) as backend,
        closing(sqlite3.connect(path)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        assert create_function(backend, "rewrite") == "ServiceUnavailable"
    (message,) = caplog.messages
    assert message.startswith(f"{path}: database is locked; wait for the process that holds the lock, or set ")
