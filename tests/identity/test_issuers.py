"""The issuers file: what is read, and what is rejected with its entry and field."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from cloudfront_facade_server.identity.issuer import KeySource
from cloudfront_facade_server.identity.issuers import FILE_MAX_BYTES, Issuers, load, watched_file
from cloudfront_facade_server.watched_files import UnusableFilesError
from identity.authority import Authority
from identity.signing import EC256, key_set

GOOD: Final = "issuer: 'https://issuer.example.org', audience: facade, required_claims: {sub: ['a*']}"
PATH: Final = Path("issuers.yaml")


def problem(text: str | bytes) -> str:
    with pytest.raises(UnusableFilesError) as caught:
        load(PATH, {"issuers.yaml": text.encode() if isinstance(text, str) else text})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def loaded(text: str) -> Issuers:
    return load(PATH, {"issuers.yaml": text.encode()})


def test_the_defaults() -> None:
    [issuer] = loaded(f"- {{{GOOD}}}").values()
    assert issuer.keys == KeySource("https://issuer.example.org")
    assert (issuer.name, issuer.audience) == ("https://issuer.example.org", "facade")
    assert (issuer.team_claim, issuer.groups_claim) == ((), ())
    assert (issuer.groups_prefix, issuer.max_lifetime_seconds) == ("https://issuer.example.org#", 86_400)


def test_all_fields(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(Authority().pem)
    path = tmp_path / "issuers.yaml"
    path.write_text(
        """
- issuer: https://issuer.example.org/realms/x
  audience: facade
  jwks: https://keys.example.org/keys?a=b
  ca_file: ca.pem
  token_file: /run/token
  any_subject: true
  team_claim: [acme, team]
  groups_claim: groups
  groups_prefix: ""
  max_lifetime_seconds: 3600
