"""The server's subcommands. With invalid settings, a command prints one line and exits with code 1."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsError

from .flags import flags_source
from .settings import HealthSettings, ListenSettings, SanitySettings, ServeSettings

_PROGRAM: Final = "cloudfront-facade"

_Settings = TypeVar("_Settings", bound=BaseSettings)


class StartError(Exception):
    """The command cannot run. The message is the one line that the command prints."""


def _command(run: Callable[[Sequence[str]], int]) -> Callable[[Sequence[str]], int]:
    """Decorates a subcommand: a StartError becomes one line on standard error and exit code 1."""

    @wraps(run)
    def command(arguments: Sequence[str]) -> int:
        try:
            return run(arguments)
        except StartError as error:
            print(f"{_PROGRAM}: {error}", file=sys.stderr)  # noqa: T201
            return 1

    return command


@_command
def serve(arguments: Sequence[str]) -> int:
    """Runs `serve` and returns its exit code."""
    from .app import CannotServeError
    from .app import serve as run_server

    try:
        return run_server(_settings(ServeSettings, "serve", arguments))
    except CannotServeError as error:
        raise StartError(str(error)) from None


@_command
def health(arguments: Sequence[str]) -> int:
    """Runs `health` and returns its exit code."""
    from .health import check

    settings = _settings(HealthSettings, "health", arguments)
    status = check(settings, "" if settings.target else _settings(ListenSettings, "health", ()).listen)
    _print(status)
    return 0 if status == "SERVING" else 1


@_command
def sanity(arguments: Sequence[str]) -> int:
    """Runs `sanity` and returns its exit code."""
    from .sanity.suite import run as run_suite

    # SIGTERM also raises KeyboardInterrupt, so that the suite deletes what it created.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run_suite(_settings(SanitySettings, "sanity", arguments), _print)


def _settings(kind: type[_Settings], command: str, arguments: Sequence[str]) -> _Settings:
    source = flags_source(kind, f"{_PROGRAM} {command}")
    try:
        return kind(_cli_settings_source=source(args=list(arguments)))
    except SettingsError as error:
        hint = f"; see {_PROGRAM} {command} --help"
        raise StartError(str(error).removeprefix("error parsing CLI: ") + hint) from None
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        raise StartError("; ".join(_one_line(detail, arguments, prefix) for detail in error.errors())) from None


def _one_line(error: ErrorDetails, arguments: Sequence[str], env_prefix: str) -> str:
    """Describes an invalid setting: its flag or variable, its value, and what is wrong."""
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = str(error["loc"][0])
    flag = "--" + name.replace("_", "-")
    if error["type"] == "missing":
        return f"{flag} is required" + (": aws or embedded" if flag == "--backend" else "")
    if not any(argument.partition("=")[0] == flag for argument in arguments):
        flag = f"{env_prefix}{name.upper()}"
    value = ascii(str(error["input"])[:64])[1:-1]
    if error["type"] == "literal_error":  # pydantic uses single quotes
        message = message.replace("'", '"')
    return f'{flag} "{value}": {message[0].lower()}{message[1:]}'


def _print(text: str) -> None:
    print(text)  # noqa: T201
