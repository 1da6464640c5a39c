"""Hostile code in the place of the engine: Linux denies it everything except to read, write, allocate and exit."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from errno import EACCES, EPERM
from pathlib import Path
from typing import Any

import pytest

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.function_runtime import process, runner
from support.process import EMBEDDED, FacadeProcess
from support.tools import require_tool

pytestmark = [
    pytest.mark.usefixtures("unharmed"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines the process"),
]

# For each machine, the numbers of the system calls that the attacks use.
NUMBERS = {
    "x86_64": {
        "openat": 257, "socket": 41, "connect": 42, "ptrace": 101, "process_vm_readv": 310, "fork": 57, "vfork": 58,
        "clone": 56, "clone3": 435, "execve": 59, "kill": 62, "tgkill": 234, "prlimit64": 302, "prctl": 157,
        "io_uring_setup": 425, "memfd_create": 319, "newfstatat": 262, "unlinkat": 263, "getdents64": 217, "bpf": 321,
        "dup": 32, "mmap": 9, "mprotect": 10, "rt_sigaction": 13, "pidfd_open": 434, "setsid": 112, "mount": 165,
    },
    "aarch64": {
        "openat": 56, "socket": 198, "connect": 203, "ptrace": 117, "process_vm_readv": 270, "clone": 220,
        "clone3": 435, "execve": 221, "kill": 129, "tgkill": 131, "prlimit64": 261, "prctl": 167,
        "io_uring_setup": 425, "memfd_create": 279, "newfstatat": 79, "unlinkat": 35, "getdents64": 61, "bpf": 280,
        "dup": 23, "mmap": 222, "mprotect": 226, "rt_sigaction": 134, "pidfd_open": 434, "setsid": 157, "mount": 40,
    },
}  # fmt: skip

# Replaces the function that runs the code, and lets the worker start as always. Prints the errno of each attack.
HOSTILE = """
import ctypes, json, os, signal, sys
sys.path.append(sys.argv[1])
from sandbox import worker

def attack(request, _context):
    attacks = json.loads(request)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    results = {}
    for name, (number, *arguments) in attacks.items():
        values = [a.encode() if isinstance(a, str) else ctypes.c_long(a) for a in arguments]
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *values)
        results[name] = ctypes.get_errno() if result == -1 else 0
    return json.dumps(results).encode() + b"\\n"

worker.handle = attack
os._exit(worker.main())
"""

# The same without the filter, to see what Landlock does alone. Landlock needs no_new_privs.
LANDLOCK_ALONE = """
import ctypes, json, os, socket, sys
sys.path.append(sys.argv[1])
from sandbox import confinement

libc = confinement._libc()
libc.prctl(38, 1, 0, 0, 0)
if not confinement.restrict_access(libc):
    print("null")
    raise SystemExit
results = {}
def attempt(name, call):
    try:
        call()
        results[name] = 0
    except OSError as error:
        results[name] = error.errno
attempt("read", lambda: os.open("/etc/passwd", os.O_RDONLY))
attempt("list", lambda: os.listdir("/"))
attempt("create", lambda: os.open(sys.argv[2] + "/new", os.O_WRONLY | os.O_CREAT))
attempt("truncate", lambda: os.truncate(sys.argv[2] + "/kept", 0))
attempt("execute", lambda: os.execv(sys.executable, [sys.executable, "-c", ""]))
attempt("connect", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[3]))))
attempt("bind", lambda: socket.socket().bind(("127.0.0.1", 0)))
attempt("signal", lambda: os.kill(os.getppid(), 0))
print(json.dumps(results))
"""


@pytest.fixture
def listener() -> Iterator[int]:
    """The port of a TCP listener."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def attacks(folder: Path) -> dict[str, list[Any]]:
    """Returns system calls with arguments, by the name of the attack."""
    number = NUMBERS.get(os.uname().machine)
    if number is None:
        pytest.skip("the filter does not know this machine")
    me = os.getpid()
    here, cloned = -100, signal.SIGCHLD
    anonymous, executable = 0x22, 7
    calls: dict[str, list[Any]] = {
        "open a file": ["openat", here, "/etc/passwd", os.O_RDONLY],
        "create a file": ["openat", here, str(folder / "new"), os.O_WRONLY | os.O_CREAT, 0o600],
        "delete a file": ["unlinkat", here, str(folder / "kept"), 0],
        "look for a file": ["newfstatat", here, "/etc/passwd", 0, 0],
        "list files": ["getdents64", 0, 0, 0],
        "create a file in memory": ["memfd_create", "x", 0],
        "mount": ["mount", "none", str(folder), "tmpfs", 0, 0],
        "open a TCP socket": ["socket", socket.AF_INET, socket.SOCK_STREAM, 0],
        "open a UDP socket": ["socket", socket.AF_INET, socket.SOCK_DGRAM, 0],
        "open a Unix socket": ["socket", socket.AF_UNIX, socket.SOCK_STREAM, 0],
        "connect": ["connect", 0, 0, 0],
        "open a ring of requests": ["io_uring_setup", 1, 0],
        "load a program into the kernel": ["bpf", 0, 0, 0],
        "attach to the server": ["ptrace", 16, me, 0, 0],
        "read the server's memory": ["process_vm_readv", me, 0, 0, 0, 0, 0],
        "open the server's process": ["pidfd_open", me, 0],
        "signal the server": ["kill", me, 0],
        "signal a thread of the server": ["tgkill", me, me, 0],
        "signal everything": ["kill", -1, 0],
        "ignore a signal": ["rt_sigaction", signal.SIGXCPU, 0, 0, 8],
        "leave the session": ["setsid"],
        "fork": ["fork"],
        "vfork": ["vfork"],
        "clone": ["clone", cloned, 0, 0, 0, 0],
        "clone3": ["clone3", 0, 0],
        "execute": ["execve", sys.executable, 0, 0],
        "raise a limit": ["prlimit64", 0, 7, 0, 0],
        "change the server's limits": ["prlimit64", me, 7, 0, 0],
        "become dumpable": ["prctl", 4, 1, 0, 0, 0],
        "copy a file descriptor": ["dup", 0],
        "map executable memory": ["mmap", 0, 4096, executable, anonymous, -1, 0],
        "make memory executable": ["mprotect", 0, 4096, executable],
    }
    found = {name: [number[call], *arguments] for name, (call, *arguments) in calls.items() if call in number}
    # The second set of x86_64's system calls: open.
    return found | {"open a file by another number": [0x4000_0002, "/etc/passwd", os.O_RDONLY]}


