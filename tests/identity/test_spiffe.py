"""SPIFFE ids: what is one, which trust domains count, and where the team is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade_server.identity.spiffe import ID_MAX_BYTES, SpiffeIds, is_spiffe
from cloudfront_facade_server.identity.unknown import CallerUnknownError

LONGEST = "spiffe://a/" + "b" * (ID_MAX_BYTES - len("spiffe://a/"))


@pytest.mark.parametrize(
    ("uri", "trust_domain", "path"),
    [
        ("spiffe://example.org/ns/web/sa/deploy", "example.org", "/ns/web/sa/deploy"),
        ("spiffe://a-b_c.9/X", "a-b_c.9", "/X"),
        ("spiffe://example.org/...", "example.org", "/..."),
        (LONGEST, "a", LONGEST.removeprefix("spiffe://a")),
    ],
)
def test_an_id_is_read(uri: str, trust_domain: str, path: str) -> None:
    caller = SpiffeIds().caller(uri, 5.0)
    assert (caller.id, caller.by, caller.expires) == (uri, "spiffe", 5.0)
    assert (caller.trust_domain, caller.path, caller.team) == (trust_domain, path, None)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe:",
        "spiffe://",
        "spiffe:///path",
        "spiffe://example.org",
        "spiffe://example.org/",
        "spiffe://example.org/a/",
        "spiffe://example.org//a",
        "spiffe://example.org/a//b",
        "spiffe://example.org/.",
        "spiffe://example.org/a/../admin",
        "spiffe://example.org/a/./b",
        "spiffe://example.org/..",
        "spiffe://example.org/a?b",
        "spiffe://example.org/a#b",
        "spiffe://example.org/a#",
        "spiffe://example.org/a%2fb",
        "spiffe://example.org/%61",
        "spiffe://example.org/a b",
        "spiffe://example.org/a\n",
        "spiffe://example.org/é",
        "spiffe://example.org/a;b",
        "spiffe://example.org:443/a",
        "spiffe://user@example.org/a",
        "spiffe://user:password@example.org/a",
        "spiffe://Example.org/a",
        "spiffe://exámple.org/a",
        "spiffe://[::1]/a",
        "SPIFFE://example.org/a",
        "Spiffe://example.org/a",
        "spiffe:/example.org/a",
        " spiffe://example.org/a",
        "https://example.org/a",
        "spiffe://" + "a" * 256 + "/b",
        LONGEST + "b",
    ],
)
def test_what_is_not_strictly_an_id_is_rejected(uri: str) -> None:
    with pytest.raises(CallerUnknownError):
        SpiffeIds().caller(uri, 5.0)


@pytest.mark.parametrize("uri", ["spiffe:", "SPIFFE://a/b", "spiffe:x", "sPiFfE://"])
def test_every_case_of_the_scheme_means_to_be_an_id(uri: str) -> None:
    assert is_spiffe(uri)
    assert not is_spiffe("x" + uri)


def test_only_trust_domains_of_the_setting_are_accepted() -> None:
    ids = SpiffeIds(["example.org", "example.com"])
    assert ids.caller("spiffe://example.com/a", 0).trust_domain == "example.com"
    for domain in ("example.net", "sub.example.org", "example.org.evil", "example"):
        with pytest.raises(CallerUnknownError, match="is not one of --trust-domain"):
            ids.caller(f"spiffe://{domain}/a", 0)


@pytest.mark.parametrize(
    ("pattern", "path", "team"),
    [
        ("/ns/{team}/*", "/ns/web/sa/deploy", "web"),
        ("/ns/{team}/*", "/ns/web", None),
        ("/ns/{team}/*", "/xns/web/sa", None),
        ("/ns/{team}/*", "/a/ns/web/sa", None),
        ("/ns/{team}", "/ns/web", "web"),
        ("/ns/{team}", "/ns/web/sa", None),
        ("/{team}/*", "/web/x/y/z", "web"),
        ("/{team}", "/web-blog", "web-blog"),
        ("/a.b/{team}/c", "/a.b/web/c", "web"),
        ("/a.b/{team}/c", "/axb/web/c", None),
        ("/env/{team}/sa/*", "/env/web/sa/x", "web"),
    ],
)
def test_the_team_is_read_from_the_path(pattern: str, path: str, team: str | None) -> None:
    assert SpiffeIds((), pattern).caller(f"spiffe://example.org{path}", 0).team == team


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "/",
        "{team}",
        "ns/{team}",
        "/ns",
        "/ns/*",
        "/{team}/{team}",
        "/ns/{team}/",
        "/ns//{team}",
        "/ns/*/{team}",
        "/ns/x{team}",
        "/ns/{team}*",
        "/ns/{name}/{team}",
        "/ns/../{team}",
        "/ns/{team}/**",
        "/n s/{team}",
        "/(.*)/{team}",
    ],
)
def test_a_malformed_pattern_is_rejected_at_the_start(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^--team-from-path .*; allowed: .*for example /ns/\{team\}/\*$"):
        SpiffeIds((), pattern)


@pytest.mark.parametrize("name", ["", "Example.org", "spiffe://example.org", "example.org/", "a b", "é", "a" * 256])
def test_a_malformed_trust_domain_is_rejected_at_the_start(name: str) -> None:
    with pytest.raises(ValueError, match=r"^--trust-domain .*not a trust domain; allowed: "):
        SpiffeIds([name])


@given(st.text("aZ./%:@?#-_é ", max_size=20))
def test_an_accepted_id_has_no_second_reading(rest: str) -> None:
    uri = f"spiffe://{rest}"
    try:
        caller = SpiffeIds().caller(uri, 0)
    except CallerUnknownError:
        return
    assert f"spiffe://{caller.trust_domain}{caller.path}" == uri == caller.id
    assert {"", ".", ".."}.isdisjoint((caller.path or "").split("/")[1:])
    assert set("%:@?# é").isdisjoint(rest)
