"""JSON Web Key Sets: the public keys of an issuer (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from .strict_json import load_object

KEYS_MAX: Final = 100
"""Maximum number of keys in a set. Source: this service."""

RSA_MIN_BITS: Final = 2048
"""Minimum size of an RSA key. Source: RFC 7518, section 3.3."""

RSA_MAX_BITS: Final = 8192
"""Maximum size of an RSA key, because larger ones take long. Source: this service."""

ALGORITHMS: Final = ("RS256", "ES256", "ES384")
"""The algorithms of signatures that are accepted."""

Keys = Mapping[tuple[str, str], RSAKey | ECKey]
"""Public keys by `kid` and algorithm."""

_USES: Final = ("sig", "jwt-svid")
"""The uses of keys that count. The second one is that of keys in a SPIFFE bundle."""

_CURVES: Final = {"P-256": "ES256", "P-384": "ES384"}


class UnusableKeysError(Exception):
    """A text is not a set with a key that can be used. The message is one line."""


def read_keys(raw: bytes) -> Keys:
    """Returns the keys of a set. Keys for other purposes, without a `kid` or of other kinds are left out.

    Raises:
        UnusableKeysError: It is not a key set, or has no key that can be used.
    """
    try:
        members = load_object(raw)["keys"]
    except (ValueError, KeyError):
        members = None
    if not isinstance(members, list):
        raise UnusableKeysError('not a JSON Web Key Set; allowed: a JSON object with "keys"')
    if len(members) > KEYS_MAX:
        raise UnusableKeysError(f"{len(members)} keys; allowed: at most {KEYS_MAX}")
    keys: dict[tuple[str, str], RSAKey | ECKey] = {}
    for member in members:
        if isinstance(member, dict) and (key := _key(member)) and (kid := member.get("kid")) and isinstance(kid, str):
            algorithm, public = key
            keys.setdefault((kid, algorithm), public)
    if not keys:
        raise UnusableKeysError(
            "no key that can be used; allowed: keys with a kid for signatures by RS256, ES256 or ES384, RSA keys of "
            f"{RSA_MIN_BITS} to {RSA_MAX_BITS} bits"
        )
    return keys


def _key(member: dict[str, Any]) -> tuple[str, RSAKey | ECKey] | None:
    """Returns the algorithm and the public key; None if the key is not for signatures that are accepted."""
    operations = member.get("key_ops", ["verify"])
    if member.get("use", "sig") not in _USES or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        # Only the public members, because a set can have private ones by mistake.
        if member.get("kty") == "RSA":
            algorithm = "RS256"
            public: RSAKey | ECKey | None = _rsa_key(member)
        else:
            algorithm = _CURVES[member["crv"]] if member.get("kty") == "EC" else ""
            public = ECKey.import_key({name: member[name] for name in ("kty", "crv", "x", "y")}) if algorithm else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return (algorithm, public) if public and member.get("alg", algorithm) == algorithm else None


def _rsa_key(member: dict[str, Any]) -> RSAKey | None:
    modulus = member["n"]
    if not isinstance(modulus, str) or not RSA_MIN_BITS <= len(modulus) * 6 <= RSA_MAX_BITS + 8:
        return None
    return RSAKey.import_key({name: member[name] for name in ("kty", "n", "e")})