def missing_layers() -> list[str]:
    return runner.Runner().missing_protection()


def test_hostile_code_in_the_workers_place_is_denied_everything(tmp_path: Path) -> None:
    if missing := missing_layers():
        pytest.skip(f"the kernel lacks {', '.join(missing)}")
    (tmp_path / "kept").touch()
    wanted = attacks(tmp_path)
    command = runner._command()
    command[command.index("-c") + 1] = HOSTILE
    ended = process.run(command, json.dumps(wanted).encode(), seconds=10, max_output_bytes=100_000)
    ready, _, rest = ended.output.partition(b"\n")
    assert json.loads(ready) == {"ready": True, "missing": []}
    results = json.loads(rest)
    assert results == dict.fromkeys(wanted, EPERM)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert ended.exit_code == 0


def test_landlock_alone_denies_files_and_tcp(tmp_path: Path, listener: int) -> None:
    (tmp_path / "kept").write_text("kept")
    command = runner._command()
    command[command.index("-c") + 1] = LANDLOCK_ALONE
    command[-1] = str(tmp_path)
    ended = process.run([*command, str(listener)], b"", seconds=10, max_output_bytes=10_000)
    results = json.loads(ended.output)
    if results is None:
        pytest.skip("the kernel lacks Landlock")
    version = landlock_version()
    expected = dict.fromkeys(("read", "list", "create", "execute"), EACCES)
    expected["truncate"] = EACCES if version >= 3 else 0
    expected |= dict.fromkeys(("connect", "bind"), EACCES if version >= 4 else 0)
    expected["signal"] = EPERM if version >= 6 else 0
    assert results == expected
    assert version < 3 or (tmp_path / "kept").read_text() == "kept"


def landlock_version() -> int:
    import ctypes

    version: int = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    return version


def test_a_missing_layer_is_one_warning_at_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    report = '{"ready": true, "missing": ["Landlock", "seccomp"]}'
    monkeypatch.setattr(runner, "_command", lambda: [sys.executable, "-c", f"print('{report}')"])
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend, caplog.at_level(logging.WARNING):
        backend.warm_up()
    (record,) = caplog.records
    assert record.getMessage() == ("functions run with less protection, because the kernel lacks: Landlock, seccomp")


def test_a_runtime_that_cannot_start_is_one_warning_at_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runner, "ENGINE", "no_such_engine")
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend, caplog.at_level(logging.WARNING):
        backend.warm_up()
    (record,) = caplog.records
    assert record.getMessage() == (
        "functions cannot be tested: The JavaScript engine is not installed; install quickjs-ng."
    )


def test_a_complete_protection_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    if missing := missing_layers():
        pytest.skip(f"the kernel lacks {', '.join(missing)}")
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None)) as backend, caplog.at_level(logging.WARNING):
        backend.warm_up()
    assert caplog.records == []


# Tries to read the memory of a process of the same user.
READ_MEMORY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
try:
    open(f"/proc/{sys.argv[1]}/mem", "rb").close()
    print("mem is readable")
except PermissionError:
    pass
if libc.ptrace(16, int(sys.argv[1]), 0, 0) == 0:
    print("attached")
"""


def test_no_process_of_the_same_user_can_attach_to_the_server() -> None:
    # Root may always attach because of a capability, so both processes run without it.
    prefix = [require_tool("setpriv"), "--bounding-set", "-sys_ptrace"] if os.getuid() == 0 else []
    with FacadeProcess(*EMBEDDED, prefix=prefix) as server:
        command = [*prefix, sys.executable, "-c", READ_MEMORY, str(server.process.pid)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == ""


def test_threads_may_start_processes_at_the_same_time() -> None:
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(missing_layers())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(missing == found[0] for missing in found)
