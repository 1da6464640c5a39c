"""The settings for who calls, what they may do, and what is recorded of it. All of them are optional."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from .fields import Address, CommaSeparated, Metavar, OptionalFile, PositiveSeconds
from .listen import ListenSettings
from .serve import ServeSettings


class AccessSettings(ListenSettings):
    """Identity, authorization, tag policy and audit."""

    trust_domain: Annotated[CommaSeparated[str], Metavar("DOMAIN")] = Field(
        default_factory=list,
        description="SPIFFE trust domains whose certificates identify callers, separated by commas; can be repeated; "
        "default: any that the client CA signed",
    )
    team_from_path: Annotated[str | None, Metavar("PATTERN")] = Field(
        None,
        min_length=1,
        description="where the path of a SPIFFE id names the team, for example /ns/{team}/*: {team} is one segment, a "
        "final * the rest",
    )
    trusted_proxies: Annotated[CommaSeparated[str], Metavar("CIDR|loopback|unix")] = Field(
        default_factory=list,
        description="proxies that end TLS: the identity of their callers comes from x-forwarded-client-cert, the "
        "address from x-forwarded-for; separated by commas; can be repeated",
    )
    issuers: OptionalFile = Field(None, description="YAML file of the issuers whose tokens identify callers")
    token_listen: Annotated[Address | None, Metavar("HOST:PORT")] = Field(
        None, description="second address, with TLS but without client certificates, for callers with tokens"
    )
    allow_anonymous: bool = Field(
        False,
        description="accept calls that prove no identity; without it, only on loopback and Unix sockets, while neither "
        "--tls-client-ca nor --issuers is set",
    )
    policy: Annotated[Path | None, Metavar("FILE|DIR")] = Field(
        None,
        description="Cedar policies: a file, or a directory with *.cedar files; without it, all callers may do all",
    )
    limits: OptionalFile = Field(None, description="YAML file of forced tags and limits by caller")
    tag_policy: Annotated[str | None, Metavar("FILE|organizations")] = Field(
        None,
        min_length=1,
        description="effective tag policy of AWS Organizations: a JSON file, or organizations to fetch it",
    )
    tag_policy_all: bool = Field(False, description="apply the tag policy's rules for all types of resources")
    audit: Annotated[str | None, Metavar("FILE|stdout")] = Field(
        None, min_length=1, description="where the audit log is written, in OCSF's JSON"
    )
    audit_max_bytes: Annotated[int, Metavar("BYTES")] = Field(
        100 * 1024 * 1024, ge=1024 * 1024, description="size at which the audit file is rotated, in bytes"
    )
    audit_keep: Annotated[int, Metavar("COUNT")] = Field(10, ge=1, le=1000, description="rotated audit files to keep")
    audit_timeout: PositiveSeconds = Field(
        2.0, description="seconds within which the audit record of a change must be on disk before the change is sent"
    )
    audit_reads: bool = Field(False, description="record reads in the audit log too")


class SecuredSettings(AccessSettings, ServeSettings):
    """The settings of `serve`, with those for access."""
