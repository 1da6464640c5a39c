"""The audit log of real processes: killed, rotated, on a full disk, on a pipe that nobody reads, under a flood."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import quantiles
from types import SimpleNamespace
from typing import Any, Self

import pytest

from audit.calls import UNKNOWN, check, create, read, stranger, uids
from cloudfront_facade_server.audit.files import StandardOutput
from cloudfront_facade_server.audit.log import AuditLog, open_audit
from cloudfront_facade_server.errors.status_error import StatusError
from support.process import clean_environment
from support.waiting import wait_until

LARGE = 2**40


class Recorder:
    """`recorder.py` as a process.

    Attributes:
        process: The process.
        accepted: The correlation uids of the intents that are on disk.
        rejected: The correlation uids of the intents that were rejected.
    """

    def __init__(self, path: Path | str, *, max_bytes: int = LARGE, keep: int = 1000, tasks: int = 8) -> None:
        script = Path(__file__).with_name("recorder.py")
        self.process = subprocess.Popen(
            [sys.executable, script, str(path), str(max_bytes), str(keep), str(tasks)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        self.accepted: list[str] = []
        self.rejected: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def end(self, number: int) -> None:
        """Ends the process with a signal, and reads all that it wrote."""
        self.process.send_signal(number)
        self.process.wait(20)
        self._reader.join(20)

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            sign, _, uid = line.rstrip().partition(" ")
            if sign in ("+", "-") and line.endswith("\n"):
                (self.accepted if sign == "+" else self.rejected).append(uid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(20)
        self._reader.join(20)
        assert self.process.stdout
        self.process.stdout.close()
        assert self.process.stderr
        self.process.stderr.close()


def parts_and_records(content: bytes) -> tuple[list[bytes], list[dict[str, Any]]]:
    """Returns the lines that are not JSON, and the records of the others."""
    parts, records = [], []
    for line in content.splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            parts.append(line)
    return parts, records


def newest_last(path: Path) -> list[Path]:
    """Returns the files of a log, the oldest first."""
    rotated = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: -int(each.suffix[1:]))
    return [*rotated, path]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.03, 0.07])
def test_a_killed_process_leaves_each_accepted_intent_on_disk_and_at_most_one_part_of_a_line(
    tmp_path: Path, seconds: float
) -> None:
    path = tmp_path / "audit.jsonl"
    with Recorder(path) as recorder:
        wait_until(lambda: len(recorder.accepted) > 100)
        time.sleep(seconds)
        recorder.end(signal.SIGKILL)
    content = path.read_bytes()
    parts, records = parts_and_records(content)
    assert set(recorder.accepted) <= set(uids(records))
    # The kernel may end a write at a page when the process is killed. Nothing was sent for such an intent.
    assert parts == ([] if content.endswith(b"\n") else content.splitlines()[-1:])
    with Recorder(path) as recorder:
        wait_until(lambda: len(recorder.accepted) > 10)
        recorder.end(signal.SIGTERM)
    assert recorder.process.returncode == 0
    still_parts, records = parts_and_records(path.read_bytes())
    assert still_parts == parts
    assert set(recorder.accepted) <= set(uids(records))


def test_rotation_under_load_loses_no_record_and_the_end_flushes(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with Recorder(path, max_bytes=20_000) as recorder:
        wait_until(lambda: path.with_name("audit.jsonl.20").exists(), 30)
        recorder.end(signal.SIGTERM)
    records = read(*newest_last(path))
    for record in records[:50]:
        check(record)
    assert uids(records) == recorder.accepted
    assert sorted(uids(records, "outcome")) == sorted(recorder.accepted)
    assert all(each.stat().st_size <= 20_000 for each in newest_last(path))


def test_after_a_rename_and_sighup_the_new_file_continues_without_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    moved = [tmp_path / f"moved-{number}" for number in range(5)]
    with Recorder(path) as recorder:
        for target in moved:
            wait_until(path.exists)
            wait_until(lambda: path.stat().st_size > 20_000)
            path.rename(target)
            recorder.process.send_signal(signal.SIGHUP)
        wait_until(path.exists)
        recorder.end(signal.SIGTERM)
    assert uids(read(*moved, path)) == recorder.accepted


class SmallDisk:
    """A real file system of 64 KiB, which can be made larger."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if self._mount("size=64k").returncode:
            pytest.skip("only root may mount a file system")

    def grow(self) -> None:
        """Makes room."""
        self._mount("remount,size=256m").check_returncode()

    def _mount(self, options: str) -> subprocess.CompletedProcess[bytes]:
        command = ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._folder)]
        return subprocess.run(command, capture_output=True, check=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["/bin/umount", self._folder], check=True)


