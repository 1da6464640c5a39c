"""The command `cloudfront-facade`, which finds its subcommands by entry points."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution
from typing import Any

import pytest

import cloudfront_facade
from cloudfront_facade import _cli

NOT_IMPORTED = ("grpc", "google", "pydantic", "boto3", "cloudfront_facade_server")


@pytest.fixture
def without_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the entry points of the server's distribution."""

    def missing(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", missing)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [])


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"cloudfront-facade {cloudfront_facade.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _cli.run(arguments) == 0
    usage = capsys.readouterr().out
    assert re.findall(r"^  (\w+) +\w", usage, re.MULTILINE) == ["serve", "health", "sanity"]
    assert "needs" not in usage


@pytest.mark.usefixtures("without_server")
def test_help_without_the_server_marks_the_servers_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert _cli.run(["--help"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert len(lines) == 3
    assert all(line.endswith(" (needs cloudfront-facade-server)") for line in lines)


def test_an_unknown_command_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert _cli.run(["start\n"]) == 1
    assert capsys.readouterr().err == (
        'cloudfront-facade: unknown command "start\\n"; allowed: serve, health, sanity, --version, --help\n'
    )


@pytest.mark.usefixtures("without_server")
@pytest.mark.parametrize("command", ["serve", "health", "sanity"])
def test_a_command_of_the_server_names_the_distribution_to_install(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _cli.run([command, "--backend", "embedded"]) == 1
    assert capsys.readouterr().err == (
        f'cloudfront-facade: the command "{command}" needs the server; in a checkout: pip install ./server\n'
    )


def test_the_known_commands_are_the_entry_points_of_the_server() -> None:
    group = distribution("cloudfront-facade-server").entry_points.select(group="cloudfront_facade.commands")
    assert {entry_point.name for entry_point in group} == set(_cli._SERVER_COMMANDS)
    assert all(callable(entry_point.load()) for entry_point in group)


def test_a_command_receives_its_arguments_and_sets_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def command(arguments: list[str]) -> int:
        seen.extend(arguments)
        return 7

    monkeypatch.setattr(EntryPoint, "load", lambda _: command)
    assert _cli.run(["health", "--target", "127.0.0.1:1"]) == 7
    assert seen == ["--target", "127.0.0.1:1"]


def test_a_missing_package_of_the_server_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(_: EntryPoint) -> Any:
        raise ModuleNotFoundError("No module named 'pydantic.fields'", name="pydantic.fields")

    monkeypatch.setattr(EntryPoint, "load", load)
    assert _cli.run(["serve"]) == 1
    assert capsys.readouterr().err == (
        'cloudfront-facade: the command "serve" needs the package pydantic; in a checkout: pip install ./server\n'
    )


@pytest.mark.parametrize("name", [None, "cloudfront_facade_server.gone"])
def test_a_missing_module_of_the_server_itself_is_not_caught(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: EntryPoint) -> Any:
        raise ModuleNotFoundError("No module", name=name)

    monkeypatch.setattr(EntryPoint, "load", load)
    with pytest.raises(ModuleNotFoundError):
        _cli.run(["serve"])


@pytest.mark.parametrize("argument", ["--version", "--help", "start"])
def test_the_command_imports_neither_grpc_nor_the_server(argument: str) -> None:
    script = f"from cloudfront_facade import _cli; _cli.run([{argument!r}]); import sys; print(*sys.modules)"
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    imported = {name.partition(".")[0] for name in completed.stdout.splitlines()[-1].split()}
    # A namespace package of google may be imported by a .pth file.
    assert imported & (set(NOT_IMPORTED) - {"google"}) == set()


@pytest.mark.parametrize(
    "command", [["-m", "cloudfront_facade_server"], ["-m", "cloudfront_facade._cli"]], ids=["server", "client"]
)
def test_the_modules_can_be_run_as_the_command(command: list[str]) -> None:
    completed = subprocess.run(
        [sys.executable, *command, "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert completed.stdout == f"cloudfront-facade {cloudfront_facade.__version__}\n"
