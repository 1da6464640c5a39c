"""SIGTERM and SIGINT during the start: the server ends with code 0, as PID 1 too."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from support.process import COMMAND, EMBEDDED, clean_environment
from support.tools import skip_or_fail

START = [
    "cloudfront_facade_server.backends.embedded.backend",
    "cloudfront_facade_server.cli",
    "pydantic",
    "grpc",
    "structlog",
    "cloudfront_facade_server.app",
]
"""Modules that the start imports, from its first statement on."""

UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


@pytest.fixture
def signalled_at(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH: a process sends itself the signal of $SIGNAL when it imports the module of $AT."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "class Signal:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == os.environ['AT']:\n"
        "            os.kill(os.getpid(), int(os.environ['SIGNAL']))\n"
        "sys.meta_path.insert(0, Signal())\n"
    )
    return tmp_path


def serve(folder: Path, at: str, number: signal.Signals, *prefix: str) -> subprocess.CompletedProcess[str]:
    """Starts a server that gets a signal when it imports a module."""
    environment = clean_environment(PYTHONPATH=str(folder), AT=at, SIGNAL=str(int(number)))
    command = [*prefix, *COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--log-format", "json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("at", START)
def test_a_signal_during_the_start_ends_it_with_code_0(signalled_at: Path, at: str, number: signal.Signals) -> None:
    ended = serve(signalled_at, at, number)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("at", START)
def test_sigterm_during_the_start_ends_pid_1_with_code_0(signalled_at: Path, at: str) -> None:
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        skip_or_fail("namespaces of processes are not allowed here")
    ended = serve(signalled_at, at, signal.SIGTERM, *UNSHARE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_signal_does_not_make_another_command_succeed(signalled_at: Path) -> None:
    environment = clean_environment(PYTHONPATH=str(signalled_at), AT="grpc", SIGNAL=str(int(signal.SIGTERM)))
    ended = subprocess.run([*COMMAND, "health"], env=environment, capture_output=True, timeout=30, check=False)
    assert ended.returncode == -signal.SIGTERM
