"""An issuer of tokens for tests, which signs whatever it is asked to."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

ISSUER: Final = "https://issuer.example.org"
OTHER: Final = "https://other.example.org"
AUDIENCE: Final = "cloudfront-facade"
SUBJECT: Final = "repo:acme/web:ref:refs/heads/main"
NOW: Final = 1_800_000_000

RSA: Final = RSAKey.generate_key(2048, {"kid": "rsa"})
EC256: Final = ECKey.generate_key("P-256", {"kid": "ec256"})
EC384: Final = ECKey.generate_key("P-384", {"kid": "ec384"})
STRANGER: Final = ECKey.generate_key("P-256", {"kid": "ec256"})

AnyKey = RSAKey | ECKey


def key_set(*keys: AnyKey, **members: Any) -> bytes:
    """Returns a key set with the public keys; members are added to each."""
    return json.dumps({"keys": [{**key.as_dict(private=False), **members} for key in keys]}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """Returns the claims of a good token with changes; a claim that is set to None is left out."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 600}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(
    payload: Mapping[str, Any] | bytes | None = None,
    key: AnyKey | bytes = EC256,
    header: Mapping[str, Any] | bytes | None = None,
) -> str:
    """Returns a token, signed by the key, or by HMAC if the key is bytes; a header or a payload can be any bytes."""
    algorithm = "HS256" if isinstance(key, bytes) else "RS256" if key is RSA else "ES384" if key is EC384 else "ES256"
    if not isinstance(header, bytes):
        given = {"alg": algorithm, "kid": "rsa" if isinstance(key, bytes) else key.kid, "typ": "JWT", **(header or {})}
        algorithm = given["alg"]
        header = json.dumps({name: value for name, value in given.items() if value is not None}).encode()
    if not isinstance(payload, bytes):
        payload = json.dumps(claims() if payload is None else payload).encode()
    signed = encode(header) + b"." + encode(payload)
    if isinstance(key, bytes):
        signature = hmac.digest(key, signed, "sha256")
    else:
        # An algorithm that is not known has no signature that could be right.
        signature = JWSRegistry.algorithms[algorithm].sign(signed, key)
    return (signed + b"." + encode(signature)).decode()


def encode(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def write_issuers(folder: Path, *entries: str) -> Path:
    """Writes an issuers file, and the key sets `keys.json` and `other.json` next to it."""
    (folder / "keys.json").write_bytes(key_set(RSA, EC256, EC384))
    (folder / "other.json").write_bytes(key_set(STRANGER))
    path = folder / "issuers.yaml"
    path.write_text("".join(f"- {{{entry}}}\n" for entry in entries))
    return path
