"""Durability and atomicity of creates in the embedded backend: kill -9, failed transactions and a full disk."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from backends.embedded_processes import creating, start
from backends.embedded_resources import TAGS, all_stores, create_function, function_exists
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.backends.embedded.database import Database

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
        for number in range(100):
            codes.append(create_function(backend, f"f{number}"))
            if codes[-1] != "OK":
                break
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
