"""The guide about authentication: its entries are loaded, and tokens in the form of each issuer are accepted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cloudfront_facade_server.identity import tokens as tokens_module
from cloudfront_facade_server.identity.entries import DEFAULT_LIFETIME_SECONDS, Entry
from cloudfront_facade_server.identity.issuer import Issuer
from cloudfront_facade_server.identity.issuers import load
from cloudfront_facade_server.identity.json_web_keys import ALGORITHMS, read_keys
from cloudfront_facade_server.identity.key_sets import PAUSE_SECONDS, REFRESH_SECONDS
from cloudfront_facade_server.identity.tokens import LEEWAY_SECONDS, TOKEN_MAX_BYTES, Tokens
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from identity.authority import Authority
from identity.signing import EC256, NOW, claims, key_set, token

PAGE: Final = (Path(__file__).parents[2] / "docs/guides/authentication.md").read_text()
BLOCKS: Final = [
    block for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "issuer:" in block
]

STS: Final = "https://sts.amazonaws.com/"
GITHUB: Final = {"repository": "acme/web", "repository_owner_id": "1234567", "ref": "refs/heads/main"}
GITLAB: Final = {"project_path": "web/site", "namespace_path": "web", "ref_protected": "true"}


def issuer_of(block: str) -> Issuer:
    [entry] = yaml.safe_load(block)
    content = {"issuers.yaml": block.encode(), entry.get("ca_file", "-"): Authority().pem}
    [issuer] = load(Path("issuers.yaml"), content).values()
    return issuer


ISSUERS: Final = {issuer.name: issuer for issuer in map(issuer_of, BLOCKS)}


def caller(host: str, **changed: Any) -> Any:
    [name] = [name for name in ISSUERS if host in name]
    keys = read_keys(key_set(EC256))
    return Tokens(lambda _: keys, lambda: NOW).caller(token(claims(iss=name, **changed)), ISSUERS)


@pytest.mark.parametrize(
    ("host", "good", "team", "bad"),
    [
        (
            "kubernetes",
            {"sub": "system:serviceaccount:web:deploy", "kubernetes.io": {"namespace": "web"}},
            "web",
            {"sub": "system:serviceaccount:web-evil:deploy"},
        ),
        ("github", {"sub": "repo:acme/web:ref:refs/heads/main", **GITHUB}, "acme/web", {"repository": "acme/api"}),
        ("github", {"sub": "repo:acme/web:ref:refs/heads/main", **GITHUB}, "acme/web", {"repository_owner_id": "7"}),
        ("github", {"sub": "repo:acme/web:ref:refs/heads/main", **GITHUB}, "acme/web", {"ref": "refs/heads/x"}),
        ("gitlab", {"sub": "project_path:web/site:ref_type:branch:ref:main", **GITLAB}, "web", {"ref_protected": "no"}),
        ("oidc", {"sub": "spiffe://example.org/ns/web/sa/deploy"}, None, {"sub": "spiffe://example.org/ns/api/x"}),
        (
            "sts.global",
            {"sub": "arn:aws:iam::123456789012:role/facade/web", STS: {"principal_tags": {"team": "web"}}},
            "web",
            {"sub": "arn:aws:iam::210987654321:role/facade/web"},
        ),
    ],
)
def test_tokens_in_the_form_of_each_issuer(
    host: str, good: dict[str, Any], team: str | None, bad: dict[str, Any]
) -> None:
    found = caller(host, aud="cloudfront-facade", **good)
    assert (found.subject, found.team) == (good["sub"], team)
    with pytest.raises(CallerUnknownError, match="has none of the required values"):
        caller(host, aud="cloudfront-facade", **{**good, **bad})


def test_the_guide_has_an_entry_for_each_kind_of_issuer() -> None:
    assert len(ISSUERS) == len(BLOCKS) == 5


def test_the_guide_has_every_field() -> None:
    table = PAGE.split("| field | meaning | default |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(Entry.model_fields)


def test_the_guide_states_the_numbers_of_the_code() -> None:
    assert f"the longest time from `iat` (or now, without `iat`) to `exp` | {DEFAULT_LIFETIME_SECONDS} |" in PAGE
    assert f"at most {TOKEN_MAX_BYTES // 1024} KiB. All times have a leeway of {LEEWAY_SECONDS} s" in PAGE
    assert (
        REFRESH_SECONDS,
        f"every five minutes, and when a token names a key that is not known, at most every "
        f"{PAUSE_SECONDS:g} s" in " ".join(PAGE.split()),
    ) == (300, True)
    assert "{}, {} or {}".format(*ALGORITHMS) in PAGE


def test_the_reasons_of_the_guide_are_those_of_the_code() -> None:
    folder = Path(tokens_module.__file__).parent
    code = "".join(file.read_text() for file in folder.glob("*.py"))
    reasons = re.findall(r"^\| `(.*?)` \|", PAGE.split("| reason | meaning |")[1], re.MULTILINE)
    assert len(reasons) == 7
    for reason in reasons:
        for part in re.split(r'"[^"]*"|RS256', reason):
            assert part.strip() in code, reason
