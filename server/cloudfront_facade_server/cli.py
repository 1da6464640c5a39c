"""The server's commands. If a command cannot run, it prints why in one line and exits with code 1."""

from __future__ import annotations

import platform
import signal
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final

from .printable import printable
from .settings.client import HealthSettings, SanitySettings
from .settings.fields import has_port_0
from .settings.listen import ListenSettings
from .settings.reading import InvalidSettingsError, read_settings
from .settings.serve import ServeSettings
from .settings.variables import unknown_variables
from .standard_streams import open_closed_streams

_PROGRAM: Final = "cloudfront-facade"

_INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells define it: 128 and the number of SIGINT."""


class _CannotRunError(Exception):
    """The command cannot run. The message is the line that the command prints."""


def _command(run: Callable[[Sequence[str]], int]) -> Callable[[Sequence[str]], int]:
    """Decorates a command: an error becomes one line on standard error and exit code 1."""

    @wraps(run)
    def command(arguments: Sequence[str]) -> int:
        open_closed_streams()
        try:
            return run(arguments)
        except KeyboardInterrupt:
            return _INTERRUPTED
        except InvalidSettingsError as error:
            # The variable of a missing setting may be misspelt.
            _warn_of_unknown_variables()
            _print_to_stderr(str(error))
        except _CannotRunError as error:
            _print_to_stderr(str(error))
        return 1

    return command


@_command
def serve(arguments: Sequence[str]) -> int:
    """Runs `serve` and returns its exit code."""
    if platform.system() == "Windows":
        raise _CannotRunError("the server does not run on Windows; run it in WSL or in a container")
    from .app import CannotServeError
    from .app import serve as run_server

    settings = read_settings(ServeSettings, f"{_PROGRAM} serve", arguments)
    try:
        return run_server(settings)
    except CannotServeError as error:
        raise _CannotRunError(str(error)) from None


@_command
def health(arguments: Sequence[str]) -> int:
    """Runs `health` and returns its exit code."""
    from .health import SERVING, CannotConnectError, check

    program = f"{_PROGRAM} health"
    settings = read_settings(HealthSettings, program, arguments)
    listen = "" if settings.target else read_settings(ListenSettings, program, ()).listen
    if listen and has_port_0(listen):
        raise _CannotRunError(f'CLOUDFRONT_FACADE_LISTEN "{listen}" is any free port; set --target to the one in use')
    _warn_of_unknown_variables()
    try:
        status = check(settings, listen)
    except CannotConnectError as error:
        raise _CannotRunError(str(error)) from None
    _print(status)
    return 0 if status == SERVING else 1


@_command
def sanity(arguments: Sequence[str]) -> int:
    """Runs `sanity` and returns its exit code."""
    from .health import CannotConnectError
    from .sanity.suite import run as run_suite

    # SIGTERM also raises KeyboardInterrupt, so that the suite deletes what it created.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = read_settings(SanitySettings, f"{_PROGRAM} sanity", arguments)
    _warn_of_unknown_variables()
    try:
        return run_suite(settings, _print)
    except CannotConnectError as error:
        raise _CannotRunError(str(error)) from None


def _warn_of_unknown_variables() -> None:
    for variable in unknown_variables():
        _print_to_stderr(f"warning: {variable}")


def _print_to_stderr(text: str) -> None:
    print(f"{_PROGRAM}: {printable(text)}", file=sys.stderr)  # noqa: T201


def _print(text: str) -> None:
    # Messages of a server are not trusted.
    print("\n".join(printable(line) for line in text.split("\n")))  # noqa: T201
