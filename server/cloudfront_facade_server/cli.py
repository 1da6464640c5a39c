"""The commands: settings in, one clear line and exit code 1 where they are wrong."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, CliSettingsSource, SettingsError

from .settings import HealthSettings, ListenSettings, SanitySettings, ServeSettings

_PROGRAM: Final = "cloudfront-facade"
_USAGE: Final = f"""usage: {_PROGRAM} COMMAND [--help]

commands:
  serve    serve CloudFront Functions and KeyValueStores over gRPC
  health   ask a server for its health; exit 0 when it is SERVING
  sanity   try every rpc of a server that may be played with; exit 0 when all is as it should be

{_PROGRAM} --version tells the version."""

_Settings = TypeVar("_Settings", bound=BaseSettings)


_NOT_SET: Final = "\0"
"""What would stand for "not set" as the value of a flag: no word does, for then the flag is left out."""


class _Source(CliSettingsSource[_Settings]):
    """The flags, with a help that shows no default where there is none."""

    def _help_format(self, *arguments: Any, **keywords: Any) -> str:
        return super()._help_format(*arguments, **keywords).replace(f" (default: {_NOT_SET})", "")


class StartError(Exception):
    """The command cannot do its work, for the reason that its one line gives."""


def run(arguments: Sequence[str]) -> int:
    """Runs a command.

    Returns:
        The exit code: 0, or 1 with one line on standard error.
    """
    command, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    try:
        match command:
            case "serve":
                return _serve(rest)
            case "health":
                return _health(rest)
            case "sanity":
                return _sanity(rest)
            case "--version":
                _print(f"{_PROGRAM} {version(_PROGRAM)}")
                return 0
            case "--help" | "-h" | "help":
                _print(_USAGE)
                return 0
    except StartError as error:
        return _complain(str(error))
    return _complain(f"no such command: {command[:64]!a}; allowed: serve, health, sanity, --version, --help")


def _serve(arguments: Sequence[str]) -> int:
    from .app import CannotServeError, serve

    try:
        return serve(_settings(ServeSettings, "serve", arguments))
    except CannotServeError as error:
        raise StartError(str(error)) from None


def _health(arguments: Sequence[str]) -> int:
    from .health import check

    settings = _settings(HealthSettings, "health", arguments)
    status = check(settings, "" if settings.target else _settings(ListenSettings, "health", ()).listen)
    _print(status)
    return 0 if status == "SERVING" else 1


def _sanity(arguments: Sequence[str]) -> int:
    from .sanity.suite import run as run_suite

    # Whoever ends it, it deletes what it made.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run_suite(_settings(SanitySettings, "sanity", arguments), _print)


def _settings(kind: type[_Settings], command: str, arguments: Sequence[str]) -> _Settings:
    source: CliSettingsSource[_Settings] = _Source(
        kind,
        cli_prog_name=f"{_PROGRAM} {command}",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
        cli_avoid_json=True,
        cli_parse_none_str=_NOT_SET,
        cli_hide_none_type=True,
    )
    try:
        return kind(_cli_settings_source=source(args=list(arguments)))
    except SettingsError as error:
        hint = f"; see {_PROGRAM} {command} --help"
        raise StartError(str(error).removeprefix("error parsing CLI: ") + hint) from None
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        raise StartError("; ".join(_one_line(each, arguments, prefix) for each in error.errors())) from None


def _one_line(error: ErrorDetails, arguments: Sequence[str], env_prefix: str) -> str:
    """Tells one violation of the settings: the flag or the variable, what was given, what is wrong with it."""
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = str(error["loc"][0])
    flag = "--" + name.replace("_", "-")
    if error["type"] == "missing":
        return f"{flag} must be said" + (": aws or embedded" if flag == "--backend" else "")
    if not any(argument.partition("=")[0] == flag for argument in arguments):
        flag = f"{env_prefix}{name.upper()}"
    return f"{flag} {str(error['input'])[:64]!a}: {message[0].lower()}{message[1:]}"


def _complain(text: str) -> int:
    print(f"{_PROGRAM}: {text}", file=sys.stderr)  # noqa: T201
    return 1


def _print(text: str) -> None:
    print(text)  # noqa: T201
