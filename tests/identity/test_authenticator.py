"""Who calls: the client certificate, else a bearer token, else anonymous, and never another one of these."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import pytest

from cloudfront_facade_server.identity.authenticator import Authenticator
from cloudfront_facade_server.identity.bearer_tokens import BearerTokens
from cloudfront_facade_server.identity.caller import ANONYMOUS, Caller
from cloudfront_facade_server.identity.certificates import Certificates
from cloudfront_facade_server.identity.issuers import watched_file
from cloudfront_facade_server.identity.proxies import TrustedProxies
from cloudfront_facade_server.identity.spiffe import SpiffeIds
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from identity.signing import AUDIENCE, ISSUER, NOW, STRANGER, SUBJECT, claims, token, write_issuers

Metadata = list[tuple[str, str | bytes]]

NETWORK: Final = "ipv4:192.0.2.1:5000"
LOOPBACK: Final = "ipv4:127.0.0.1:5000"
PROXY: Final = "ipv4:10.0.0.1:5000"
WEB: Final = "spiffe://example.org/ns/web"
XFCC: Final = ("x-forwarded-client-cert", f"URI={WEB}")
IDS: Final = SpiffeIds(["example.org"])

CERTIFICATE: Final = {"x509_pem_cert": [b"good"]}
"""What the stub of certificates accepts; others are in the tests of certificates."""

BAD_CERTIFICATE: Final = {"x509_pem_cert": [b"bad"]}


class StubCertificates:
    def caller(self, auth_context: Mapping[str, Sequence[bytes]]) -> Caller | None:
        pem = auth_context.get("x509_pem_cert")
        if pem == [b"bad"]:
            raise CallerUnknownError("bad certificate")
        return Caller(WEB, "spiffe") if pem else None


@pytest.fixture
def tokens(tmp_path: Path) -> BearerTokens:
    entry = f"issuer: '{ISSUER}', audience: {AUDIENCE}, jwks: keys.json, required_claims: {{sub: ['repo:acme/*']}}"
    return BearerTokens(watched_file(write_issuers(tmp_path, entry)), lambda: NOW)


def authenticator(
    tokens: BearerTokens | None = None,
    *,
    certificates: bool = False,
    proxies: Sequence[str] = (),
    anonymous: bool = False,
    local: bool = False,
) -> Authenticator:
    return Authenticator(
        cast(Certificates, StubCertificates()) if certificates else None,
        TrustedProxies(proxies, IDS) if proxies else None,
        tokens,
        allows_anonymous=anonymous,
        is_local=local,
    )


def identify(
    who: Authenticator,
    *metadata: tuple[str, str | bytes],
    peer: str = NETWORK,
    context: Mapping[str, Sequence[bytes]] | None = None,
    tls: bool = True,
) -> Caller:
    return asyncio.run(who.identify(peer, context or {}, [("user-agent", "x"), *metadata], tls))


def reason(who: Authenticator, *metadata: tuple[str, str | bytes], **options: Any) -> str:
    with pytest.raises(CallerUnknownError) as caught:
        identify(who, *metadata, **options)
    return caught.value.reason


def bearer(text: str | None = None, scheme: str = "Bearer") -> tuple[str, str]:
    return "authorization", f"{scheme} {token() if text is None else text}"


def test_the_certificate_comes_first(tokens: BearerTokens) -> None:
    who = authenticator(tokens, certificates=True, anonymous=True)
    assert identify(who, bearer(), context=CERTIFICATE).id == WEB
    assert identify(who, bearer()).id == f"{ISSUER}#{SUBJECT}"
    assert identify(who) is ANONYMOUS


def test_a_certificate_that_is_not_accepted_is_rejected_whatever_is_next_to_it(tokens: BearerTokens) -> None:
    who = authenticator(tokens, certificates=True, anonymous=True)
    assert reason(who, bearer(), context=BAD_CERTIFICATE) == "bad certificate"
    assert reason(who, context=BAD_CERTIFICATE) == "bad certificate"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic dXNlcjpwdw==",
        "Bearer\tx",
        "Token x",
        b"Bearer x",
    ],
)
def test_a_bad_token_is_never_anonymous(tokens: BearerTokens, header: str | bytes) -> None:
    who = authenticator(tokens, certificates=True, anonymous=True, local=True)
    assert reason(who, ("authorization", header))


def test_forged_and_oversized_tokens_are_never_anonymous(tokens: BearerTokens) -> None:
    who = authenticator(tokens, anonymous=True, local=True)
    assert "signature" in reason(who, bearer(token(key=STRANGER)))
    assert "more than 12,288 bytes" in reason(who, bearer("x" * 20_480))
    assert "expired" in reason(who, bearer(token(claims(exp=NOW - 60))))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_counts_in_any_case(tokens: BearerTokens, scheme: str) -> None:
    assert identify(authenticator(tokens), bearer(scheme=scheme)).by == "jwt"


@pytest.mark.parametrize("scheme", ["Basic", "Token", "DPoP", "Bearer\t", ""])
def test_other_schemes_are_rejected(tokens: BearerTokens, scheme: str) -> None:
    assert 'is not "Bearer" and a token' in reason(authenticator(tokens, anonymous=True), bearer(scheme=scheme))
    assert 'is not "Bearer" and a token' in reason(authenticator(tokens, anonymous=True), ("authorization", token()))


def test_two_authorizations_are_unknown_whoever_sends_them(tokens: BearerTokens) -> None:
    who = authenticator(tokens, certificates=True, anonymous=True)
    good = bearer()
    for context in ({}, CERTIFICATE):
        assert "more than one authorization" in reason(who, good, good, context=context)
        assert "more than one authorization" in reason(who, good, bearer("x"), context=context)


def test_nobody_is_anonymous_unless_allowed(tokens: BearerTokens) -> None:
    assert identify(authenticator(anonymous=True)) is ANONYMOUS
    assert "neither a client certificate nor a bearer token" in reason(authenticator())
    assert "neither a client certificate nor a bearer token" in reason(authenticator(tokens, local=True))


def test_tokens_are_read_only_on_tls_and_local_listeners(tokens: BearerTokens) -> None:
    assert identify(authenticator(tokens), bearer(), tls=True)
    assert identify(authenticator(tokens, local=True), bearer(), peer=LOOPBACK, tls=False)
    assert identify(authenticator(tokens, local=True), bearer(), peer="unix:", tls=False)
    for peer in (NETWORK, LOOPBACK):
        assert "is not read" in reason(authenticator(tokens, anonymous=True), bearer(), peer=peer, tls=False)


def test_a_token_without_issuers_is_unknown() -> None:
    assert "--issuers is not set" in reason(authenticator(anonymous=True, local=True), bearer())


def test_the_identity_behind_a_trusted_proxy_comes_from_its_header(tokens: BearerTokens) -> None:
    who = authenticator(tokens, certificates=True, proxies=["10.0.0.0/8"], anonymous=True)
    assert identify(who, XFCC, peer=PROXY).id == WEB
    assert identify(who, XFCC, peer=PROXY, tls=False).id == WEB
    assert identify(who, XFCC, bearer(), peer=PROXY, context=BAD_CERTIFICATE).id == WEB
    assert identify(who, bearer(), peer=PROXY).by == "jwt"


def test_nobody_is_anonymous_behind_a_trusted_proxy(tokens: BearerTokens) -> None:
    who = authenticator(tokens, certificates=True, proxies=["10.0.0.0/8", "loopback", "unix"], anonymous=True)
    for peer in (PROXY, LOOPBACK, "unix:"):
        assert "neither a client certificate" in reason(who, peer=peer)
        assert "neither a client certificate" in reason(who, peer=peer, context=CERTIFICATE), "the proxy's own"
        assert reason(who, bearer("x"), peer=peer)
        assert reason(who, ("x-forwarded-client-cert", "Hash=ab"), bearer(), peer=peer)


def test_the_headers_of_other_peers_are_ignored(tokens: BearerTokens) -> None:
    who = authenticator(tokens, certificates=True, proxies=["10.0.0.0/8"], anonymous=True)
    forwarded = ("x-forwarded-for", "198.51.100.1")
    assert identify(who, XFCC) is ANONYMOUS
    assert identify(authenticator(anonymous=True), XFCC, peer=PROXY) is ANONYMOUS
    assert who.address(NETWORK, [forwarded]) == NETWORK
    assert who.address(PROXY, [forwarded]) == "ipv4:198.51.100.1"
    assert authenticator().address(PROXY, [forwarded]) == PROXY


def test_a_known_token_is_identified_without_waiting(tokens: BearerTokens) -> None:
    who = authenticator(tokens, certificates=True)
    for context in ({}, CERTIFICATE):
        with pytest.raises(StopIteration):
            who.identify(NETWORK, context, [bearer()], True).send(None)


def test_the_auth_context_is_read_only_for_certificates() -> None:
    assert authenticator(certificates=True).reads_certificates
    assert not authenticator(anonymous=True).reads_certificates
    assert identify(authenticator(anonymous=True), context=BAD_CERTIFICATE) is ANONYMOUS


def test_without_issuers_there_is_nothing_to_keep_fresh() -> None:
    asyncio.run(authenticator().run())
