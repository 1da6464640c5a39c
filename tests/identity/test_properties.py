"""Random tokens and headers: only a known caller or CallerUnknownError comes out."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfront_facade_server.identity.bearer_tokens import BearerTokens
from cloudfront_facade_server.identity.issuers import watched_file
from cloudfront_facade_server.identity.json_web_keys import UnusableKeysError, read_keys
from cloudfront_facade_server.identity.proxies import TrustedProxies
from cloudfront_facade_server.identity.spiffe import SpiffeIds
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from identity.signing import AUDIENCE, EC256, ISSUER, NOW, claims, encode, token, write_issuers

ENTRY: Final = (
    f"issuer: '{ISSUER}', audience: {AUDIENCE}, jwks: keys.json, required_claims: {{sub: ['repo:*']}}, "
    "team_claim: [a, b], groups_claim: [a, c]"
)
with tempfile.TemporaryDirectory() as folder:
    TOKENS: Final = BearerTokens(watched_file(write_issuers(Path(folder), ENTRY)), lambda: NOW)
PROXIES: Final = TrustedProxies(["10.0.0.0/8"], SpiffeIds())

NUMBERS: Final = st.integers() | st.floats() | st.integers(NOW - 1000, NOW + 1000) | st.just(10**400)
VALUES: Final = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.sampled_from([AUDIENCE, ISSUER, "repo:x", "ES256", "ec256"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc") | st.text(), inner, max_size=3),
    max_leaves=8,
)
CLAIMS: Final = st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "a"]), VALUES)
HEADERS: Final = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "cty", "zip"]), VALUES
)


def identify(text: str) -> Any:
    with suppress(CallerUnknownError):
        return asyncio.run(TOKENS.caller(text))
    return None


@settings(deadline=None)
@given(CLAIMS)
def test_signed_tokens_with_any_claims(changed: dict[str, Any]) -> None:
    caller = identify(token({**claims(), **changed}))
    if caller:
        assert (caller.issuer, caller.subject) == (ISSUER, changed.get("sub", claims()["sub"]))
        assert NOW < caller.expires <= NOW + 86_400 + 60 + 30


@settings(deadline=None)
@given(HEADERS)
def test_unsigned_tokens_with_any_header(header: dict[str, Any]) -> None:
    parts = [json.dumps({"alg": "ES256", "kid": "ec256", **header}), json.dumps(claims())]
    text = ".".join([*(encode(part.encode()).decode() for part in parts), encode(b"s" * 64).decode()])
    assert identify(text) is None


@settings(deadline=None)
@given(st.binary(), st.binary(), st.binary())
def test_tokens_of_any_bytes(header: bytes, payload: bytes, signature: bytes) -> None:
    assert identify(".".join(encode(part).decode() for part in (header, payload, signature))) is None


@settings(deadline=None)
@given(st.text())
def test_any_text_as_a_token(text: str) -> None:
    assert identify(text) is None


@settings(deadline=None)
@given(st.binary() | st.dictionaries(st.just("keys"), st.lists(CLAIMS | VALUES)).map(lambda v: json.dumps(v).encode()))
def test_any_bytes_as_a_key_set(raw: bytes) -> None:
    with suppress(UnusableKeysError):
        read_keys(raw)


@settings(deadline=None)
@given(VALUES, st.sampled_from(["kty", "crv", "x", "y", "kid", "use", "alg", "key_ops"]))
def test_keys_with_any_member(value: Any, name: str) -> None:
    public = EC256.as_dict(private=False)
    with suppress(UnusableKeysError):
        keys = read_keys(json.dumps({"keys": [{**public, name: value}]}).encode())
        assert set(keys) == {(value if name == "kid" else "ec256", "ES256")}


@settings(deadline=None)
@given(st.text(), st.text('URIDNS=;,"\\ spfe:/.ab'))
def test_any_text_as_the_header_of_a_proxy(text: str, other: str) -> None:
    for header in (text, other):
        with suppress(CallerUnknownError):
            PROXIES.caller([("x-forwarded-client-cert", header)])


@settings(deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)), max_size=3))
def test_quoted_values_never_name_the_caller(subjects: list[str]) -> None:
    quoted = ["Subject=" + '"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in subjects]
    header = ",".join([*quoted, ";".join(["URI=spiffe://example.org/web", *quoted])])
    caller = PROXIES.caller([("x-forwarded-client-cert", header)])
    assert caller
    assert caller.id == "spiffe://example.org/web"
