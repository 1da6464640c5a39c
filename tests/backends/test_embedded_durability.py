"""Durability and atomicity of creates: with threads, processes, kill -9, a full disk and a locked file."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.backends.embedded.database import Database
from support.errors import code_of

CONFIG = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
TAGS = {"Items": [{"Key": f"k{number}", "Value": "v"} for number in range(10)]}

# Prints "ready", waits for a line, then creates stores and functions and prints the result of each create.
CREATE = """
import sys
from botocore.exceptions import ClientError
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

path, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
tags = {"Items": [{"Key": f"k{number}", "Value": "v"} for number in range(10)]}
config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
print("ready", flush=True)
sys.stdin.readline()
backend = EmbeddedBackend(path=path, s3_dir=None, max_functions=10**6, max_key_value_stores=10**6)
for number in range(count):
    name = f"{prefix}{number}"
    try:
        backend.create_key_value_store(Name=name, Tags=tags)
        backend.create_function(Name=name, FunctionConfig=config, FunctionCode=b"x" * 10_000, Tags=tags)
        print(name, "OK", flush=True)
    except ClientError as error:
        print(name, error.response["Error"]["Code"], flush=True)
"""

# Creates functions until the disk is full, simulated by a limit on the size of a file.
FILL = """
import json, resource, sys
from pathlib import Path
from botocore.exceptions import ClientError
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

path = Path(sys.argv[1])
config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
backend = EmbeddedBackend(path=str(path), s3_dir=None)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50_000, hard))
created = []
try:
    for number in range(100):
        name = f"f{number}"
        backend.create_function(Name=name, FunctionConfig=config, FunctionCode=b"x" * 10_000)
        created.append(name)
except ClientError as error:
    code = error.response["Error"]["Code"]
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
backend.create_function(Name="afterwards", FunctionConfig=config, FunctionCode=b"x" * 10_000)
print(json.dumps({"created": created, "failed": name, "code": code}))
"""


@pytest.fixture(params=["memory", "file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ":memory:" if request.param == "memory" else str(tmp_path / "db")


@contextmanager
def creating(path: Path, prefix: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """Starts a child process that creates resources once it reads a line."""
    child = subprocess.Popen(
        [sys.executable, "-c", CREATE, str(path), prefix, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            child.kill()


def start(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


def create_function(backend: EmbeddedBackend, name: str) -> str:
    return code_of(lambda: backend.create_function(Name=name, FunctionConfig=CONFIG, FunctionCode=b"x", Tags=TAGS))


def function_exists(backend: EmbeddedBackend, name: str) -> bool:
    return code_of(lambda: backend.describe_function(Name=name)) == "OK"


def all_stores(backend: EmbeddedBackend) -> list[dict[str, Any]]:
    stores: list[dict[str, Any]] = []
    arguments: dict[str, str] = {}
    while True:
        page = backend.list_key_value_stores(**arguments)["KeyValueStoreList"]
        stores += page["Items"]
        if "NextMarker" not in page:
            return stores
        arguments["Marker"] = page["NextMarker"]


def test_every_acknowledged_create_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "db"
    acknowledged: list[str] = []
    for run in range(3):
        with creating(path, f"run{run}-", 10**6) as child:
            start(child)
            assert child.stdout is not None
            acknowledged += [child.stdout.readline().split()[0] for _ in range(10 + run)]
            child.kill()
            # Lines that it printed before it was killed, but that were not read yet.
            acknowledged += [line.split()[0] for line in child.stdout if line.endswith("OK\n")]
    with closing(EmbeddedBackend(path=str(path), s3_dir=None)) as backend:
        stores = all_stores(backend)
        assert {store["Name"] for store in stores} >= set(acknowledged)
        # Every create is complete or absent, even those in flight.
        for store in stores:
            assert backend.list_tags_for_resource(Resource=store["ARN"])["Tags"] == TAGS
        for name in acknowledged:
            assert len(backend.get_function(Name=name)["FunctionCode"].read()) == 10_000
            arn = f"arn:aws:cloudfront::000000000000:function/{name}"
            assert backend.list_tags_for_resource(Resource=arn)["Tags"] == TAGS
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


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


def test_a_failed_transaction_writes_nothing(tmp_path: Path) -> None:
    def fail_after_a_write() -> None:
        with database.writing() as connection:
            connection.execute("INSERT INTO resources (arn) VALUES ('arn')")
            raise KeyboardInterrupt

    with closing(Database(str(tmp_path / "db"), 0.05)) as database:
        with pytest.raises(KeyboardInterrupt):
            fail_after_a_write()
        with database.reading() as connection:
            assert connection.execute("SELECT * FROM resources").fetchall() == []


def test_a_full_database_is_unavailable_and_keeps_its_content(tmp_path: Path) -> None:
    with closing(EmbeddedBackend(path=str(tmp_path / "db"), s3_dir=None)) as backend:
        with backend._database.reading() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        codes: list[str] = []
        while not codes or codes[-1] == "OK":
            codes.append(create_function(backend, f"f{len(codes)}"))
        assert codes[-1] == "ServiceUnavailable"
        assert [function_exists(backend, f"f{number}") for number in range(len(codes))] == [
            code == "OK" for code in codes
        ]
        assert "OK" in codes
        with backend._database.reading() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        assert create_function(backend, f"f{len(codes) - 1}") == "OK"


def test_a_full_disk_leaves_no_partial_write(tmp_path: Path) -> None:
    path = tmp_path / "db"
    child = subprocess.run([sys.executable, "-c", FILL, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(child.stdout)
    assert result["code"] == "ServiceUnavailable"
    assert result["created"]
    with closing(EmbeddedBackend(path=str(path), s3_dir=None)) as backend:
        assert all(function_exists(backend, name) for name in [*result["created"], "afterwards"])
        assert not function_exists(backend, result["failed"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_every_commit_is_synchronous(tmp_path: Path) -> None:
    with closing(Database(str(tmp_path / "db"), 1)) as database, database.reading() as connection:
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        (journal_mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    assert (synchronous, journal_mode) == (2, "truncate")


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
