"""The audit file on a real file system: modes, rotation, renames, short writes."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudfront_facade_server.audit.files import AuditFile
from cloudfront_facade_server.audit.lines import LineOutput, LinesNotWrittenError
from cloudfront_facade_server.watched_files import UnusableFilesError

MIB = 1024 * 1024


def line(number: int, size: int = 100) -> bytes:
    return f"{number:0{size - 1}}\n".encode()


def numbers(*paths: Path) -> list[int]:
    return [int(each) for path in paths for each in path.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def small_files() -> Iterator[int]:
    """Limits the size of files of this process, which fails writes like a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250, before[1]))
    yield 250
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_new_file_is_readable_only_by_its_owner(path: Path) -> None:
    before = os.umask(0)
    try:
        AuditFile(path, MIB, 3).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_are_written_before_the_disk_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    fdatasync = os.fdatasync

    def record(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", record)
    LineOutput(AuditFile(path, MIB, 3)).write([line(1), line(2)])
    assert sizes == [200]


def test_an_existing_file_is_continued_and_keeps_its_mode(path: Path) -> None:
    path.write_bytes(line(1))
    path.chmod(0o640)
    LineOutput(AuditFile(path, MIB, 3)).write([line(2)])
    assert numbers(path) == [1, 2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_first_line_of_a_run_is_not_merged_with_one_that_a_killed_process_left(path: Path) -> None:
    path.write_bytes(line(1) + b'{"time": 17')
    LineOutput(AuditFile(path, MIB, 3)).write([line(2)])
    assert path.read_bytes() == line(1) + b'{"time": 17\n' + line(2)


@pytest.mark.parametrize("kind", ["folder missing", "folder", "fifo", "device", "link to itself"])
def test_what_is_not_a_file_stops_the_start_with_one_line(path: Path, kind: str) -> None:
    problem = "it is not a regular file"
    match kind:
        case "folder missing":
            path, problem = path / "audit.jsonl", "its folder does not exist"
        case "folder":
            path.mkdir()
            problem = "is a directory"
        case "fifo":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/null")
        case "link to itself":
            path.symlink_to(path)
            problem = ""
    with pytest.raises(UnusableFilesError) as raised:
        AuditFile(path, MIB, 3)
    message = str(raised.value)
    assert message.startswith(f'--audit: cannot write to "{path}": {problem}')
    assert "allowed: a regular file in a folder that exists" in message
    assert "\n" not in message


def test_a_link_is_followed_and_its_target_is_rotated(tmp_path: Path) -> None:
    target, link = tmp_path / "target" / "audit", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(target)
    output = LineOutput(AuditFile(link, 150, 3))
    output.write([line(1)])
    output.write([line(2)])
    assert numbers(target.with_name("audit.1"), target) == [1, 2]
    assert link.is_symlink()


def test_a_file_is_rotated_before_it_exceeds_its_size_and_the_oldest_is_removed(path: Path) -> None:
    output = LineOutput(AuditFile(path, 250, 2))
    for number in range(10):
        output.write([line(number)])
    rotated = [path.with_name(f"audit.jsonl.{number}") for number in (2, 1)]
    assert numbers(*rotated, path) == [4, 5, 6, 7, 8, 9]
    assert sorted(path.parent.iterdir()) == sorted([path, *rotated])
    assert all(each.stat().st_size <= 250 for each in path.parent.iterdir())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_size_is_that_of_the_file_and_not_of_what_this_run_wrote(path: Path) -> None:
    path.write_bytes(line(1, 200))
    LineOutput(AuditFile(path, 250, 2)).write([line(2)])
    assert numbers(path.with_name("audit.jsonl.1"), path) == [1, 2]


def test_a_file_that_cannot_be_rotated_grows(path: Path) -> None:
    output = LineOutput(AuditFile(path, 150, 1))
    blocker = path.with_name("audit.jsonl.1")
    blocker.mkdir()  # a file cannot be renamed to a folder
    for number in range(3):
        output.write([line(number)])
    assert numbers(path) == [0, 1, 2]
    blocker.rmdir()
    output.write([line(3)])
    assert numbers(blocker, path) == [0, 1, 2, 3]


def test_after_a_rename_lines_go_to_the_old_file_until_it_is_reopened(path: Path) -> None:
    output = LineOutput(AuditFile(path, MIB, 3))
    output.write([line(1)])
    moved = path.rename(path.with_name("moved"))
    output.write([line(2)])
    assert not path.exists()
    output.reopen()
    output.write([line(3)])
    assert numbers(moved) == [1, 2]
    assert numbers(path) == [3]


def test_if_the_file_cannot_be_opened_again_nothing_is_written_until_it_can(path: Path) -> None:
    output = LineOutput(AuditFile(path, MIB, 3))
    output.write([line(1)])
    moved = path.rename(path.with_name("moved"))
    path.mkdir()
    output.reopen()
    for _ in range(2):
        with pytest.raises(LinesNotWrittenError, match="is a directory") as raised:
            output.write([line(2)])
        assert raised.value.touched == 0
    path.rmdir()
    output.write([line(3)])
    assert numbers(moved) == [1]
    assert numbers(path) == [3]


def test_a_rename_by_others_is_not_undone_by_a_rotation(path: Path) -> None:
    output = LineOutput(AuditFile(path, 150, 3))
    output.write([line(1)])
    moved = path.rename(path.with_name("moved"))
    path.write_bytes(line(2, 10))
    output.write([line(3)])
    assert numbers(moved) == [1]
    assert numbers(path) == [2, 3]


def test_a_removed_file_is_created_again(path: Path) -> None:
    output = LineOutput(AuditFile(path, MIB, 3))
    output.write([line(1)])
    path.unlink()
    output.write([line(2)])
    assert numbers(path) == [2]


def test_a_truncated_file_is_continued(path: Path) -> None:
    output = LineOutput(AuditFile(path, MIB, 3))
    output.write([line(1)])
    os.truncate(path, 0)
    output.write([line(2)])
    assert path.read_bytes() == line(2)


def test_a_line_that_does_not_fit_on_the_disk_is_completed_before_the_next_one(path: Path, small_files: int) -> None:
    output = LineOutput(AuditFile(path, MIB, 3))
    with pytest.raises(LinesNotWrittenError, match="file too large") as raised:
        output.write([line(number) for number in (1, 2, 3, 4)])
    assert raised.value.touched == 3
    assert path.stat().st_size == small_files
    with pytest.raises(LinesNotWrittenError) as raised:
        output.write([line(5)])
    assert raised.value.touched == 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    output.write([line(6)])
    assert numbers(path) == [1, 2, 3, 6]


def test_a_rest_does_not_begin_the_next_file(path: Path, small_files: int) -> None:
    output = LineOutput(AuditFile(path, MIB, 3))
    with pytest.raises(LinesNotWrittenError):
        output.write([line(1), line(2), line(3)])
    path.rename(path.with_name("moved"))
    output.reopen()
    output.write([line(4)])
    assert numbers(path) == [4]
