"""Trusted proxies: whose headers count, and what they say."""

from __future__ import annotations

import pytest

from cloudfront_facade_server.identity.proxies import TrustedProxies
from cloudfront_facade_server.identity.spiffe import SpiffeIds
from cloudfront_facade_server.identity.unknown import CallerUnknownError

WEB = "spiffe://example.org/ns/web/sa/deploy"
IDS = SpiffeIds(["example.org"], "/ns/{team}/*")
PROXIES = TrustedProxies(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"], IDS)


def xfcc(*values: str) -> list[tuple[str, str | bytes]]:
    return [("user-agent", "x"), *(("x-forwarded-client-cert", value) for value in values)]


@pytest.mark.parametrize(
    ("proxies", "peer", "is_trusted"),
    [
        (["10.0.0.0/8"], "ipv4:10.1.2.3:5000", True),
        (["10.0.0.0/8"], "ipv4:11.1.2.3:5000", False),
        (["10.0.0.0/8"], "ipv6:%5B::ffff:10.1.2.3%5D:5000", True),
        (["10.0.0.0/8"], "unix:", False),
        (["10.0.0.0/8"], "unix:10.1.2.3:5", False),
        (["10.0.0.0/8"], "ipv4:nonsense", False),
        (["10.0.0.0/8"], "", False),
        (["2001:db8::/32"], "ipv6:%5B2001:db8::1%5D:5000", True),
        (["2001:db8::/32"], "ipv6:[2001:db9::1]:5000", False),
        (["192.0.2.7"], "ipv4:192.0.2.7:1", True),
        (["192.0.2.7"], "ipv4:192.0.2.70:1", False),
        (["loopback"], "ipv4:127.0.0.6:5000", True),
        (["loopback"], "ipv6:%5B::1%5D:5000", True),
        (["loopback"], "ipv4:10.0.0.1:5000", False),
        (["loopback"], "unix:", False),
        (["unix"], "unix:", True),
        (["unix"], "unix:/run/facade.sock", True),
        (["unix"], "ipv4:127.0.0.1:5000", False),
        (["unix", "loopback"], "ipv4:127.0.0.1:5000", True),
        (["0.0.0.0/0"], "ipv6:%5B2001:db8::1%5D:5000", False),
    ],
)
def test_only_these_peers_are_trusted(proxies: list[str], peer: str, is_trusted: bool) -> None:
    assert TrustedProxies(proxies, IDS).trusts(peer) is is_trusted


@pytest.mark.parametrize("proxy", ["", "10.0.0.1/8", "10.0.0.0/33", "Loopback", "proxy.example.org", "*"])
def test_a_malformed_proxy_is_rejected_at_the_start(proxy: str) -> None:
    with pytest.raises(ValueError, match=r"^--trusted-proxies .*; allowed: a network such as 10.0.0.0/8, an address, "):
        TrustedProxies([proxy], IDS)


@pytest.mark.parametrize(
    ("header", "identity"),
    [
        (f"By=spiffe://x/y;Hash=ab;URI={WEB}", WEB),
        (f'Hash=ab;Subject="CN=a, O=\\"b;c\\"";URI={WEB};DNS=a.example.org', WEB),
        (f'URI="{WEB}"', WEB),
        (f"uri={WEB}", WEB),
        (f"URI=spiffe://example.org/ns/other,By=x;URI={WEB}", WEB),
        (f"URI=spiffe://example.org/ns/other, URI={WEB}", WEB),
        (f'Subject="x,URI=spiffe://example.org/ns/admin";URI={WEB}', WEB),
        (f'URI={WEB};Subject="x,URI=spiffe://example.org/ns/admin"', WEB),
        (f'URI={WEB};Subject="\\",URI=spiffe://example.org/ns/admin;X=\\""', WEB),
        (f"Hash=ab==;URI={WEB};Cert=-----BEGIN%20", WEB),
        ("URI=;DNS=Web.example.org;DNS=b.example.org", "dns:web.example.org"),
        ("URI=https://example.org/x;DNS=web.example.org", "dns:web.example.org"),
    ],
)
def test_the_last_element_names_the_caller(header: str, identity: str) -> None:
    caller = PROXIES.caller(xfcc(header))
    assert caller
    assert caller.id == identity
    assert caller.team == ("web" if caller.by == "spiffe" else None)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "malformed"),
        (f"URI={WEB},", "malformed"),
        (f"URI={WEB};", "malformed"),
        (f",URI={WEB},x", "malformed"),
        (f'URI="{WEB}', "malformed"),
        (f'URI="{WEB}"x', "malformed"),
        (f'URI=a"{WEB}"', "malformed"),
        (f"URI={WEB};URI={WEB}", "more than one URI"),
        (f"URI={WEB};URI=https://x/", "more than one URI"),
        ("By=x;Hash=ab", "neither a SPIFFE id nor a DNS name"),
        (f'By={WEB};Hash=ab;Subject="CN=web.example.org"', "neither a SPIFFE id nor a DNS name"),
        (f"URI={WEB},By=x;Hash=ab", "neither a SPIFFE id nor a DNS name"),
        ("URI=spiffe://example.net/a;DNS=web.example.org", "not one of --trust-domain"),
        ("URI=spiffe:x;DNS=web.example.org", "not a SPIFFE id"),
        ("URI=SPIFFE://example.org/a;DNS=web.example.org", "not a SPIFFE id"),
        ("URI=spiffe://example.org/a/../b;DNS=web.example.org", "dot segment"),
        ("DNS=*.example.org", "not the name of one host"),
    ],
)
def test_a_header_that_is_not_accepted_is_rejected(header: str, reason: str) -> None:
    with pytest.raises(CallerUnknownError, match=reason):
        PROXIES.caller(xfcc(header))


def test_without_the_header_there_is_no_certificate() -> None:
    assert PROXIES.caller([("user-agent", "x")]) is None


def test_of_several_headers_the_last_one_counts() -> None:
    caller = PROXIES.caller(xfcc("URI=spiffe://example.org/ns/other", f"URI={WEB}"))
    assert caller
    assert caller.id == WEB


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("ipv4:10.0.0.1:5", ["192.0.2.1"], "ipv4:192.0.2.1"),
        ("ipv4:10.0.0.1:5", ["198.51.100.9, 192.0.2.1"], "ipv4:192.0.2.1"),
        ("ipv4:10.0.0.1:5", ["198.51.100.9", "192.0.2.1"], "ipv4:192.0.2.1"),
        ("ipv4:10.0.0.1:5", ["2001:db8::5"], "ipv6:[2001:db8::5]"),
        ("ipv4:10.0.0.1:5", ["192.0.2.1, nonsense"], "ipv4:10.0.0.1:5"),
        ("ipv4:10.0.0.1:5", [], "ipv4:10.0.0.1:5"),
        ("ipv4:11.0.0.1:5", ["192.0.2.1"], "ipv4:11.0.0.1:5"),
    ],
)
def test_the_address_is_the_last_one_that_a_trusted_proxy_adds(peer: str, headers: list[str], address: str) -> None:
    assert PROXIES.address(peer, [("x-forwarded-for", each) for each in headers]) == address
