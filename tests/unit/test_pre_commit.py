"""The hooks of pre-commit make the same checks as `make lint`, also if git passes them every file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from support.process import unmeasured_environment
from support.tools import require_tool

PROJECT: Final = Path(__file__).parents[2]
HOOKS: Final[dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
}
OF_CHANGED_FILES: Final = [name for name, hook in HOOKS.items() if "pre-commit" in hook["stages"]]

FAULTS: Final = {
    "ruff": ("planted.py", "import os\n"),
    "ruff-format": ("planted.py", "x = 'single'\n"),
    "codespell": ("planted.md", "T" + "eh page.\n"),
    "wording": ("planted", "The caller is t" + "old.\n"),
}
"""A file with a fault for each hook."""


def is_python(path: Path) -> bool:
    return path.suffix in (".py", ".pyi") or path.read_bytes().startswith(b"#!/usr/bin/env python")


def is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()


def tracked_files(hook: dict[str, Any]) -> list[str]:
    """Returns the files that pre-commit would pass to a hook if all of them had changed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    wanted = is_python if "python" in hook.get("types_or", ()) else is_text
    return [name for name in listed.split("\0") if name and (PROJECT / name).is_file() and wanted(PROJECT / name)]


def run(hook: dict[str, Any], files: list[str]) -> subprocess.CompletedProcess[str]:
    program, *arguments = hook["entry"].split()
    command = [require_tool(program.removeprefix(".venv/bin/")), *arguments, *files]
    return subprocess.run(
        command, cwd=PROJECT, env=unmeasured_environment(), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", OF_CHANGED_FILES)
def test_a_hook_passes_every_tracked_file(name: str) -> None:
    hook = HOOKS[name]
    assert "exclude" not in hook, "the tool's own configuration says what it skips, for make lint too"

    completed = run(hook, tracked_files(hook))

    assert completed.returncode == 0, completed.stdout


@pytest.mark.parametrize("name", OF_CHANGED_FILES)
def test_a_hook_finds_a_planted_fault(tmp_path: Path, name: str) -> None:
    file, text = FAULTS[name]
    (tmp_path / file).write_text(text)

    assert run(HOOKS[name], [str(tmp_path / file)]).returncode != 0


@pytest.mark.parametrize("name", OF_CHANGED_FILES)
def test_make_lint_runs_the_command_of_a_hook(name: str) -> None:
    entry = HOOKS[name]["entry"].replace(".venv/bin/", "$(BIN)/").removesuffix(" --force-exclude")

    lint = (PROJECT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    assert f"\t{entry}" in lint
    assert HOOKS["lint"]["entry"] == "make lint"
