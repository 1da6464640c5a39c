"""What test fixtures need: the port in a file, and a server that ends with the process that started it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cloudfront_facade_server import fixture
from support.process import COMMAND, EMBEDDED, FacadeProcess, clean_environment, run_command
from support.waiting import wait_until


def test_the_port_file_has_the_port_and_a_newline_while_the_server_listens(tmp_path: Path) -> None:
    path = tmp_path / "port"
    path.write_text("of an earlier run, which was killed\n")
    with FacadeProcess(*EMBEDDED, "--port-file", str(path)) as process:
        port = process.wait_until_serving().address.rpartition(":")[2]
        assert path.read_bytes() == f"{port}\n".encode()
    assert list(tmp_path.iterdir()) == [], "it is removed when the server stops"


@pytest.mark.parametrize("arguments", [("--backend", "embedded", "--embedded-db", "/proc/db"), ("--backend", "aws")])
def test_a_server_that_cannot_serve_removes_the_port_file(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    path = tmp_path / "port"
    path.write_text("of an earlier run, which was killed\n")
    ended = run_command(
        "serve",
        *arguments,
        *("--listen", "127.0.0.1:0", "--port-file", str(path)),
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        AWS_EC2_METADATA_DISABLED="true",
    )
    assert (ended.returncode, list(tmp_path.iterdir())) == (1, []), ended.stderr


def test_the_port_file_is_never_written_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "port"
    seen = []
    write = Path.write_text

    def watch(target: Path, text: str) -> int:
        written = write(target, text)
        seen.append((target == path, path.exists()))
        return written

    monkeypatch.setattr(Path, "write_text", watch)
    fixture.write_port(path, "[::1]:50051")

    assert seen == [(False, False)], "the file appears when it is complete"
    assert path.read_bytes() == b"50051\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_port_file_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "port"
    ended = run_command("serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--port-file", str(path))
    assert (ended.returncode, ended.stderr) == (
        1,
        f"cloudfront-facade: cannot write the port to {path}: no such file or directory; "
        "set --port-file to another file\n",
    )


def test_a_server_with_exit_with_parent_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [*COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--log-format", "json", "--exit-with-parent"]
    parent_program = (
        "import subprocess, sys, time\n"
        f"server = subprocess.Popen({command!r}, stderr=open({str(log)!r}, 'w'))\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_program], env=clean_environment(), stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    with parent.stdout as output:
        server = int(output.readline())
    try:
        wait_until(lambda: '"serving"' in log.read_text(), timeout=20)
        parent.send_signal(signal.SIGKILL)
        parent.wait(5)
        wait_until(lambda: _has_ended(server), timeout=5)
    finally:
        _kill(server)
    _check_stopped_because_of_the_parent(log)


@pytest.mark.parametrize("seconds", [0, 0.4], ids=["at once", "during the imports"])
def test_a_server_with_exit_with_parent_ends_when_the_shell_that_started_it_has_ended(
    tmp_path: Path, seconds: float
) -> None:
    log, pid = tmp_path / "log", tmp_path / "pid"
    command = [*COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--log-format", "json", "--exit-with-parent"]
    # In its own session, because the process that adopts the server may be in the session of the tests.
    subprocess.run(
        ["sh", "-c", f"{shlex.join(command)} 2>{log} & echo $! >{pid}; sleep {seconds}"],
        env=clean_environment(),
        start_new_session=True,
        check=True,
    )
    server = int(pid.read_text())
    try:
        wait_until(lambda: _has_ended(server), timeout=20)
    finally:
        _kill(server)
    _check_stopped_because_of_the_parent(log)


def _check_stopped_because_of_the_parent(log: Path) -> None:
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert "the parent process ended; the server stops" in events
    assert events[-1] == "stopped"


def _has_ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}/exe").exists() or _is_zombie(pid)


def _kill(pid: int) -> None:
    if Path(f"/proc/{pid}").exists() and not _is_zombie(pid):
        os.kill(pid, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    return " Z " in Path(f"/proc/{pid}/stat").read_text()
