"""Generates the flags of a command from its settings."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from inspect import cleandoc
from typing import Any, Final, TypeVar, cast

from pydantic_settings import BaseSettings, CliSettingsSource

from .fields import Metavar

Settings = TypeVar("Settings", bound=BaseSettings)

_NONE: Final = "\0"
"""The text that pydantic-settings parses as None. A command line cannot contain NUL."""

_NO_DEFAULT: Final = re.compile(rf" \((?:default: {_NONE}?|default factory: list)\)$")
"""What pydantic-settings appends to the help of a setting without a default value."""


def flags_source(kind: type[Settings], program: str) -> CliSettingsSource[Settings]:
    """Returns the source that parses the flags of a command.

    Args:
        kind: The settings of the command.
        program: The command, as the help shows it.
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
    source.env_ignore_empty = False  # only an empty variable counts as unset
    cast(ArgumentParser, source.root_parser).description = cleandoc(kind.__doc__ or "")
    return source
