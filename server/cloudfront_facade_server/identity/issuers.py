"""The issuers file: whose tokens identify callers, and what a token must claim."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from ..patterns import Pattern
from ..watched_files import Content, UnusableFilesError, WatchedFiles
from .entries import Entry, read_entries
from .issuer import ClaimPath, Issuer, KeySource
from .json_web_keys import Keys, UnusableKeysError, read_keys

FILE_MAX_BYTES: Final = 1024 * 1024
"""Maximum size of the file, and of each file that it names. Source: this service."""

Issuers = Mapping[str, Issuer]
"""The issuers, by the `iss` of their tokens."""


def watched_file(path: Path) -> WatchedFiles[Issuers]:
    """Returns the issuers of a file. It, its key sets and its certificates are read again when they change.

    Args:
        path: The file.

    Raises:
        UnusableFilesError: A file cannot be read, or an entry is invalid.
    """
    return WatchedFiles("issuers", partial(_read, path), partial(load, path))


def load(path: Path, content: Content) -> Issuers:
    """Returns the issuers of a file.

    Args:
        path: The file.
        content: Its content and that of the files that it names.

    Raises:
        UnusableFilesError: An entry is invalid.
    """
    entries = read_entries(path, content[str(path)])
    return {each.issuer: _issuer(path, number, each, content) for number, each in enumerate(entries, 1)}


def _issuer(path: Path, number: int, entry: Entry, content: Content) -> Issuer:
    where = f"{path}: entry {number}"
    keys: Keys | KeySource
    if keys_file := entry.keys_file():
        name = str(path.parent / keys_file)
        try:
            keys = read_keys(content[name])
        except UnusableKeysError as error:
            raise UnusableFilesError(f"{where}: jwks: {name}: {error}") from None
    else:
        ca_file = path.parent / entry.ca_file if entry.ca_file else None
        keys = KeySource(
            entry.issuer,
            entry.jwks,
            _certificates(where, ca_file, content) if ca_file else None,
            path.parent / entry.token_file if entry.token_file else None,
        )
    return Issuer(
        entry.issuer,
        entry.audience,
        keys,
        {claim: tuple(map(Pattern, patterns)) for claim, patterns in (entry.required_claims or {}).items()},
        _claim_path(entry.team_claim),
        _claim_path(entry.groups_claim),
        f"{entry.issuer}#" if entry.groups_prefix is None else entry.groups_prefix,
        entry.max_lifetime_seconds,
    )


def _certificates(where: str, path: Path, content: Content) -> str:
    """Returns the certificates of a file of authorities; raises UnusableFilesError."""
    try:
        pem = content[str(path)].decode("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ValueError, ssl.SSLError):
        raise UnusableFilesError(f"{where}: ca_file: {path}: not certificates in PEM") from None
    return pem


def _claim_path(claim: str | list[str] | None) -> ClaimPath:
    return () if claim is None else (claim,) if isinstance(claim, str) else tuple(claim)


def _read(path: Path) -> Content:
    """Returns the content of the file, and of the files that it names."""
    raw = _read_one(path, "--issuers takes a YAML file")
    content = {str(path): raw}
    try:
        entries = read_entries(path, raw)
    except UnusableFilesError:
        return content  # a half-written file is reported by `load`, if two looks agree
    for number, entry in enumerate(entries, 1):
        for name, value in (("jwks", entry.keys_file()), ("ca_file", entry.ca_file)):
            if value:
                file = path.parent / value
                content[str(file)] = _read_one(file, f"entry {number} of {path} names it as {name}")
    return content


def _read_one(path: Path, whose: str) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = ((isinstance(error, OSError) and error.strerror) or str(error)).lower()
        raise UnusableFilesError(f"{path}: {reason}; {whose}") from None
    if len(raw) > FILE_MAX_BYTES:
        raise UnusableFilesError(f"{path}: too large; allowed: at most {FILE_MAX_BYTES:,} bytes; {whose}")
    return raw
