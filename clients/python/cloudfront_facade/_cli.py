"""The command `cloudfront-facade`.

Its subcommands are entry points of the group `cloudfront_facade.commands`: functions that take the arguments and return
the exit code. A subcommand is imported only when it runs.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_PROGRAM = "cloudfront-facade"
_SERVER = "cloudfront-facade-server"
_GROUP = "cloudfront_facade.commands"

_HINT = "in a checkout: pip install ./server"
"""How to install the server. Package indexes do not have it."""

_SERVER_COMMANDS = {
    "serve": "serve CloudFront Functions and KeyValueStores over gRPC",
    "health": "check a server's health; exits 0 if it is SERVING",
    "sanity": "run the sanity suite against a disposable server; exits 0 if no case fails",
}
"""The subcommands of the server's distribution, so that an error can name what to install if it is missing."""


def main() -> int:
    """Runs the command and returns its exit code."""
    if sys.argv[1:2] == ["serve"]:
        # Before the imports, which take a second. The server replaces both handlers when it can stop in order.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop_the_start)
    # A command reports an error in one line, so gRPC's own log lines are disabled.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    return run(sys.argv[1:])


def _stop_the_start(_number: int, _frame: object) -> None:
    os._exit(0)


def run(arguments: list[str]) -> int:
    """Runs a subcommand.

    Returns:
        The exit code: 1, with one line on standard error, if the subcommand cannot run.
    """
    name, *rest = arguments or ["--help"]
    if name == "--version":
        from importlib.metadata import version

        return _print(f"{_PROGRAM} {version(_PROGRAM)}")
    if name in ("--help", "-h", "help"):
        return _print(_usage())
    if entry_point := _find(name):
        try:
            command = entry_point.load()
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if not package or package.startswith("cloudfront_facade"):
                raise
            return _fail(f'the command "{name}" needs the package {package}; {_HINT}')
        code: int = command(rest)
        return code
    if name in _SERVER_COMMANDS:
        return _fail(f'the command "{name}" needs the server; {_HINT}')
    allowed = ", ".join([*_commands(), "--version", "--help"])
    return _fail(f"unknown command {_quoted(name)}; allowed: {allowed}")


def _find(name: str) -> EntryPoint | None:
    from importlib.metadata import PackageNotFoundError, distribution, entry_points

    try:
        # Reading one distribution is faster than searching all.
        matches = [
            entry_point
            for entry_point in distribution(_SERVER).entry_points
            if (entry_point.group, entry_point.name) == (_GROUP, name)
        ]
    except PackageNotFoundError:
        matches = []
    return next(iter(matches or entry_points(group=_GROUP, name=name)), None)


def _commands() -> dict[str, str]:
    """Returns all subcommands with a summary: the installed ones, and those that the server's distribution adds."""
    from importlib.metadata import entry_points

    installed = {entry_point.name: "" for entry_point in entry_points(group=_GROUP)}
    hint = {name: f" (needs {_SERVER})" for name in _SERVER_COMMANDS if name not in installed}
    return {
        name: _SERVER_COMMANDS.get(name, "") + hint.get(name, "") for name in [*_SERVER_COMMANDS, *sorted(installed)]
    }


def _usage() -> str:
    commands = "\n".join(f"  {name:8} {summary}".rstrip() for name, summary in _commands().items())
    return f"usage: {_PROGRAM} COMMAND [--help]\n\ncommands:\n{commands}\n\n{_PROGRAM} --version prints the version."


def _quoted(text: str) -> str:
    return '"' + ascii(text[:64])[1:-1] + '"'


def _print(text: str) -> int:
    print(text)  # noqa: T201
    return 0


def _fail(text: str) -> int:
    print(f"{_PROGRAM}: {text}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