def test_a_full_disk_rejects_intents_and_after_it_has_room_writes_continue(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with SmallDisk(tmp_path) as disk, Recorder(path) as recorder:
        wait_until(lambda: len(recorder.rejected) > 20)
        full = len(recorder.accepted)
        disk.grow()
        wait_until(lambda: len(recorder.accepted) > full + 100)
        recorder.end(signal.SIGTERM)
        records = read(path)
    assert set(recorder.accepted) <= set(uids(records))
    contradicted = {
        record["metadata"]["correlation_uid"]
        for record in records
        if record.get("status_detail") == "AUDIT_UNAVAILABLE" and record["unmapped"]["outcome"] == "not_applied"
    }
    assert set(uids(records)) - set(recorder.accepted) == contradicted
    assert contradicted <= set(recorder.rejected)
    assert sorted(uids(records, "outcome")) == sorted([*recorder.accepted, *contradicted])


def test_standard_output_has_each_accepted_intent() -> None:
    with Recorder("stdout", tasks=1) as recorder:
        assert recorder.process.stdout
        lines = [recorder.process.stdout.readline() for _ in range(50)]
        recorder.end(signal.SIGKILL)
    assert uids([json.loads(line) for line in lines]) == recorder.accepted[:25]


def test_a_pipe_that_nobody_reads_blocks_no_call_and_all_continues_when_somebody_does() -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)

    async def main() -> bytes:
        audit = AuditLog(StandardOutput(writing), 0.1)
        accepted: list[str] = []

        async def fill() -> None:
            for number in range(100):
                await audit.intent(create(correlation_uid=str(number)))
                accepted.append(str(number))

        with pytest.raises(StatusError, match="nothing was sent"):
            await fill()
        began = time.monotonic()
        with pytest.raises(StatusError):
            await audit.intent(create())
        assert time.monotonic() - began < 2
        content = bytearray()
        reader = threading.Thread(target=lambda: _read_all(reading, content), daemon=True)
        reader.start()
        async with asyncio.timeout(5):
            while audit._writer.busy_seconds():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await audit.intent(create(correlation_uid="after"))
        await audit.close()
        os.close(writing)
        reader.join(5)
        records = [json.loads(line) for line in content.splitlines()]
        assert uids(records) == [*accepted, str(len(accepted)), "after"]
        assert uids(records, "outcome") == [str(len(accepted))]
        return bytes(content)

    try:
        assert asyncio.run(main())
    finally:
        os.close(reading)


def test_a_non_blocking_pipe_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    output = StandardOutput(writing)
    content = memoryview(bytes(200_000))
    received = bytearray()
    reader = threading.Thread(target=lambda: _read_all(reading, received), daemon=True)
    timer = threading.Timer(0.1, reader.start)
    timer.start()
    while content:
        content = content[output.write(content) :]
    os.close(writing)
    output.close()
    timer.join()
    reader.join(5)
    os.close(reading)
    assert len(received) == 200_000


def test_a_pipe_whose_reader_is_gone_rejects_intents() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    async def main() -> None:
        audit = AuditLog(StandardOutput(writing), 1.0)
        with pytest.raises(StatusError):
            await audit.intent(create())
        await audit.close()

    asyncio.run(main())
    os.close(writing)


def test_intents_go_on_during_a_flood_of_bad_tokens(tmp_path: Path, record_property: Any) -> None:
    path = tmp_path / "audit.jsonl"
    rate, seconds = 10_000, 2.0

    async def main() -> tuple[list[float], float]:
        audit = open_audit(
            SimpleNamespace(audit=str(path), audit_max_bytes=LARGE, audit_keep=1, audit_timeout=2.0, audit_reads=False)
        )
        spent = 0.0

        async def flood() -> None:
            nonlocal spent
            for _ in range(round(seconds * 100)):
                due = time.monotonic() + 0.01
                began = time.process_time()
                for port in range(rate // 100):
                    audit.rejected(stranger(f"ipv4:192.0.2.{port % 50}:{port}"), UNKNOWN)
                spent += time.process_time() - began
                await asyncio.sleep(max(0, due - time.monotonic()))

        flooding = asyncio.ensure_future(flood())
        latencies = []
        while not flooding.done():
            began = time.monotonic()
            await audit.intent(create())
            latencies.append(time.monotonic() - began)
            await asyncio.sleep(0.005)
        await flooding
        await audit.close()
        return latencies, spent

    latencies, spent = asyncio.run(main())
    records = read(path)
    rejections = [record for record in records if record["unmapped"]["phase"] == "rejection"]
    assert sum(record.get("count", 1) for record in rejections) == rate * seconds
    assert len(rejections) <= 50 * (seconds + 2)
    assert len(uids(records)) == len(latencies)
    percentiles = quantiles(latencies, n=100)
    figures = {
        "rejection_us": round(spent / rate / seconds * 1e6, 2),
        "intent_median_ms": round(percentiles[49] * 1000, 2),
        "intent_p99_ms": round(percentiles[98] * 1000, 2),
        "intents": len(latencies),
    }
    print(figures)
    record_property("figures", figures)
    assert max(latencies) < 1.0


def _read_all(descriptor: int, content: bytearray) -> None:
    while piece := os.read(descriptor, 65536):
        content += piece
