"""Durability and atomicity of updates and deletes: with kill -9, two processes and a full disk."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from backends.embedded_processes import waiting
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.errors import code_of

# Makes every kind of change repeatedly, and prints the versions after each round.
CHANGE = """
import json, sys
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

path = sys.argv[1]
config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
backend = EmbeddedBackend(path=path, s3_dir=None, max_functions=10**6, max_key_value_stores=10**6)
created = backend.create_key_value_store(Name=sys.argv[2])
arn, version = created["KeyValueStore"]["ARN"], created["ETag"]
data_version = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
for number in range(10**6):
    name = f"{sys.argv[2]}{number}"
    etag = backend.create_function(Name=name, FunctionConfig=config, FunctionCode=b"first")["ETag"]
    code = f"code of {name}".encode()
    etag = backend.update_function(Name=name, IfMatch=etag, FunctionConfig=config, FunctionCode=code)["ETag"]
    backend.publish_function(Name=name, IfMatch=etag)
    deleted = backend.create_function(Name=f"{name}-deleted", FunctionConfig=config, FunctionCode=b"x")["ETag"]
    backend.delete_function(Name=f"{name}-deleted", IfMatch=deleted)
    version = backend.update_key_value_store(Name=sys.argv[2], Comment=name, IfMatch=version)["ETag"]
    deleted = backend.create_key_value_store(Name=f"{name}-deleted")["ETag"]
    backend.delete_key_value_store(Name=f"{name}-deleted", IfMatch=deleted)
    backend.tag_resource(Resource=arn, Tags={"Items": [{"Key": "last", "Value": name}, {"Key": "deleted"}]})
    backend.untag_resource(Resource=arn, TagKeys={"Items": ["deleted"]})
    puts = [{"Key": f"{name}-{half}", "Value": name} for half in "ab"]
    data_version = backend.update_keys(KvsARN=arn, IfMatch=data_version, Puts=puts)["ETag"]
    data_version = backend.put_key(KvsARN=arn, IfMatch=data_version, Key="deleted", Value=name)["ETag"]
    data_version = backend.delete_key(KvsARN=arn, IfMatch=data_version, Key="deleted")["ETag"]
    print(json.dumps([name, etag, version, data_version]), flush=True)
"""

# Prints "ready", waits for a line, then puts keys until all are stored, even if another process does the same.
PUT = """
import sys
from botocore.exceptions import ClientError
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

path, arn, prefix = sys.argv[1:]
backend = EmbeddedBackend(path=path, s3_dir=None)
print("ready", flush=True)
sys.stdin.readline()
number = 0
while number < 60:
    version = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
    try:
        backend.put_key(KvsARN=arn, IfMatch=version, Key=f"{prefix}{number}", Value="v")
        number += 1
    except ClientError as error:
        assert error.response["Error"]["Message"].startswith("Pre-Condition failed"), error
print("done")
"""


def all_keys(backend: EmbeddedBackend, arn: str) -> list[str]:
    keys: list[str] = []
    arguments: dict[str, Any] = {"KvsARN": arn, "MaxResults": 50}
    for _ in range(1000):
        page = backend.list_keys(**arguments)
        keys += [item["Key"] for item in page["Items"]]
        if "NextToken" not in page:
            return keys
        arguments["NextToken"] = page["NextToken"]
    raise AssertionError("the list has no last page")


def test_every_acknowledged_change_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "db"
    for run in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", CHANGE, str(path), f"run{run}"], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(4 + run)]
            child.kill()
            lines += [line for line in child.stdout if line.endswith("]\n")]
        acknowledged = [json.loads(line) for line in lines]
        with closing(EmbeddedBackend(path=str(path), s3_dir=None)) as backend:
            for name, etag, _, _ in acknowledged:
                for stage in ("DEVELOPMENT", "LIVE"):
                    assert backend.get_function(Name=name, Stage=stage)["FunctionCode"].read() == (
                        f"code of {name}".encode()
                    )
                assert backend.describe_function(Name=name)["ETag"] == etag
                assert code_of(partial(backend.describe_function, Name=f"{name}-deleted")) == "NoSuchFunctionExists"
            store = backend.describe_key_value_store(Name=f"run{run}")
            arn = store["KeyValueStore"]["ARN"]
            data = backend.describe_key_value_store_data(KvsARN=arn)
            last, _, version, data_version = acknowledged[-1]
            tags = {
                tag["Key"]: tag.get("Value") for tag in backend.list_tags_for_resource(Resource=arn)["Tags"]["Items"]
            }
            keys = all_keys(backend, arn)
            # A change in flight may be stored too, but only completely.
            in_flight = f"run{run}{len(acknowledged)}"
            assert store["KeyValueStore"]["Comment"] in (last, in_flight)
            assert (store["ETag"] == version) == (store["KeyValueStore"]["Comment"] == last)
            assert tags["last"] in (last, in_flight)
            assert {key for key in keys if last in key} == {f"{last}-a", f"{last}-b"}
            assert {key for key in keys if in_flight in key} in (set(), {f"{in_flight}-a", f"{in_flight}-b"})
            if in_flight not in "".join(keys):
                assert data["ETag"] == data_version
            assert data["ItemCount"] == len(keys) >= 2 * len(acknowledged)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@contextmanager
def putting(path: Path, arn: str, prefix: str) -> Iterator[subprocess.Popen[str]]:
    """Starts a child process that puts keys once it reads a line."""
    with waiting(PUT, path, arn, prefix) as child:
        yield child


def test_two_processes_that_put_keys_do_not_lose_any(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(EmbeddedBackend(path=str(path), s3_dir=None)) as backend:
        arn = backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"]
        with putting(path, arn, "a") as first, putting(path, arn, "b") as second:
            for child in (first, second):
                assert child.stdin is not None
                child.stdin.write("go\n")
                child.stdin.flush()
            assert [child.communicate()[0] for child in (first, second)] == ["done\n", "done\n"]
        assert sorted(all_keys(backend, arn)) == sorted(f"{prefix}{number}" for prefix in "ab" for number in range(60))


def test_an_update_of_keys_on_a_full_disk_writes_nothing(tmp_path: Path) -> None:
    with closing(EmbeddedBackend(path=str(tmp_path / "db"), s3_dir=None)) as backend:
        arn = backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"]
        before = backend.describe_key_value_store_data(KvsARN=arn)
        with backend._database.reading() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        puts = [{"Key": f"k{number}", "Value": "x" * 1000} for number in range(50)]
        update = {"KvsARN": arn, "IfMatch": before["ETag"], "Puts": puts}
        assert code_of(lambda: backend.update_keys(**update)) == "ServiceUnavailable"
        after = backend.describe_key_value_store_data(KvsARN=arn)
        assert (after["ETag"], after["ItemCount"]) == (before["ETag"], 0)
        with backend._database.reading() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        assert code_of(lambda: backend.update_keys(**update)) == "OK"
