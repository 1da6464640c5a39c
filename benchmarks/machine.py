"""What the machine must provide, and a description of it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from .process import interpreter
from .upstream import ECHO_MODULE


class MissingToolError(Exception):
    """The machine lacks a tool or a core that the benchmark needs. The message says how to get it."""


def require_tools() -> None:
    """Checks that nginx with its echo module, h2load and two cores are available.

    Raises:
        MissingToolError: One of them is missing.
    """
    if not (shutil.which("nginx") and ECHO_MODULE.exists() and shutil.which("h2load")):
        raise MissingToolError(
            "nginx with its echo module and h2load are required; on Debian: "
            "apt-get install nginx-light libnginx-mod-http-echo nghttp2-client"
        )
    if not {0, 1} <= os.sched_getaffinity(0):
        raise MissingToolError("two cores are required: one for the server, one for the clients and nginx")


def describe() -> dict[str, str]:
    """Returns the hardware and software that the results depend on."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{_system()}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "servers": ", ".join(f"{name} {version(name)}" for name in ("grpcio", "protobuf", "boto3", "uvloop")),
        "REST": ", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn")),
        "asyncio": f"aiobotocore {_version('aiobotocore')} on botocore {_version('botocore')}",
        "upstream and load generator": f"nginx {_tool('nginx', '-v')}, h2load {_tool('h2load', '--version')}",
    }


def busy_cpu_seconds() -> float:
    """Returns the CPU time of all cores since boot, for all processes. Includes the time that the hypervisor stole."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    return _first(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text())


def _system() -> str:
    return _first(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text())


def _tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return _first(r"/([\d.]+)", done.stdout + done.stderr)


def _version(distribution: str) -> str:
    """Returns the version that is installed in the environment of the aiobotocore server."""
    program = f"from importlib.metadata import version; print(version({distribution!r}))"
    command = [interpreter(".venv-bench-aio"), "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1].strip() if match else "unknown"
