"""SPIFFE ids, read strictly, and the team in their path.

Source: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from ..errors.violations import quote
from .caller import Caller
from .unknown import CallerUnknownError

ID_MAX_BYTES: Final = 2048
"""Maximum size of a SPIFFE id. Source: the standard, section 2.3."""

_SCHEME: Final = "spiffe:"
_TEAM: Final = "{team}"
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,255}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._-]+")
_ID: Final = re.compile(rf"spiffe://({_TRUST_DOMAIN.pattern})((?:/{_SEGMENT.pattern})+)")
_DOTS: Final = frozenset({".", ".."})


def is_spiffe(uri: str) -> bool:
    """Returns whether a URI means to be a SPIFFE id. Upper case counts too, although no SPIFFE id has it."""
    return uri[: len(_SCHEME)].lower() == _SCHEME


class SpiffeIds:
    """Reads SPIFFE ids.

    Args:
        trust_domains: The trust domains that are accepted; any if it is empty.
        team_from_path: Where the path names the team, for example `/ns/{team}/*`; None if it does not.

    Raises:
        ValueError: A trust domain or the pattern is malformed. The message is one line.
    """

    def __init__(self, trust_domains: Iterable[str] = (), team_from_path: str | None = None) -> None:
        self._trust_domains = frozenset(map(_trust_domain, trust_domains))
        self._team = _compiled(team_from_path) if team_from_path is not None else None

    def caller(self, uri: str, expires: float) -> Caller:
        """Returns the caller with a SPIFFE id.

        Args:
            uri: The id.
            expires: The time after which the proof no longer counts, in seconds since the epoch.

        Raises:
            CallerUnknownError: The URI is not a SPIFFE id with a path, or its trust domain is not accepted.
        """
        found = _ID.fullmatch(uri) if len(uri) <= ID_MAX_BYTES else None
        if not found:
            raise CallerUnknownError(f"the URI {quote(uri)} is not a SPIFFE id with a path")
        trust_domain, path = found.groups()
        if not _DOTS.isdisjoint(path.split("/")):
            raise CallerUnknownError(f"the SPIFFE id {quote(uri)} has a dot segment")
        if self._trust_domains and trust_domain not in self._trust_domains:
            raise CallerUnknownError(f"the trust domain {quote(trust_domain)} is not one of --trust-domain")
        team = self._team(path) if self._team else None
        return Caller(uri, "spiffe", team=team, trust_domain=trust_domain, path=path, expires=expires)


def _trust_domain(name: str) -> str:
    if not _TRUST_DOMAIN.fullmatch(name):
        raise ValueError(
            f"--trust-domain {quote(name)}: not a trust domain; allowed: 1 to 255 characters a-z 0-9 . _ -, "
            "without spiffe://"
        )
    return name


def _compiled(pattern: str) -> Callable[[str], str | None]:
    """Returns a function that finds the team in a path; raises ValueError."""
    first, *segments = pattern.split("/")
    *middle, last = segments or [""]
    is_valid = not first and all(map(_is_segment, middle)) and (last == "*" or _is_segment(last))
    if not is_valid or segments.count(_TEAM) != 1:
        raise ValueError(
            f"--team-from-path {quote(pattern)}: not a pattern of paths; allowed: segments that begin with /, of "
            "a-z A-Z 0-9 . _ -, one of them {team}, the last one a name, {team}, or * for the rest; "
            "for example /ns/{team}/*"
        )
    segment = rf"({_SEGMENT.pattern})"
    steps = [segment if each == _TEAM else ".+" if each == "*" else re.escape(each) for each in segments]
    compiled = re.compile("".join(f"/{step}" for step in steps))

    def team(path: str) -> str | None:
        found = compiled.fullmatch(path)
        return found[1] if found else None

    return team


def _is_segment(text: str) -> bool:
    return text == _TEAM or (text not in _DOTS and bool(_SEGMENT.fullmatch(text)))
