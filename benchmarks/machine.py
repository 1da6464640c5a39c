"""The machine: what it must have, and what it is."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from .process import python
from .upstream import ECHO_MODULE


class MissingToolError(Exception):
    """A program that is measured with is not installed; the text says how to install it."""


def require_tools() -> None:
    """Raises MissingToolError where nginx, its echo module or h2load is not installed, or there is but one core."""
    if not (shutil.which("nginx") and ECHO_MODULE.exists() and shutil.which("h2load")):
        raise MissingToolError(
            "nginx with its echo module stands in for CloudFront, and h2load for the callers; on Debian: "
            "apt-get install nginx-light libnginx-mod-http-echo nghttp2-client"
        )
    if not {0, 1} <= os.sched_getaffinity(0):
        raise MissingToolError("two cores are needed: one for what is measured, one for callers and nginx")


def describe() -> dict[str, str]:
    """Gives what the figures depend on, in words."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{_system()}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "servers": ", ".join(f"{name} {version(name)}" for name in ("grpcio", "protobuf", "boto3", "uvloop")),
        "REST": ", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn")),
        "asyncio": f"aiobotocore {_version('aiobotocore')} on botocore {_version('botocore')}",
        "upstream and callers": f"nginx {_tool('nginx', '-v')}, h2load {_tool('h2load', '--version')}",
    }


def busy_seconds() -> float:
    """Gives the time that all cores have worked since the machine's start, for whomever; what was stolen counts too."""
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    return _first(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text())


def _system() -> str:
    return _first(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text())


def _tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return _first(r"/([\d.]+)", done.stdout + done.stderr)


def _version(distribution: str) -> str:
    """Asks the environment of the asyncio side, which is not this one."""
    program = f"from importlib.metadata import version; print(version({distribution!r}))"
    command = [python(".venv-bench-aio"), "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1].strip() if match else "unknown"
