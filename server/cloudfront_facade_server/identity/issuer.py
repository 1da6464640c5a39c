"""What the issuers file says about one issuer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..patterns import Pattern
from .json_web_keys import Keys

ClaimPath = tuple[str, ...]
"""The names that lead to a nested claim; empty for no claim."""


@dataclass(frozen=True)
class KeySource:
    """The source of an issuer's keys.

    Attributes:
        issuer: The issuer, whose discovery document names the key set if `jwks` is None.
        jwks: The URL of the key set, or None.
        certificates: The certificates, in PEM, of the authorities that are trusted; None for the usual ones.
        token_file: The file with the bearer token for fetching; None for no token.
    """

    issuer: str
    jwks: str | None = None
    certificates: str | None = None
    token_file: Path | None = None


@dataclass(frozen=True)
class Issuer:
    """An issuer of tokens.

    Attributes:
        name: The `iss` of its tokens.
        audience: The `aud` that they must have.
        keys: Its keys, or the source to fetch them from.
        required_claims: By the name of a claim the patterns, one of which it must match.
        team_claim: The claim with the team.
        groups_claim: The claim with the groups.
        groups_prefix: What is put in front of each group.
        max_lifetime_seconds: The longest time for which a token may be valid.
    """

    name: str
    audience: str
    keys: Keys | KeySource
    required_claims: Mapping[str, tuple[Pattern, ...]]
    team_claim: ClaimPath
    groups_claim: ClaimPath
    groups_prefix: str
    max_lifetime_seconds: int

    def missing_claim(self, claims: Mapping[str, Any]) -> str | None:
        """Returns the first required claim that a token does not have with an allowed value; None if it has all."""
        return next(
            (name for name, allowed in self.required_claims.items() if not _has(claims.get(name), allowed)), None
        )


def _has(value: Any, allowed: tuple[Pattern, ...]) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(each, str) and pattern.matches(each) for each in values for pattern in allowed)
