"""The types of settings. Each one defines what a value must be, and the placeholder that the help shows for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, DirectoryPath, Field, FilePath
from pydantic_settings import NoDecode

_T = TypeVar("_T")

ENV_PREFIX: Final = "CLOUDFRONT_FACADE_"
"""The beginning of every environment variable."""

UNIX: Final = "unix:"
"""The beginning of the address of a Unix socket."""

_UNIX_FORM: Final = "must be unix:PATH, or unix:///PATH for an absolute path"


@dataclass(frozen=True)
class Metavar:
    """Annotates a setting with the placeholder that the help shows for its value, for example SECONDS."""

    name: str


def _check_address(value: str) -> str:
    if value.startswith(UNIX):
        has_host = value.startswith(f"{UNIX}//") and not value.startswith(f"{UNIX}///")
        if value == UNIX or has_host:
            raise ValueError(_UNIX_FORM)
        return value
    host, _, port = value.rpartition(":")
    is_ipv6 = host.startswith("[") and host.endswith("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("must be HOST:PORT with a port from 0 to 65535, or unix:PATH")
    if "/" in host or (":" in host and not is_ipv6):
        raise ValueError("must be HOST:PORT; HOST is a name, an IPv4 address or an IPv6 address in []")
    return value


def has_port_0(address: str) -> bool:
    """Returns whether a server with this address listens on any free port, so that no client can connect to it."""
    return not address.startswith(UNIX) and int(address.rpartition(":")[2]) == 0


def _check_target(value: str) -> str:
    if has_port_0(value):
        raise ValueError("must be HOST:PORT with a port from 1 to 65535, or unix:PATH")
    return value


def _reject_empty(value: object) -> object:
    # Path("") is the working directory.
    if value == "":
        raise ValueError("must be an existing directory")
    return value


def _reject_no_name(value: object) -> object:
    if value == "":
        raise ValueError("must not be empty")
    return value


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _check_account(value: str) -> str:
    if value != "*" and not re.fullmatch("[0-9]{12}", value):
        raise ValueError('must be 12 digits, or "*" for any account')
    return value


def _check_role(value: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\x21-\x7e]{1,575}", value):
        raise ValueError("must be arn:aws:iam::ACCOUNT:role/NAME")
    return value


def _check_external_id(value: str) -> str:
    if not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", value, re.ASCII):
        raise ValueError("must have 2 to 1224 characters: letters, digits and _+=,.@:/-")
    return value


Address = Annotated[str, AfterValidator(_check_address), Metavar("HOST:PORT")]
Target = Annotated[Address, AfterValidator(_check_target)]
Account = Annotated[str, AfterValidator(_check_account)]
Seconds = Annotated[float, Field(ge=0, le=86_400), Metavar("SECONDS")]
PositiveSeconds = Annotated[float, Field(gt=0, le=86_400), Metavar("SECONDS")]
Count = Annotated[int, Field(ge=1, le=1_000_000), Metavar("COUNT")]
OptionalCount = Annotated[int | None, Field(ge=1, le=1_000_000), Metavar("COUNT")]
RequestBytes = Annotated[int, Field(ge=1024, le=64 * 1024 * 1024), Metavar("BYTES")]
MemoryBytes = Annotated[int, Field(ge=16 * 1024 * 1024, le=16 * 1024 * 1024 * 1024), Metavar("BYTES")]
OptionalFile = Annotated[FilePath | None, Metavar("FILE")]
OptionalDirectory = Annotated[DirectoryPath | None, BeforeValidator(_reject_empty), Metavar("DIR")]
OptionalNewFile = Annotated[Path | None, BeforeValidator(_reject_no_name), Metavar("FILE")]
OptionalName = Annotated[str | None, Metavar("NAME")]
RoleArn = Annotated[str, AfterValidator(_check_role)]
ExternalId = Annotated[str, AfterValidator(_check_external_id)]

CommaSeparated = Annotated[list[_T], NoDecode, BeforeValidator(_split)]
"""Several values, separated by commas. The flag can also be repeated."""
