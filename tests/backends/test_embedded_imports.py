"""Imports into key value stores from files that stand for S3 objects."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.backends.embedded import EmbeddedBackend

FIVE_MEGABYTES = 5 * 1024 * 1024
OUTSIDE = "The import file is outside the folder of its bucket in --embedded-s3-dir."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "s3"
    (folder / "bucket").mkdir(parents=True)
    return folder


@pytest.fixture
def backend(tmp_path: Path, folder: Path) -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=str(tmp_path / "db"), s3_dir=folder)) as backend:
        yield backend


def create(backend: EmbeddedBackend, s3_object: str = "bucket/key", partition: str = "aws") -> str:
    source = {"SourceType": "S3", "SourceARN": f"arn:{partition}:s3:::{s3_object}"}
    response = backend.create_key_value_store(Name="s", ImportSource=source)
    arn: str = response["KeyValueStore"]["ARN"]
    return arn


def failure(backend: EmbeddedBackend, s3_object: str = "bucket/key") -> str:
    """Creates a store whose import fails, and returns the reason."""
    described = backend.describe_key_value_store_data(KvsARN=create(backend, s3_object))
    assert backend.describe_key_value_store(Name="s")["KeyValueStore"]["Status"] == "PROVISIONING"
    assert (described["Status"], described["ItemCount"]) == ("FAILED", 0)
    reason: str = described["FailureReason"]
    return reason


def assert_imported(backend: EmbeddedBackend, arn: str) -> None:
    described = backend.describe_key_value_store_data(KvsARN=arn)
    assert described["Status"] == "READY"
    assert "FailureReason" not in described


def entries(*pairs: tuple[str, str]) -> bytes:
    data = [{"key": key, "value": value} for key, value in pairs]
    return json.dumps({"data": data}, ensure_ascii=False).encode()


def stored(tmp_path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        return connection.execute("SELECT key, value FROM key_values ORDER BY key").fetchall()


def test_an_import_is_stored_with_the_store(backend: EmbeddedBackend, folder: Path, tmp_path: Path) -> None:
    (folder / "bucket/key").write_bytes(entries(("b", ""), ("a", "\u00e9 \U0001f600")))
    assert_imported(backend, create(backend))
    assert backend.describe_key_value_store(Name="s")["KeyValueStore"]["Status"] == "READY"
    assert stored(tmp_path) == [("a", "\u00e9 \U0001f600"), ("b", "")]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_an_s3_key_may_contain_folders(backend: EmbeddedBackend, folder: Path, tmp_path: Path, partition: str) -> None:
    (folder / "bucket/deep").mkdir()
    (folder / "bucket/deep/a:b.json").write_bytes(entries(("k", "v")))
    create(backend, "bucket/deep/a:b.json", partition)
    assert stored(tmp_path) == [("k", "v")]


def test_a_link_inside_the_folder_is_followed(backend: EmbeddedBackend, folder: Path, tmp_path: Path) -> None:
    (folder / "bucket/real").write_bytes(entries(("k", "v")))
    (folder / "bucket/key").symlink_to(folder / "bucket/real")
    create(backend)
    assert stored(tmp_path) == [("k", "v")]


def test_the_folder_itself_may_be_a_link(tmp_path: Path, folder: Path) -> None:
    (folder / "bucket/key").write_bytes(entries(("k", "v")))
    (tmp_path / "link").symlink_to(folder)
    with closing(EmbeddedBackend(path=str(tmp_path / "db"), s3_dir=tmp_path / "link")) as backend:
        create(backend)
    assert stored(tmp_path) == [("k", "v")]


def test_the_largest_entries_are_allowed(backend: EmbeddedBackend, folder: Path, tmp_path: Path) -> None:
    key, value = "\u00e9" * 256, "\u00e9" * 512
    (folder / "bucket/key").write_bytes(entries((key, value)))
    create(backend)
    assert stored(tmp_path) == [(key, value)]


def test_an_import_may_be_empty(backend: EmbeddedBackend, folder: Path) -> None:
    (folder / "bucket/key").write_bytes(entries())
    assert_imported(backend, create(backend))


def test_a_store_without_an_import_has_no_failure_reason(backend: EmbeddedBackend) -> None:
    assert_imported(backend, backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"])


def test_without_a_folder_every_import_fails_and_names_the_setting() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend:
        assert "--embedded-s3-dir" in failure(backend)


def test_a_missing_file_fails_only_the_import(backend: EmbeddedBackend, tmp_path: Path) -> None:
    reason = failure(backend)
    assert "does not exist in the folder" in reason
    assert str(tmp_path) not in reason


@pytest.mark.parametrize("s3_object", ["bucket", "bucket/", "", "bucket/\0", "bucket/" + "x" * 5000])
def test_a_path_that_is_not_a_file_fails_the_import(backend: EmbeddedBackend, s3_object: str) -> None:
    assert failure(backend, s3_object).startswith("The import file ")


def test_a_pipe_does_not_block_the_create(backend: EmbeddedBackend, folder: Path) -> None:
    os.mkfifo(folder / "bucket/key")
    assert "does not exist in the folder" in failure(backend)


def test_a_loop_of_links_fails_the_import(backend: EmbeddedBackend, folder: Path) -> None:
    (folder / "bucket/key").symlink_to(folder / "bucket/key")
    assert failure(backend).startswith("The import file ")


@pytest.mark.parametrize(
    "s3_object",
    [
        "../secret", "bucket/../../secret", "bucket/../../absent", "{}", "bucket/../other/key", "bucket/x/../key",
        "bucket//key", "bucket/./key", "./bucket/key", "bucket/key/", "bucket/key/.", "bucket/other/../key", "/key",
    ],
)  # fmt: skip
def test_a_key_is_exact_and_leaves_neither_its_bucket_nor_the_folder(
    backend: EmbeddedBackend, folder: Path, tmp_path: Path, s3_object: str
) -> None:
    for path in (tmp_path / "secret", folder / "bucket/key", folder / "other/key", folder / "key"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(entries(("secret", "secret")))
    (folder / "bucket/x").mkdir()
    reason = failure(backend, s3_object.format(f"/{tmp_path}/secret"))
    assert reason == "The import file does not exist in the folder of --embedded-s3-dir."
    assert stored(tmp_path) == []


def test_a_link_into_another_bucket_is_not_followed(backend: EmbeddedBackend, folder: Path, tmp_path: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other/key").write_bytes(entries(("secret", "secret")))
    (folder / "bucket/key").symlink_to(folder / "other/key")
    assert failure(backend) == OUTSIDE
    assert stored(tmp_path) == []


@pytest.mark.parametrize("s3_object", ["bucket/link", "bucket/parent/secret", "elsewhere/secret"])
def test_nothing_outside_the_folder_is_read(
    backend: EmbeddedBackend, folder: Path, tmp_path: Path, s3_object: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(entries(("secret", "secret")))
    (folder / "bucket/link").symlink_to(secret)
    (folder / "bucket/parent").symlink_to(tmp_path)
    (folder / "elsewhere").symlink_to(tmp_path)
    assert failure(backend, s3_object) == OUTSIDE
    assert stored(tmp_path) == []


def test_a_folder_whose_name_has_the_same_prefix_is_outside(backend: EmbeddedBackend, tmp_path: Path) -> None:
    (tmp_path / "s3-other").mkdir()
    (tmp_path / "s3-other/key").write_bytes(entries(("k", "v")))
    assert "does not exist" in failure(backend, "../s3-other/key")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"data":[\n  "SECRET\xff"]}', "is not UTF-8 at line 2, column 10."),
        (b"\xef\xbb\xbf" + entries(("SECRET", "v")), "begins with a byte order mark; remove it."),
        (entries(("k", "v")).decode().encode("utf-16"), "is UTF-16; it must be UTF-8."),
        (entries(("k", "v")).decode().encode("utf-16-le"), "is UTF-16; it must be UTF-8."),
        (entries(("k", "v")).decode().encode("utf-16-be"), "is UTF-16; it must be UTF-8."),
        (entries(("k", "v")).decode().encode("utf-32"), "is UTF-32; it must be UTF-8."),
        (b"", "is not JSON at line 1, column 1."),
        (b'{"data":[SECRET]}', "is not JSON at line 1, column 10."),
        (b'{"data":[\n  {"key":"a","value":"1"},\n  {"key":"SECRET" "value"}]}', "is not JSON at line 3, column 19."),
        (entries(("a", "1")) + b"\nSECRET", "is not JSON at line 2, column 1."),
        (b"[" * 200_000, "is nested too deeply."),
        (b'{"data":[{"key":"NaN","value":NaN}]}', "is not JSON at line 1, column 31: JSON has no NaN"),
        (b'{"data":[{"key":"a","value":"1","more":\n[1,-Infinity]}]}', "is not JSON at line 2, column 4: JSON has no"),
        (b'{"data":[],"more":Infinity}', "is not JSON at line 1, column 19: JSON has no NaN and no Infinity."),
        (b'{"data":' + b"1" * 5000 + b"}", 'a list "data"'),
        (b'{"data":[],"data":[{"key":"SECRET","value":"1"}]}', "object has a member more than once"),
        (
            b'{"data":[{"key":"a","value":"1"},{"key":"b","key":"SECRET","value":"1"}]}',
            "data[1] has a member more",
        ),
        (b'{"data":[{"key":"a","value":"1","more":{"SECRET":1,"SECRET":1}}]}', "An object in the import file has a"),
        (b"[]", 'a list "data"'),
        (b"{}", 'a list "data"'),
        (b'{"data":{"key":"SECRET"}}', 'a list "data"'),
        (b'{"data":["SECRET"]}', "data[0] must be an object"),
        (b'{"data":[{"key":"SECRET"}]}', "data[0] must have the strings"),
        (b'{"data":[{"key":"SECRET","value":1}]}', "data[0] must have the strings"),
        (b'{"data":[{"key":null,"value":"SECRET"}]}', "data[0] must have the strings"),
        (b'{"data":[{"key":"\\ud800","value":"SECRET"}]}', "an unpaired surrogate"),
        (b'{"data":[{"key":"SECRET","value":"\\udfff"}]}', "an unpaired surrogate"),
        (entries(("SECRET", "1"), ("b", "2"), ("SECRET", "3")), "data[2] repeats"),
        (entries(("", "SECRET")), "a key of 0 bytes"),
        (entries(("SECRET" + "x" * 507, "v")), "a key of 513 bytes"),
        (entries(("\u00e9" * 257, "v")), "a key of 514 bytes"),
        (entries(("k", "\u00e9" * 512 + "x")), "a value of 1025 bytes"),
    ],
)
def test_a_malformed_file_fails_the_import_without_disclosing_its_content(
    backend: EmbeddedBackend, folder: Path, tmp_path: Path, content: bytes, reason: str
) -> None:
    (folder / "bucket/key").write_bytes(content)
    message = failure(backend)
    assert reason in message
    assert "SECRET" not in message
    assert stored(tmp_path) == []


def large_file(size: int) -> bytes:
    content = entries(*((f"k{number}", "x" * 1024) for number in range(4900)))
    return content + b" " * (size - len(content))


def test_a_file_of_five_megabytes_is_imported(backend: EmbeddedBackend, folder: Path, tmp_path: Path) -> None:
    (folder / "bucket/key").write_bytes(large_file(FIVE_MEGABYTES))
    assert_imported(backend, create(backend))
    assert len(stored(tmp_path)) == 4900


def test_a_larger_file_is_rejected_immediately(backend: EmbeddedBackend, folder: Path) -> None:
    (folder / "bucket/key").write_bytes(large_file(FIVE_MEGABYTES + 1))
    with pytest.raises(ClientError) as caught:
        create(backend)
    response: dict[str, Any] = caught.value.response
    assert response["Error"]["Code"] == "EntitySizeLimitExceeded"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert backend.list_key_value_stores()["KeyValueStoreList"]["Items"] == []


def test_a_failed_import_survives_a_restart_and_never_becomes_ready(tmp_path: Path, folder: Path) -> None:
    path = str(tmp_path / "db")
    with closing(EmbeddedBackend(path=path, s3_dir=folder)) as backend:
        arn = create(backend)
        described = backend.describe_key_value_store_data(KvsARN=arn)
    (folder / "bucket/key").write_bytes(entries(("k", "v")))
    with closing(EmbeddedBackend(path=path, s3_dir=folder)) as backend:
        for member in ("Status", "FailureReason", "ETag"):
            assert backend.describe_key_value_store_data(KvsARN=arn)[member] == described[member]
        assert backend.list_key_value_stores(Status="READY")["KeyValueStoreList"]["Items"] == []
        association = {"Quantity": 1, "Items": [{"KeyValueStoreARN": arn}]}
        config = {"Comment": "", "Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": association}
        with pytest.raises(ClientError, match="InvalidArgument"):
            backend.create_function(Name="f", FunctionConfig=config, FunctionCode=b"x")