"""
    )
    [issuer] = watched_file(path).current.values()
    certificates = (tmp_path / "ca.pem").read_text()
    assert issuer.keys == KeySource(issuer.name, "https://keys.example.org/keys?a=b", certificates, Path("/run/token"))
    assert (issuer.team_claim, issuer.groups_claim) == (("acme", "team"), ("groups",))
    assert (issuer.groups_prefix, issuer.max_lifetime_seconds) == ("", 3600)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{}", "issuer: missing; allowed: the https URL that the tokens have as iss"),
        ("a", '"a"; allowed: issuer, audience, jwks, ca_file, token_file, required_claims'),
        (f"{{{GOOD}, jwk: x}}", '"jwk": unknown field; allowed: issuer, audience, jwks'),
        (f"{{{GOOD}, 'a\\n': x}}", "unknown field"),
        ("{issuer: 'https://b.example', required_claims: {sub: [a]}}", "audience: missing; allowed: what the tokens"),
        (f"{{{GOOD}, max_lifetime_seconds: '5'}}", 'max_lifetime_seconds: "5"; allowed: a whole number from 1 to'),
        (f"{{{GOOD}, max_lifetime_seconds: 0}}", 'max_lifetime_seconds: "0"; allowed: a whole number from 1 to'),
        (f"{{{GOOD}, max_lifetime_seconds: 99999999}}", "allowed: a whole number from 1 to 31622400"),
        (f"{{{GOOD}, max_lifetime_seconds: true}}", 'max_lifetime_seconds: "True"; allowed: a whole number'),
        (f"{{{GOOD}, team_claim: 5}}", 'team_claim: "5"; allowed: the name of a claim, or a list of names'),
        (f"{{{GOOD}, team_claim: []}}", "team_claim: "),
        (f"{{{GOOD}, groups_claim: ''}}", "groups_claim: "),
        (f"{{{GOOD}, groups_claim: [a, 5]}}", "groups_claim: "),
        (f"{{{GOOD}, groups_prefix: 5}}", 'groups_prefix: "5"; allowed: a text'),
        (f"{{{GOOD}, any_subject: 'true'}}", 'any_subject: "true"; allowed: true or false'),
        (f"{{{GOOD}, any_subject: true}}", "required_claims, any_subject: both are set; allowed"),
        (f"{{{GOOD}, jwks: http://keys.example.org}}", 'jwks: "http://keys.example.org"; allowed: a file or an https'),
        (f"{{{GOOD}, jwks: file:///etc/keys}}", 'jwks: "file:///etc/keys"; allowed: a file or an https URL'),
        (f"{{{GOOD}, jwks: 'https://user:pw@keys.example.org'}}", "allowed: a file or an https URL"),
        (f"{{{GOOD}, jwks: keys.json, ca_file: ca.pem}}", "ca_file: set with a file as jwks; allowed: only with a URL"),
        (f"{{{GOOD}, jwks: keys.json, token_file: t}}", "token_file: set with a file as jwks"),
        ("{issuer: 'https://b.example', audience: f}", "required_claims, any_subject: neither is set; allowed:"),
        ("{issuer: 'https://b.example', audience: f, any_subject: false}", "neither is set"),
        ("{issuer: 'https://b.example', audience: f, required_claims: {}}", "required_claims: not a single value"),
        (
            "{issuer: 'https://b.example', audience: f, required_claims: {sub: a}}",
            'required_claims."sub": "a"; allowed',
        ),
        ("{issuer: 'https://b.example', audience: f, required_claims: {sub: []}}", 'required_claims."sub": not a'),
        ("{issuer: 'https://b.example', audience: f, required_claims: {sub: [5]}}", 'required_claims."sub": "5"'),
        ("{issuer: 'https://b.example', audience: f, required_claims: {sub: ['*']}}", '"*" matches everything'),
        ("{issuer: 'https://b.example', audience: f, required_claims: {sub: [a, '**']}}", '"*" matches everything'),
        (
            "{issuer: http://b.example, audience: f, any_subject: true}",
            'issuer: "http://b.example"; allowed: the https',
        ),
        ("{issuer: b.example, audience: f, any_subject: true}", 'issuer: "b.example"; allowed: the https'),
        ("{issuer: 'https://', audience: f, any_subject: true}", 'issuer: "https://"; allowed: the https'),
        ("{issuer: 'https://b.example#x', audience: f, any_subject: true}", "allowed: the https URL"),
        ("{issuer: 'https://b.example?x', audience: f, any_subject: true}", "allowed: the https URL"),
        ("{issuer: 'https://b.example:x', audience: f, any_subject: true}", "allowed: the https URL"),
        ("{issuer: 'https://u@b.example', audience: f, any_subject: true}", "allowed: the https URL"),
        ("{issuer: 'https://b.example\\', audience: f, any_subject: true}", "allowed: the https URL"),
        ('{issuer: "https://b.example/\\u00e9", audience: f, any_subject: true}', "allowed: the https URL"),
    ],
)
def test_an_invalid_entry_is_rejected_with_its_number_and_field(entry: str, expected: str) -> None:
    found = problem(f"- {{{GOOD}}}\n- {entry}")
    assert found.startswith("issuers.yaml: entry 2: ")
    assert expected in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no entries; allowed: a list of entries with issuer, audience"),
        ("issuer: https://x", "no entries; allowed"),
        ("- a: b\n  a: c", "occurs twice"),
        (f"- {{{GOOD}}}\n- {{{GOOD}}}", 'issuer: "https://issuer.example.org" occurs twice; allowed: one entry'),
        ("- required_claims: {sub: [*]}", "write a text that begins with * in quotes"),
        (b"- \xff", "not UTF-8"),
        (
            "- {issuer: 1}\n- {issuer: 2}",
            'entry 1: issuer: "1"; allowed: the https URL that the tokens have as iss; entry 1: audience: missing',
        ),
    ],
)
def test_what_is_not_a_list_of_issuers_is_rejected(text: str | bytes, expected: str) -> None:
    assert expected in problem(text)


def test_files_are_found_next_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "keys.json").write_bytes(key_set(EC256))
    path = tmp_path / "issuers.yaml"
    path.write_text(f"- {{{GOOD}, jwks: keys.json}}")
    [issuer] = watched_file(path).current.values()
    assert not isinstance(issuer.keys, KeySource)
    assert set(issuer.keys) == {("ec256", "ES256")}


@pytest.mark.parametrize(
    ("field", "content", "expected"),
    [
        ("jwks: missing.json", None, "missing.json: no such file or directory; entry 1 of"),
        ("jwks: /", None, "/: is a directory; entry 1 of"),
        ('jwks: "a\\0b"', None, "embedded null byte; entry 1 of"),
        ("jwks: file", b"{", "entry 1: jwks: "),
        ("jwks: file", b'{"keys": []}', "no key that can be used; allowed: keys with a kid"),
        ("jwks: file", b" " * (FILE_MAX_BYTES + 1), "too large; allowed: at most 1,048,576 bytes; entry 1 of"),
        ("ca_file: missing.pem", None, "missing.pem: no such file or directory; entry 1 of"),
        ("ca_file: file", b"", "file: not certificates in PEM"),
        ("ca_file: file", b"\n", "file: not certificates in PEM"),
        ("ca_file: file", b"x", "file: not certificates in PEM"),
        ("ca_file: file", b"\xff", "file: not certificates in PEM"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_at_the_start(
    tmp_path: Path, field: str, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    path = tmp_path / "issuers.yaml"
    path.write_text(f"- {{{GOOD}, {field}}}")
    with pytest.raises(UnusableFilesError) as caught:
        watched_file(path)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UnusableFilesError, match="no such file or directory; --issuers takes a YAML file"):
        watched_file(tmp_path / "issuers.yaml")


def test_the_last_good_issuers_stay_while_a_file_is_bad(tmp_path: Path) -> None:
    keys, path = tmp_path / "keys.json", tmp_path / "issuers.yaml"
    keys.write_bytes(key_set(EC256))
    path.write_text(f"- {{{GOOD}, jwks: keys.json}}")
    files = watched_file(path)
    good = files.current
    with capture_logs() as logs:
        path.write_text("- {issuer: ")
        files.look()
        assert not logs, "one look is not enough"
        files.look()
        files.look()
        path.write_text(f"- {{{GOOD}, jwks: keys.json}}")
        keys.write_bytes(b"{}")
        for _ in range(3):
            files.look()
        keys.unlink()
        for _ in range(3):
            files.look()
        assert files.current is good
        keys.write_bytes(key_set(EC256))
        path.write_text(f"- {{{GOOD}, jwks: keys.json, max_lifetime_seconds: 5}}")
        for _ in range(2):
            files.look()
    assert [each.max_lifetime_seconds for each in files.current.values()] == [5]
    assert [each["log_level"] for each in logs] == ["error", "error", "error", "info"]
