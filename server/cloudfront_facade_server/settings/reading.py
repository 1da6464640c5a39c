"""Reads settings from flags and variables, and describes invalid ones."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from typing import Final, Literal, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsError

from .fields import Metavar
from .flags import flags_source

_Settings = TypeVar("_Settings", bound=BaseSettings)

_MAX_SHOWN_CHARACTERS: Final = 64

_UNITS: Final = {"SECONDS": "seconds", "BYTES": "bytes"}

_ALLOWED: Final = {
    "bool_parsing": "must be true or false",
    "path_not_file": "must be an existing file",
    "path_not_directory": "must be an existing directory",
    "string_too_short": "must not be empty",
}
"""What the value of a setting must be, by pydantic's type of the error."""


class InvalidSettingsError(Exception):
    """The flags or variables are invalid. The message is one line, which describes all of them."""


def read_settings(kind: type[_Settings], program: str, arguments: Sequence[str]) -> _Settings:
    """Reads the settings of a command. A flag takes precedence over its variable.

    Args:
        kind: The settings of the command.
        program: The command, as the help shows it.
        arguments: The arguments of the command.

    Raises:
        InvalidSettingsError: A value is invalid, a required one is missing, or the arguments are not flags.
    """
    flags = flags_source(kind, program)
    try:
        return kind(_cli_settings_source=flags(args=list(arguments)))
    except SettingsError as error:
        raise InvalidSettingsError(f"{_describe_usage(str(error))}; see {program} --help") from None
    except ValidationError as error:
        describer = _Describer(kind, flags().keys())
        raise InvalidSettingsError("; ".join(map(describer.describe, error.errors()))) from None


class _Describer:
    """Describes invalid settings. Each one is named by its source: the flag or the variable.

    Args:
        kind: The settings.
        from_flags: The settings that flags set.
    """

    def __init__(self, kind: type[BaseSettings], from_flags: Collection[str]) -> None:
        self._fields = kind.model_fields
        self._prefix = kind.model_config.get("env_prefix", "")
        self._from_flags = from_flags
        self._variables = {name.upper() for name, value in os.environ.items() if value}

    def describe(self, error: ErrorDetails) -> str:
        """Describes an invalid setting, or settings that contradict each other."""
        if not error["loc"]:
            return re.sub(r"--([a-z][a-z0-9-]*)", lambda flag: self._source(flag[1].replace("-", "_")), _message(error))
        name = str(error["loc"][0])
        field = self._fields[name]
        if error["type"] == "missing":
            allowed = _list_choices(field.annotation) or _metavar(field)
            return f"{_flag(name)} or {self._variable(name)} is required: {allowed}"
        value = ascii(str(error["input"])[:_MAX_SHOWN_CHARACTERS])[1:-1]
        return f'{self._source(name)} "{value}": {_describe_allowed(field, error)}'

    def _source(self, name: str) -> str:
        is_variable = name not in self._from_flags and self._variable(name) in self._variables
        return self._variable(name) if is_variable else _flag(name)

    def _variable(self, name: str) -> str:
        return f"{self._prefix}{name}".upper()


def _describe_allowed(field: FieldInfo, error: ErrorDetails) -> str:
    """Returns what the value of a setting must be."""
    kind = error["type"]
    if kind == "literal_error":
        return f"must be {_list_choices(field.annotation)}"
    unit = _UNITS.get(_metavar(field), "")
    if kind.startswith(("int_", "float_")):
        number = "whole number" if kind.startswith("int_") else "number"
        return f"must be a {number}{unit and f' of {unit}'} {_describe_range(field)}"
    if kind.startswith(("greater_than", "less_than")):
        return f"must be {_describe_range(field)} {unit}".rstrip()
    return _ALLOWED.get(kind) or _message(error)


def _message(error: ErrorDetails) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _describe_range(field: FieldInfo) -> str:
    """Returns the range of a number."""
    names = ("ge", "gt", "le")
    bounds = {name: getattr(each, name) for each in field.metadata for name in names if hasattr(each, name)}
    lower = f"above {bounds['gt']} and at most" if "gt" in bounds else f"from {bounds['ge']} to"
    return f"{lower} {bounds['le']}"


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _metavar(field: FieldInfo) -> str:
    return next((each.name for each in field.metadata if isinstance(each, Metavar)), "")


def _list_choices(annotation: object) -> str:
    """Returns the values of a Literal, also inside a list; empty if there is no Literal."""
    if get_origin(annotation) is list:
        return _list_choices(get_args(annotation)[0])
    if get_origin(annotation) is not Literal:
        return ""
    *others, last = (f'"{value}"' for value in get_args(annotation))
    return f"{', '.join(others)} or {last}"


def _describe_usage(message: str) -> str:
    """Returns the description of arguments that argparse rejects."""
    message = message.removeprefix("error parsing CLI: ")
    if match := re.fullmatch(r"argument (--[a-z0-9-]+): expected one argument", message):
        return f"{match[1]} requires a value"
    if match := re.fullmatch(r"argument (--[a-z0-9-]+)/(--[a-z0-9-]+): ignored explicit argument .*", message):
        return f"{match[1]} must not have a value; allowed: {match[1]} or {match[2]}"
    return message
