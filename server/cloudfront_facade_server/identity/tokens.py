"""Bearer tokens: signed JWTs of the issuers that the issuers file names (RFC 7519, RFC 8725)."""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from ..errors.violations import quote
from .caller import Caller
from .issuer import ClaimPath, Issuer
from .json_web_keys import ALGORITHMS, Keys
from .strict_json import load_object
from .unknown import CallerUnknownError

TOKEN_MAX_BYTES: Final = 12 * 1024
"""Maximum size of a token. Source: this service."""

LEEWAY_SECONDS: Final = 30
"""How much the clocks of the issuer and of this service may differ. Source: this service."""

CACHED_TOKENS: Final = 4096
"""Verified tokens that are remembered. Source: this service."""

NAME_MAX_CHARACTERS: Final = 2048
"""Maximum length of a subject, a team and a group. Source: this service."""

_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

# Each of these changes what is signed, or needs code that knows it.
_REJECTED_HEADERS: Final = ("crit", "b64", "zip")

_MALFORMED: Final = "the token is not a signed JWT"


class _Registry(JWSRegistry):
    max_header_length = TOKEN_MAX_BYTES
    max_payload_length = TOKEN_MAX_BYTES
    max_signature_length = TOKEN_MAX_BYTES


_REGISTRY: Final = _Registry(algorithms=list(ALGORITHMS), strict_check_header=False)


class UnknownKeyError(CallerUnknownError):
    """The key of a token is not in the keys of its issuer.

    Attributes:
        issuer: The issuer.
    """

    def __init__(self, issuer: Issuer, kid: str, algorithm: str) -> None:
        super().__init__(f"{quote(issuer.name)} has no key {quote(kid)} for {algorithm}")
        self.issuer = issuer


@dataclass(frozen=True)
class _Verified:
    """A token that was verified, and with which keys."""

    caller: Caller
    issuer: Issuer
    keys: Keys


class Tokens:
    """Verifies tokens.

    Args:
        keys_of: Returns the present keys of an issuer.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, keys_of: Callable[[Issuer], Keys], clock: Callable[[], float] = time.time) -> None:
        self._keys_of = keys_of
        self._clock = clock
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    def caller(self, token: str, issuers: Mapping[str, Issuer]) -> Caller:
        """Returns the caller with a token.

        Args:
            token: The token.
            issuers: The issuers that are accepted, by name.

        Raises:
            UnknownKeyError: The issuer does not have the key that the token names. It may be new.
            CallerUnknownError: The token is not accepted.
        """
        if len(token) > TOKEN_MAX_BYTES:
            raise CallerUnknownError(f"the token has more than {TOKEN_MAX_BYTES:,} bytes")
        digest = sha256(token.encode(errors="surrogatepass")).digest()
        if caller := self._remembered(digest, issuers):
            return caller
        if not _FORM.fullmatch(token):
            raise CallerUnknownError(_MALFORMED)
        verified = self._verify(token, issuers)
        self._verified[digest] = verified
        if len(self._verified) > CACHED_TOKENS:
            self._verified.popitem(last=False)
        return verified.caller

    def _remembered(self, digest: bytes, issuers: Mapping[str, Issuer]) -> Caller | None:
        verified = self._verified.get(digest)
        if verified is None:
            return None
        issuer = verified.issuer
        if issuers.get(issuer.name) is not issuer or self._keys_of(issuer) is not verified.keys:
            del self._verified[digest]
            return None
        if self._clock() >= verified.caller.expires:
            del self._verified[digest]
            raise CallerUnknownError("the token has expired")
        self._verified.move_to_end(digest)
        return verified.caller

    def _verify(self, token: str, issuers: Mapping[str, Issuer]) -> _Verified:
        try:
            signed = jws.extract_compact(token.encode("ascii"), registry=_REGISTRY)
            # joserfc accepts a name that occurs twice in the header.
            header = load_object(urlsafe_b64decode(signed.segments["header"] + b"=="))
            claims = load_object(signed.payload)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise CallerUnknownError(_MALFORMED) from None
        name = claims.get("iss")
        issuer = issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise CallerUnknownError(f"the issuer {quote(str(name))} is not one of --issuers")
        keys = self._keys_of(issuer)
        _verify_signature(signed, header, issuer, keys)
        return _Verified(self._caller(claims, issuer), issuer, keys)

    def _caller(self, claims: dict[str, Any], issuer: Issuer) -> Caller:
        now = self._clock()
        self._check_times_and_names(claims, issuer, now)
        if (missing := issuer.missing_claim(claims)) is not None:
            raise CallerUnknownError(f"the claim {quote(missing)} of the token has none of the required values")
        subject = _name(claims["sub"], "sub")
        groups = _groups(claims, issuer.groups_claim)
        return Caller(
            f"{issuer.name}#{subject}",
            "jwt",
            groups=frozenset(issuer.groups_prefix + group for group in groups),
            team=_team(claims, issuer.team_claim),
            issuer=issuer.name,
            subject=subject,
            expires=float(claims["exp"] + LEEWAY_SECONDS),
        )

    def _check_times_and_names(self, claims: dict[str, Any], issuer: Issuer, now: float) -> None:
        registry = JWTClaimsRegistry(
            now=int(now),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer.name},
            aud={"essential": True, "values": [issuer.audience]},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise CallerUnknownError(f"the token is not accepted: {quote(str(error), 200)}") from None
        issued = claims.get("iat")
        start = now if issued is None else issued
        if claims["exp"] > start + issuer.max_lifetime_seconds + LEEWAY_SECONDS:
            raise CallerUnknownError(
                f"the token is valid for more than {issuer.max_lifetime_seconds} s, the max_lifetime_seconds of "
                f"{quote(issuer.name)}"
            )


def _verify_signature(signed: jws.CompactSignature, header: dict[str, Any], issuer: Issuer, keys: Keys) -> None:
    if any(name in header for name in _REJECTED_HEADERS):
        raise CallerUnknownError(f"the token has one of the headers {', '.join(_REJECTED_HEADERS)}")
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise CallerUnknownError(f"the token is not signed by one of {', '.join(ALGORITHMS)}")
    if not isinstance(kid, str) or not kid:
        raise CallerUnknownError("the token does not name its key as kid")
    key = keys.get((kid, algorithm))
    if key is None:
        raise UnknownKeyError(issuer, kid, algorithm)
    try:
        is_valid = jws.validate_compact(signed, key, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        is_valid = False
    if not is_valid:
        raise CallerUnknownError("the signature of the token is wrong")


def _groups(claims: dict[str, Any], path: ClaimPath) -> list[str]:
    value = _nested(claims, path)
    values = [] if value is None else value if isinstance(value, list) else [value]
    return [_name(each, "groups_claim") for each in values]


def _team(claims: dict[str, Any], path: ClaimPath) -> str | None:
    value = _nested(claims, path)
    return None if value is None else _name(value, "team_claim")


def _nested(claims: dict[str, Any], path: ClaimPath) -> Any:
    value: Any = claims if path else None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _name(value: Any, what: str) -> str:
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= NAME_MAX_CHARACTERS:
        return value
    raise CallerUnknownError(
        f"the {what} of the token is not a text of 1 to {NAME_MAX_CHARACTERS:,} printable characters"
    )
