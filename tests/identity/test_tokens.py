"""Bearer tokens: which ones identify a caller, and the forgeries that do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import RSAKey

from cloudfront_facade_server.identity import tokens as tokens_module
from cloudfront_facade_server.identity.bearer_tokens import BearerTokens
from cloudfront_facade_server.identity.caller import Caller
from cloudfront_facade_server.identity.issuers import watched_file
from cloudfront_facade_server.identity.tokens import CACHED_TOKENS, TOKEN_MAX_BYTES, Tokens
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from identity.signing import (
    AUDIENCE,
    EC256,
    EC384,
    ISSUER,
    NOW,
    OTHER,
    RSA,
    STRANGER,
    SUBJECT,
    claims,
    encode,
    key_set,
    token,
    write_issuers,
)

ENTRY: Final = (
    f"issuer: '{ISSUER}', audience: {AUDIENCE}, jwks: keys.json, required_claims: {{sub: ['repo:acme/*', 'team-*']}}, "
    "team_claim: team, groups_claim: [realm, groups]"
)
OTHER_ENTRY: Final = (
    f"issuer: '{OTHER}', audience: {AUDIENCE}, jwks: other.json, any_subject: true, groups_claim: groups"
)


class Accepting:
    """Accepts tokens of two issuers at a time that a test sets."""

    def __init__(self, folder: Path, *entries: str) -> None:
        self.now = float(NOW)
        self.files = watched_file(write_issuers(folder, *(entries or (ENTRY, OTHER_ENTRY))))
        self.tokens = BearerTokens(self.files, lambda: self.now)

    def caller(self, text: str) -> Caller:
        return asyncio.run(self.tokens.caller(text))

    def reason(self, text: str) -> str:
        with pytest.raises(CallerUnknownError) as caught:
            self.caller(text)
        return caught.value.reason


@pytest.fixture
def accepting(tmp_path: Path) -> Accepting:
    return Accepting(tmp_path)


@pytest.mark.parametrize("key", [RSA, EC256, EC384], ids=["RS256", "ES256", "ES384"])
def test_a_good_token_identifies_its_caller(accepting: Accepting, key: Any) -> None:
    caller = accepting.caller(token(claims(team="web", realm={"groups": ["platform", "on-call"]}), key))
    assert caller == Caller(
        f"{ISSUER}#{SUBJECT}",
        "jwt",
        groups=frozenset({f"{ISSUER}#platform", f"{ISSUER}#on-call"}),
        team="web",
        issuer=ISSUER,
        subject=SUBJECT,
        expires=NOW + 630,
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [AUDIENCE, "other"]},
        {"nbf": None},
        {"iat": None},
        {"exp": NOW + 600.5},
        {"nbf": NOW + 30},
        {"iat": NOW + 30, "nbf": NOW + 30},
        {"exp": NOW - 29},
        {"iat": NOW - 80_000, "exp": NOW + 6_430},
        {"iat": None, "exp": NOW + 86_430},
        {"sub": "team-a"},
        {"sub": "repo:acme/"},
    ],
)
def test_these_claims_are_accepted(accepting: Accepting, changed: dict[str, Any]) -> None:
    assert accepting.caller(token(claims(**changed))).issuer == ISSUER


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": None}, "is not one of --issuers"),
        ({"iss": "https://evil.example.org"}, "is not one of --issuers"),
        ({"iss": ISSUER + "/"}, "is not one of --issuers"),
        ({"iss": [ISSUER]}, "is not one of --issuers"),
        ({"iss": {"a": 1}}, "is not one of --issuers"),
        ({"aud": None}, "Missing claim: 'aud'"),
        ({"aud": "other"}, "Invalid claim: 'aud'"),
        ({"aud": ["other", AUDIENCE + "x"]}, "Invalid claim: 'aud'"),
        ({"aud": []}, "Invalid claim: 'aud'"),
        ({"aud": [AUDIENCE, 5]}, "Claim 'aud' must be"),
        ({"aud": {AUDIENCE: 1}}, "Claim 'aud' must be"),
        ({"sub": None}, "Missing claim: 'sub'"),
        ({"sub": ""}, "Invalid claim: 'sub'"),
        ({"sub": 5}, "Claim 'sub' must be"),
        ({"sub": "repo:acme/\nx"}, "not a text of 1 to 2,048 printable"),
        ({"sub": "repo:acme/" + "x" * 2048}, "not a text of 1 to 2,048 printable"),
        ({"sub": "repo:acme-evil/web"}, 'claim "sub" of the token has none of the required values'),
        ({"sub": "repo:evil/repo:acme/web"}, "none of the required values"),
        ({"sub": "REPO:acme/web"}, "none of the required values"),
        ({"exp": None}, "Missing claim: 'exp'"),
        ({"exp": NOW - 30}, "expired"),
        ({"exp": NOW - 3600}, "expired"),
        ({"exp": str(NOW + 600)}, "Claim 'exp' must be"),
        ({"exp": True}, "Claim 'exp' must be"),
        ({"exp": [NOW + 600]}, "Claim 'exp' must be"),
        ({"exp": 10**300}, "valid for more than 86400 s"),
        ({"exp": NOW + 86_431, "iat": None}, "valid for more than 86400 s"),
        ({"exp": NOW + 600, "iat": NOW - 86_000}, "valid for more than 86400 s"),
        ({"iat": -(10**300)}, "valid for more than 86400 s"),
        ({"iat": NOW + 31, "exp": NOW + 86_461}, "issued in the future"),
        ({"iat": str(NOW)}, "Claim 'iat' must be"),
        ({"nbf": NOW + 31}, "not yet valid"),
        ({"nbf": str(NOW)}, "Claim 'nbf' must be"),
        ({"team": ["web"]}, "team_claim of the token is not a text"),
        ({"team": ""}, "team_claim of the token is not a text"),
        ({"realm": {"groups": [1]}}, "groups_claim of the token is not a text"),
        ({"realm": {"groups": ["a\u202eb"]}}, "groups_claim of the token is not a text"),
    ],
)
def test_these_claims_are_rejected(accepting: Accepting, changed: dict[str, Any], reason: str) -> None:
    assert reason in accepting.reason(token(claims(**changed)))


@pytest.mark.parametrize("exp", ["NaN", "Infinity", "-Infinity", "1e999", "1e18", '"NaN"', "null", "9" * 5000])
def test_strange_numbers_are_rejected(accepting: Accepting, exp: str) -> None:
    payload = json.dumps(claims(exp="EXP")).replace('"EXP"', exp).encode()
    accepting.reason(token(payload))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"x",
        b"[]",
        b"5",
        b"\xff",
        b"[" * 8000,
        json.dumps(claims(x=float("nan"))).encode(),
        json.dumps(claims(x=[float("inf")])).encode(),
        b'{"a":' * 1500,
        json.dumps(claims()).encode() + b"x",
        json.dumps(claims())[:-1].encode() + b', "sub": "team-admin"}',
        b'{"sub": "team-admin", ' + json.dumps(claims())[1:].encode(),
        json.dumps(claims(a={"b": 1})).replace('"b": 1', '"b": 1, "b": 2').encode(),
    ],
)
def test_payloads_that_are_not_one_clear_object_are_rejected(accepting: Accepting, payload: bytes) -> None:
    assert accepting.reason(token(payload)) == "the token is not a signed JWT"


PUBLIC_PEM: Final = RSA.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("key", "header", "reason"),
    [
        (STRANGER, {}, "signature of the token is wrong"),
        (PUBLIC_PEM, {}, "not signed by one of"),
        (key_set(RSA), {}, "not signed by one of"),
        (PUBLIC_PEM, {"alg": "RS256"}, "signature of the token is wrong"),
        (EC256, {"kid": "rsa"}, 'has no key "rsa" for ES256'),
        (EC256, {"kid": "ec384"}, 'has no key "ec384" for ES256'),
        (RSA, {"alg": "RS512"}, "not signed by one of"),
        (RSA, {"alg": "PS256"}, "not signed by one of"),
        (EC256, {"kid": None}, "does not name its key"),
        (EC256, {"kid": ""}, "does not name its key"),
        (EC256, {"kid": 5}, "does not name its key"),
        (EC256, {"kid": ["ec256"]}, "does not name its key"),
        (EC256, {"kid": "unknown"}, 'has no key "unknown"'),
        (EC256, {"kid": "../../../dev/null"}, "has no key"),
        (EC256, {"kid": "keys.json"}, "has no key"),
        (EC256, {"kid": "https://evil.example.org/keys"}, "has no key"),
        (EC256, {"kid": "ec256' OR '1'='1"}, "has no key"),
        (EC256, {"kid": "EC256"}, "has no key"),
        (STRANGER, {"jwk": STRANGER.as_dict(private=False)}, "signature of the token is wrong"),
        (STRANGER, {"kid": "x", "jwk": {**STRANGER.as_dict(private=False), "kid": "x"}}, 'has no key "x"'),
        (STRANGER, {"jku": "https://evil.example.org/keys"}, "signature of the token is wrong"),
        (STRANGER, {"x5u": "https://evil.example.org/cert"}, "signature of the token is wrong"),
        (STRANGER, {"x5c": ["MIIB"]}, "signature of the token is wrong"),
        (EC256, {"crit": ["exp"], "exp": 1}, "headers crit, b64, zip"),
        (EC256, {"crit": []}, "headers crit, b64, zip"),
        (EC256, {"b64": False}, ""),
        (EC256, {"b64": False, "crit": ["b64"]}, ""),
        (EC256, {"b64": True}, "headers crit, b64, zip"),
        (EC256, {"zip": "DEF"}, "headers crit, b64, zip"),
        (EC256, b'{"alg": "ES256", "alg": "ES256", "kid": "ec256"}', "not a signed JWT"),
        (EC256, b'{"alg": "ES256", "kid": "x", "kid": "ec256"}', "not a signed JWT"),
        (EC256, b"[]", "not a signed JWT"),
        (EC256, b"5", "not a signed JWT"),
        (EC256, b"{}", "not a signed JWT"),
        (EC256, b"[" * 6000, "not a signed JWT"),
    ],
)
def test_forgeries_are_rejected(accepting: Accepting, key: Any, header: Any, reason: str) -> None:
    assert reason in accepting.reason(token(None, key, header))


def test_the_keys_of_one_issuer_do_not_count_for_another(accepting: Accepting) -> None:
    assert "signature of the token is wrong" in accepting.reason(token(claims(iss=OTHER)))
    assert 'has no key "rsa"' in accepting.reason(token(claims(iss=OTHER), RSA))
    assert "signature of the token is wrong" in accepting.reason(token(key=STRANGER))


def unsigned(header: Mapping[str, Any], signature: str = "") -> str:
    return (
        (encode(json.dumps(header).encode()) + b"." + encode(json.dumps(claims()).encode())).decode() + "." + signature
    )


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", "AA"])
def test_tokens_without_a_signature_are_rejected(accepting: Accepting, algorithm: str, signature: str) -> None:
    accepting.reason(unsigned({"alg": algorithm, "kid": "ec256"}, signature))


@pytest.mark.parametrize(
    "text",
    ["", "x", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "..", "é.b.c", "a.b.c\n", "\0"],
)
def test_what_is_not_a_token_is_rejected(accepting: Accepting, text: str) -> None:
    assert accepting.reason(text) == "the token is not a signed JWT"


@pytest.mark.parametrize("suffix", [".", "=", "==", " ", "\n", ".AA"])
def test_what_follows_a_token_is_rejected(accepting: Accepting, suffix: str) -> None:
    assert accepting.reason(token() + suffix) == "the token is not a signed JWT"


def test_every_changed_byte_is_noticed(accepting: Accepting) -> None:
    good = token()
    accepting.caller(good)
    for index in range(0, len(good), 7):
        changed = "A" if good[index] != "A" else "B"
        accepting.reason(good[:index] + changed + good[index + 1 :])


def test_a_token_above_the_limit_is_rejected_unread(accepting: Accepting) -> None:
    assert "more than 12,288 bytes" in accepting.reason(token(claims(x="y" * 15_000)))
    assert len(token(claims(x="y" * 8_900))) <= TOKEN_MAX_BYTES
    assert accepting.caller(token(claims(x="y" * 8_900)))


def test_a_long_header_is_accepted(accepting: Accepting) -> None:
    assert accepting.caller(token(header={"x5c": ["A" * 2000]}))


def test_the_same_group_of_another_issuer_is_another_group(accepting: Accepting) -> None:
    ours = accepting.caller(token(claims(realm={"groups": ["platform"]})))
    theirs = accepting.caller(token(claims(iss=OTHER, groups=["platform"]), STRANGER))
    assert ours.groups == {f"{ISSUER}#platform"}
    assert theirs.groups == {f"{OTHER}#platform"}
    assert theirs.id == f"{OTHER}#{SUBJECT}" != ours.id


def test_the_prefix_of_groups_can_be_set(tmp_path: Path) -> None:
    accepting = Accepting(tmp_path, f"{ENTRY}, groups_prefix: 'acme:'")
    assert accepting.caller(token(claims(realm={"groups": "platform"}))).groups == {"acme:platform"}


@pytest.mark.parametrize("realm", [None, {}, {"groups": None}, {"groups": []}, "x", {"other": ["a"]}])
def test_missing_groups_are_no_groups(accepting: Accepting, realm: Any) -> None:
    assert accepting.caller(token(claims(realm=realm))).groups == frozenset()


def test_the_team_is_set_only_if_the_entry_names_its_claim(accepting: Accepting) -> None:
    assert accepting.caller(token(claims(team="web"))).team == "web"
    assert accepting.caller(token()).team is None
    assert accepting.caller(token(claims(iss=OTHER, team="web"), STRANGER)).team is None


@pytest.mark.parametrize(
    ("value", "is_accepted"),
    [
        ("acme/web", True),
        (["x", "acme/api"], True),
        ("evil/web", False),
        (["evil/web"], False),
        ([], False),
        (None, False),
        (True, False),
        ({"acme/web": "acme/web"}, False),
        ([["acme/web"]], False),
    ],
)
def test_a_required_claim_has_one_of_the_allowed_values(tmp_path: Path, value: Any, is_accepted: bool) -> None:
    required = "required_claims: {repository: ['acme/*'], sub: ['*main']}"
    accepting = Accepting(tmp_path, f"issuer: '{ISSUER}', audience: {AUDIENCE}, jwks: keys.json, {required}")
    if is_accepted:
        assert accepting.caller(token(claims(repository=value)))
    else:
        assert '"repository"' in accepting.reason(token(claims(repository=value)))
    assert '"sub"' in accepting.reason(token(claims(repository="acme/web", sub="x")))


def test_the_longest_lifetime_can_be_set(tmp_path: Path) -> None:
    accepting = Accepting(tmp_path, f"{ENTRY}, max_lifetime_seconds: 600")
    assert accepting.caller(token(claims(iat=NOW, exp=NOW + 630)))
    assert "more than 600 s" in accepting.reason(token(claims(iat=NOW, exp=NOW + 631)))


def test_a_verified_token_is_remembered_until_it_expires(accepting: Accepting, monkeypatch: pytest.MonkeyPatch) -> None:
    text = token()
    first = accepting.caller(text)
    monkeypatch.delattr(Tokens, "_verify")
    accepting.now += 629
    assert accepting.caller(text) is first
    accepting.now += 1
    assert accepting.reason(text) == "the token has expired"
    monkeypatch.undo()
    assert "expired" in accepting.reason(text)


def test_a_key_that_was_taken_out_of_the_set_no_longer_counts(accepting: Accepting, tmp_path: Path) -> None:
    text, other = token(), token(key=RSA)
    assert accepting.caller(text)
    assert accepting.caller(other)
    (tmp_path / "keys.json").write_bytes(key_set(RSA))
    accepting.files.look()
    assert accepting.caller(text)
    accepting.files.look()
    assert "has no key" in accepting.reason(text)
    assert accepting.caller(other)


def test_an_issuer_that_was_taken_out_of_the_file_no_longer_counts(accepting: Accepting, tmp_path: Path) -> None:
    text = token()
    assert accepting.caller(text)
    write_issuers(tmp_path, OTHER_ENTRY)
    for _ in range(2):
        accepting.files.look()
    assert "is not one of --issuers" in accepting.reason(text)


def test_a_stricter_entry_counts_for_remembered_tokens(accepting: Accepting, tmp_path: Path) -> None:
    text = token()
    assert accepting.caller(text)
    write_issuers(tmp_path, ENTRY.replace("repo:acme/*", "repo:acme/api:*"))
    for _ in range(2):
        accepting.files.look()
    assert "required values" in accepting.reason(text)


def test_remembered_tokens_are_bounded(accepting: Accepting, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CACHED_TOKENS == 4096
    monkeypatch.setattr(tokens_module, "CACHED_TOKENS", 2)
    first, second, third = (token(claims(sub=f"team-{number}")) for number in range(3))
    remembered = accepting.caller(first)
    accepting.caller(second)
    assert accepting.caller(first) is remembered
    accepting.caller(third)
    assert accepting.caller(first) is remembered
    assert len(accepting.tokens._tokens._verified) == 2


def test_rejected_tokens_are_not_remembered(accepting: Accepting) -> None:
    accepting.reason(token(key=STRANGER))
    assert not accepting.tokens._tokens._verified


def test_a_small_rsa_key_does_not_count(tmp_path: Path) -> None:
    accepting = Accepting(tmp_path)
    with pytest.warns(UserWarning, match="2048"):
        small = RSAKey.generate_key(1024, {"kid": "small"})
    (tmp_path / "keys.json").write_bytes(key_set(small, RSA))
    for _ in range(2):
        accepting.files.look()
    assert 'has no key "small"' in accepting.reason(token(key=small, header={"alg": "RS256", "kid": "small"}))
    assert accepting.caller(token(key=RSA))
