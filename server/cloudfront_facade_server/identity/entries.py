"""The entries of the issuers file as they are written, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ..errors.violations import quote
from ..strict_yaml import YamlError
from ..strict_yaml import load as load_yaml
from ..watched_files import UnusableFilesError

LIFETIME_MAX_SECONDS: Final = 366 * 86_400
"""Maximum of `max_lifetime_seconds`. Source: this service."""

DEFAULT_LIFETIME_SECONDS: Final = 86_400
"""Default of `max_lifetime_seconds`. Source: this service."""

_HTTPS_URL: Final = re.compile(
    r"https://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
)
"""A URL without a user, a password and a fragment."""

_SHOWN_PROBLEMS: Final = 3
_SHOWN_CHARACTERS: Final = 64

_Text = Annotated[str, Field(min_length=1)]
_Names = Annotated[list[_Text], Field(min_length=1)]


class Entry(BaseModel):
    """An entry as it is written."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    issuer: _Text
    audience: _Text
    jwks: _Text | None = None
    ca_file: _Text | None = None
    token_file: _Text | None = None
    required_claims: Annotated[dict[_Text, _Names], Field(min_length=1)] | None = None
    any_subject: bool = False
    team_claim: _Text | _Names | None = None
    groups_claim: _Text | _Names | None = None
    groups_prefix: str | None = None
    max_lifetime_seconds: Annotated[int, Field(ge=1, le=LIFETIME_MAX_SECONDS)] = DEFAULT_LIFETIME_SECONDS

    def keys_file(self) -> str | None:
        """Returns the file with the key set; None if the key set is fetched."""
        return None if _is_url(self.jwks) else self.jwks


_ENTRIES: Final = TypeAdapter(list[Entry])
_FIELDS: Final = ", ".join(Entry.model_fields)
_NAME_OR_PATH: Final = "the name of a claim, or a list of names as a path into nested claims"

_ALLOWED: Final = {
    "issuer": "the https URL that the tokens have as iss",
    "audience": "what the tokens have as aud, a text",
    "jwks": "a file or an https URL",
    "ca_file": "a PEM file",
    "token_file": "a file",
    "required_claims": "the name of a claim with a list of patterns, in quotes",
    "any_subject": "true or false",
    "team_claim": _NAME_OR_PATH,
    "groups_claim": _NAME_OR_PATH,
    "groups_prefix": "a text",
    "max_lifetime_seconds": f"a whole number from 1 to {LIFETIME_MAX_SECONDS}",
}


def read_entries(path: Path, raw: bytes) -> list[Entry]:
    """Returns the entries of a file; raises UnusableFilesError with the first problems."""
    try:
        value = load_yaml(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnusableFilesError(f"{path}: byte {error.start}: not UTF-8") from None
    except YamlError as error:
        raise UnusableFilesError(f"{path}: {error}") from None
    if not isinstance(value, list) or not value:
        raise UnusableFilesError(f"{path}: no entries; allowed: a list of entries with {_FIELDS}")
    try:
        entries = _ENTRIES.validate_python(value)
    except ValidationError as error:
        raise _unusable(path, dict.fromkeys(map(_describe, error.errors(include_url=False)))) from None
    if problems := [problem for number, entry in enumerate(entries, 1) for problem in _check(number, entry)]:
        raise _unusable(path, problems)
    if repeated := _repeated(each.issuer for each in entries):
        raise UnusableFilesError(f"{path}: issuer: {_shown(repeated)} occurs twice; allowed: one entry for each issuer")
    return entries


def _check(number: int, entry: Entry) -> Iterator[str]:
    if not _is_https(entry.issuer) or "?" in entry.issuer:
        yield f"entry {number}: issuer: {_shown(entry.issuer)}; allowed: {_ALLOWED['issuer']}"
    if _is_url(entry.jwks) and not _is_https(entry.jwks or ""):
        yield f"entry {number}: jwks: {_shown(entry.jwks or '')}; allowed: {_ALLOWED['jwks']}"
    if entry.keys_file():
        for name in ("ca_file", "token_file"):
            if getattr(entry, name):
                yield f"entry {number}: {name}: set with a file as jwks; allowed: only with a URL"
    if (entry.required_claims is None) is not entry.any_subject:
        found = "neither is set" if entry.required_claims is None else "both are set"
        yield (
            f"entry {number}: required_claims, any_subject: {found}; allowed: required_claims, or any_subject: true "
            "if every token of the issuer is welcome"
        )
    for claim, patterns in (entry.required_claims or {}).items():
        if any(not each.strip("*") for each in patterns):
            yield (
                f'entry {number}: required_claims.{_shown(claim)}: "*" matches everything; allowed: a pattern with '
                "other characters, or any_subject: true"
            )


def _describe(error: ErrorDetails) -> str:
    number, *path = error["loc"]
    where = f"entry {int(number) + 1}"
    if not path:
        return f"{where}: {_sent(error['input'])}; allowed: {_FIELDS}"
    name = str(path[0])
    if name not in _ALLOWED:
        return f"{where}: {_shown(name)}: unknown field; allowed: {_FIELDS}"
    if error["type"] == "missing":
        return f"{where}: {name}: missing; allowed: {_ALLOWED[name]}"
    inner = f".{_shown(str(path[1]))}" if name == "required_claims" and len(path) > 1 else ""
    return f"{where}: {name}{inner}: {_sent(error['input'])}; allowed: {_ALLOWED[name]}"


def _sent(value: Any) -> str:
    if value is None:
        return "empty"
    return "not a single value" if isinstance(value, dict | list) else quote(str(value), _SHOWN_CHARACTERS)


def _shown(name: str) -> str:
    return quote(name, _SHOWN_CHARACTERS)


def _is_url(jwks: str | None) -> bool:
    return jwks is not None and "://" in jwks


def _is_https(url: str) -> bool:
    return bool(_HTTPS_URL.fullmatch(url))


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def _unusable(path: Path, problems: Iterable[str]) -> UnusableFilesError:
    found = list(problems)
    more = f" (and {len(found) - _SHOWN_PROBLEMS} more)" if len(found) > _SHOWN_PROBLEMS else ""
    return UnusableFilesError(f"{path}: {'; '.join(found[:_SHOWN_PROBLEMS])}{more}")
