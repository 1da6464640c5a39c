"""Programs and modules that only some tests need.

A test is skipped if one is missing. If CI is set in the environment, it fails instead, so that CI never skips a test
unnoticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

SCRIPTS = str(Path(sys.executable).parent)
"""The folder with the programs of the test environment."""


def require_tool(name: str) -> str:
    """Returns the path of a program of the test environment or of PATH; skips the test if it is missing."""
    path = shutil.which(name, path=os.pathsep.join((SCRIPTS, os.environ.get("PATH", os.defpath))))
    return path or skip_or_fail(f"{name} is not installed")


def require_module(name: str) -> ModuleType:
    """Returns an optional module; skips the test if it is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        skip_or_fail(f"the Python module {name} is not installed")


def skip_or_fail(reason: str) -> NoReturn:
    """Skips the test, or fails it if CI is set in the environment."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, but CI must run this test", pytrace=False)
    pytest.skip(reason)


def grpcurl(address: str, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Runs grpcurl on a plaintext address; the last argument is the method or the command."""
    return subprocess.run(
        [require_tool("grpcurl"), "-plaintext", *arguments[:-1], address, arguments[-1]],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
