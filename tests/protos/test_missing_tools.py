"""Checks whose tools are missing are skipped with a line; in CI they fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from protos.checkout import Checkout

NO_NPM = [
    "skipped: npm is needed for buf lint and buf breaking",
    "skipped: npm is needed to check the generated code of the Node.js client",
]
NO_PYTHON = "skipped: a Python below 3.14 is needed to check the generated Python code and the descriptor set"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "checkout"
    folder.mkdir()
    return Checkout(folder)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Returns a PATH without npm, whose python3 is too new for the generator."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "make", "git"):
        tool = shutil.which(name)
        assert tool is not None
        (folder / name).symlink_to(tool)
    python = folder / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    return str(folder)


def test_checks_without_their_tools_are_skipped_with_a_line(checkout: Checkout, path: str) -> None:
    completed = checkout.make("buf", "proto-check", variables={"PATH": path})
    assert (completed.returncode, completed.stdout.splitlines()) == (0, [*NO_NPM, NO_PYTHON])


@pytest.mark.parametrize(
    ("target", "line"),
    [("buf", NO_NPM[0]), ("node-proto-check", NO_NPM[1]), ("python-proto-check", NO_PYTHON)],
    ids=["buf", "node", "python"],
)
def test_in_ci_a_check_without_its_tools_fails(checkout: Checkout, path: str, target: str, line: str) -> None:
    completed = checkout.make(target, variables={"PATH": path, "CI": "true"})
    assert completed.returncode != 0
    assert line in completed.stdout.splitlines()
