"""The flags of a command, generated from its settings."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, Final, TypeVar, cast

from pydantic_settings import BaseSettings, CliSettingsSource

Settings = TypeVar("Settings", bound=BaseSettings)

_NONE: Final = "\0"
"""Sentinel that pydantic-settings parses as None. NUL cannot be typed on a command line."""


_NO_DEFAULT: Final = re.compile(rf" \((?:default: {_NONE}?|default factory: list)\)$")
"""The suffix that pydantic-settings adds to the help of a setting that has no default value."""


@dataclass(frozen=True)
class Metavar:
    """Annotates a setting with the placeholder that the help shows for its value, for example SECONDS."""

    name: str


def flags_source(kind: type[Settings], program: str) -> CliSettingsSource[Settings]:
    """Returns the source that reads settings from flags.

    Args:
        kind: The settings of the command.
        program: The command as the help shows it.
    """

    def add_argument(parser: ArgumentParser, *names: str, **options: Any) -> Action:
        field = kind.model_fields.get(options.get("dest", ""))
        for metavar in field.metadata if field else ():
            if isinstance(metavar, Metavar):
                options["metavar"] = metavar.name
        options["help"] = _NO_DEFAULT.sub("", options["help"])
        return parser.add_argument(*names, **options)

    source: CliSettingsSource[Settings] = CliSettingsSource(
        kind,
        cli_prog_name=program,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
        cli_avoid_json=True,
        cli_parse_none_str=_NONE,
        cli_hide_none_type=True,
        add_argument_method=add_argument,
    )
    cast(ArgumentParser, source.root_parser).description = cleandoc(kind.__doc__ or "")
    return source
