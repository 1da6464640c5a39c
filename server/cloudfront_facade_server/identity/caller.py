"""Who makes a call."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Caller:
    """An identity, and what proved it.

    Attributes:
        id: The SPIFFE id, `dns:NAME`, `ISSUER#SUBJECT` or `anonymous`.
        by: The kind of the identity.
        groups: The groups of a token, each with the prefix of its issuer.
        team: The team, if the settings or the entry of the issuer define it.
        trust_domain: The trust domain of a SPIFFE id.
        path: The path of a SPIFFE id, which begins with `/`.
        name: The DNS name of a certificate.
        issuer: The issuer of a token.
        subject: The subject of a token.
        expires: The time after which the proof no longer counts, in seconds since the epoch.
    """

    id: str
    by: Literal["spiffe", "dns", "jwt", "anonymous"]
    groups: frozenset[str] = frozenset()
    team: str | None = None
    trust_domain: str | None = None
    path: str | None = None
    name: str | None = None
    issuer: str | None = None
    subject: str | None = None
    expires: float = math.inf


ANONYMOUS: Final = Caller("anonymous", "anonymous")
"""A caller that proves no identity, and needs none."""
