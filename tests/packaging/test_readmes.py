"""The commands and examples in the long descriptions of the distributions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloudfront_facade import _cli
from support.process import run_command

ADDRESS = "127.0.0.1:50051"


def code(project: Path, readme: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (project / readme).read_text(), re.MULTILINE | re.DOTALL)


def test_the_clients_example_creates_a_function(project: Path, facade_address: str) -> None:
    [example] = code(project, "clients/python/README.md", "python")
    assert ADDRESS in example
    completed = subprocess.run(
        [sys.executable, "-c", example.replace(ADDRESS, facade_address)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert re.fullmatch(r"arn:aws:cloudfront::\d{12}:function/pass-through\n", completed.stdout), (
        completed.stdout + completed.stderr
    )


@pytest.mark.parametrize("readme", ["clients/python/README.md", "server/README.md"])
def test_every_command_and_flag_in_a_readme_exists(readme: str, project: Path) -> None:
    text = (project / readme).read_text()
    used = re.findall(r"cloudfront-facade (?!COMMAND)([a-z]+)((?: --[\w-]+(?: [\w.:]+)?)*)", text)
    assert used
    commands = {command for command, _ in used}
    assert commands <= set(_cli._commands())
    usages = {command: run_command(command, "--help").stdout for command in commands}
    for command, flags in used:
        assert set(re.findall(r"--[\w-]+", flags)) <= set(re.findall(r"--[\w-]+", usages[command])), (command, flags)


def test_the_servers_readme_names_every_command(project: Path) -> None:
    text = (project / "server/README.md").read_text()
    assert set(re.findall(r"`cloudfront-facade ([a-z]+)", text)) == set(_cli._SERVER_COMMANDS)
