"""Key sets from a real HTTPS server: what is fetched, and what a bad server can do."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from cloudfront_facade_server.identity import fetching
from cloudfront_facade_server.identity.fetching import RESPONSE_MAX_BYTES, FetchError, fetch_keys
from cloudfront_facade_server.identity.issuer import KeySource
from cloudfront_facade_server.identity.json_web_keys import Keys, read_keys
from identity.authority import Authority
from identity.key_server import Answer, KeyServer, dripping, endless, key_server, never
from identity.signing import EC256, EC384, RSA, key_set
from support.tls_proxy import TlsProxy


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def source(folder: Path, server: KeyServer, jwks: str | None = None, token_file: Path | None = None) -> KeySource:
    return KeySource(server.url, jwks, (folder / "ca.pem").read_text(), token_file)


def run(folder: Path, test: Callable[[KeyServer], Awaitable[None]]) -> None:
    async def main() -> None:
        async with key_server(folder) as server:
            await test(server)

    asyncio.run(asyncio.wait_for(main(), 20))


def fetched(
    folder: Path, change: Callable[[KeyServer], None], token_file: Path | None = None
) -> tuple[Keys, KeyServer]:
    """Returns the keys that the discovery document leads to, and the server."""
    results: list[tuple[Keys, KeyServer]] = []

    async def test(server: KeyServer) -> None:
        change(server)
        results.append((await fetch_keys(source(folder, server, token_file=token_file)), server))

    run(folder, test)
    return results[0]


def problem(folder: Path, change: Callable[[KeyServer], None]) -> str:
    with pytest.raises(FetchError) as caught:
        fetched(folder, change)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith('"https://localhost:')
    return str(caught.value)


def test_the_discovery_document_leads_to_the_keys(tmp_path: Path) -> None:
    def change(server: KeyServer) -> None:
        server.keys = key_set(RSA, EC256, EC384)

    keys, server = fetched(tmp_path, change)
    assert set(keys) == {("rsa", "RS256"), ("ec256", "ES256"), ("ec384", "ES384")}
    assert server.requests == [("/.well-known/openid-configuration", None), ("/keys", None)]


def test_a_url_of_the_keys_needs_no_discovery_document(tmp_path: Path) -> None:
    async def test(server: KeyServer) -> None:
        assert await fetch_keys(source(tmp_path, server, f"{server.url}/keys"))
        assert server.requests == [("/keys", None)]

    run(tmp_path, test)


def test_the_token_for_fetching_is_read_each_time(tmp_path: Path) -> None:
    token = tmp_path / "token"

    async def test(server: KeyServer) -> None:
        for each in ("first", "second"):
            token.write_text(f"{each}\n")
            await fetch_keys(source(tmp_path, server, token_file=token))
        assert [value for _, value in server.requests] == ["Bearer first"] * 2 + ["Bearer second"] * 2

    run(tmp_path, test)


def test_the_token_for_fetching_is_not_sent_to_another_host(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")

    def change(server: KeyServer) -> None:
        server.document = {"issuer": server.url, "jwks_uri": f"{server.url}/keys".replace("localhost", "127.0.0.1")}

    _, server = fetched(tmp_path, change, token_file=tmp_path / "token")
    assert server.requests == [("/.well-known/openid-configuration", "Bearer secret"), ("/keys", None)]


@pytest.mark.parametrize("content", [None, "", "two\nlines", "é", "x" * 20_000])
def test_a_token_file_that_cannot_be_used_is_reported(tmp_path: Path, content: str | None) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_text(content)

    async def test(server: KeyServer) -> None:
        with pytest.raises(FetchError, match=r"^token_file: .*/token: "):
            await fetch_keys(source(tmp_path, server, token_file=token))
        assert not server.requests

    run(tmp_path, test)


def test_a_server_of_another_authority_is_rejected(tmp_path: Path) -> None:
    async def test(server: KeyServer) -> None:
        with pytest.raises(FetchError, match="certificate verify failed"):
            await fetch_keys(KeySource(server.url))
        with pytest.raises(FetchError, match="certificate verify failed"):
            await fetch_keys(KeySource(server.url, certificates=Authority().pem.decode()))
        assert not server.requests

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("x", "not a discovery document; set jwks"),
        ([], "not a discovery document; set jwks"),
        ({}, 'has the issuer "None"; set issuer to the same text'),
        ({"issuer": "https://other", "jwks_uri": "https://other/keys"}, 'has the issuer "https://other"'),
        ({"issuer": ""}, "jwks_uri is not an https URL"),
        ({"issuer": "", "jwks_uri": "http://localhost/keys"}, "jwks_uri is not an https URL"),
        ({"issuer": "", "jwks_uri": "file:///etc/passwd"}, "jwks_uri is not an https URL"),
        ({"issuer": "", "jwks_uri": 5}, "jwks_uri is not an https URL"),
    ],
)
def test_a_discovery_document_that_does_not_fit_is_rejected(tmp_path: Path, document: object, reason: str) -> None:
    def change(server: KeyServer) -> None:
        fits = isinstance(document, dict) and document.get("issuer") == ""
        server.document = {**document, "issuer": server.url} if isinstance(document, dict) and fits else document

    assert reason in problem(tmp_path, change)


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={n.replace("_", "-"): v for n, v in headers.items()})

    return answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answering(503), "status 503"),
        (answering(401), "status 401"),
        (answering(302, Location="http://localhost/keys"), 'a redirect to "http://localhost/keys", which is not'),
        (answering(301, Location="/keys"), "which is not followed; set jwks"),
        (answering(body=b"<html>"), "not a JSON Web Key Set"),
        (answering(body=b""), "not a JSON Web Key Set"),
        (answering(body=b"{}"), "not a JSON Web Key Set"),
        (answering(body=b'{"keys": {}}'), "not a JSON Web Key Set"),
        (answering(body=b'{"keys": []}'), "no key that can be used"),
        (answering(body=b'{"keys": [1, {}, null, {"kty": "RSA"}]}'), "no key that can be used"),
        (answering(body=b"[" * 100_000), "not a JSON Web Key Set"),
        (answering(body=key_set(*[EC256] * 101)), "101 keys; allowed: at most 100"),
        (answering(body=gzip.compress(key_set(EC256)), Content_Encoding="gzip"), "not a JSON Web Key Set"),
        (answering(body=b" " * (RESPONSE_MAX_BYTES + 1)), "too large; allowed: at most 524,288 bytes"),
        (endless, "too large"),
    ],
)
def test_a_bad_answer_is_reported(tmp_path: Path, answer: Answer, reason: str) -> None:
    def change(server: KeyServer) -> None:
        server.answer = answer

    assert reason in problem(tmp_path, change)


@pytest.mark.parametrize("answer", [never, dripping])
def test_a_slow_answer_is_not_waited_for(tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetching.FETCH_SECONDS == 5
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.3)

    def change(server: KeyServer) -> None:
        server.answer = answer

    begin = time.monotonic()
    assert "no response within 0.3 s" in problem(tmp_path, change)
    assert time.monotonic() - begin < 5


def test_a_server_that_is_down_is_reported(tmp_path: Path) -> None:
    urls: list[KeySource] = []

    async def test(server: KeyServer) -> None:
        urls.append(source(tmp_path, server))

    run(tmp_path, test)
    with pytest.raises(FetchError, match="Cannot connect"):
        asyncio.run(fetch_keys(urls[0]))


def test_keys_for_other_purposes_do_not_count(tmp_path: Path) -> None:
    public = {key.kid: key.as_dict(private=False) for key in (RSA, EC256, EC384)}
    members = [
        {**public["ec256"], "use": "enc"},
        {**public["ec256"], "use": "x509-svid"},
        {**public["ec256"], "kid": "a", "key_ops": ["sign"]},
        {**public["ec256"], "kid": "b", "alg": "ES384"},
        {**public["rsa"], "kid": "c", "alg": "RS512"},
        {**public["ec256"], "kid": "d", "crv": "P-521"},
        {**public["ec256"], "kid": "e", "crv": "secp256k1"},
        {**public["ec256"], "kid": "f", "x": public["ec256"]["y"]},
        {"kty": "oct", "kid": "g", "k": "AAAA"},
        {"kty": "OKP", "kid": "h", "crv": "Ed25519", "x": "AAAA"},
        {**public["ec256"], "kid": None},
        {**public["ec256"], "kid": 5},
        {**public["ec384"], "use": "sig", "alg": "ES384", "key_ops": ["verify"], "other": [1]},
    ]

    def change(server: KeyServer) -> None:
        server.keys = json.dumps({"keys": members}).encode()

    keys, _ = fetched(tmp_path, change)
    assert set(keys) == {("ec384", "ES384")}


def test_a_spiffe_bundle_is_a_key_set() -> None:
    bundle = {"keys": [{**EC256.as_dict(private=False), "use": "jwt-svid"}], "spiffe_sequence": 1}
    assert set(read_keys(json.dumps(bundle).encode())) == {("ec256", "ES256")}


def test_a_private_key_that_is_published_by_mistake_counts_as_its_public_key(tmp_path: Path) -> None:
    def change(server: KeyServer) -> None:
        server.keys = json.dumps({"keys": [EC256.as_dict(private=True)]}).encode()

    keys, _ = fetched(tmp_path, change)
    assert not keys["ec256", "ES256"].is_private


def test_proxy_variables_are_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = TlsProxy(1)
    monkeypatch.setenv("HTTPS_PROXY", proxy.variables["HTTPS_PROXY"])
    certificates = Path(proxy.variables["AWS_CA_BUNDLE"]).read_text()
    try:
        with pytest.raises(FetchError):
            asyncio.run(fetch_keys(KeySource("https://issuer.example.org", certificates=certificates)))
        assert set(proxy.hosts) == {"issuer.example.org"}
        monkeypatch.setenv("NO_PROXY", "localhost,issuer.invalid")
        with pytest.raises(FetchError):
            asyncio.run(fetch_keys(KeySource("https://issuer.invalid", certificates=certificates)))
        assert set(proxy.hosts) == {"issuer.example.org"}
    finally:
        proxy.end()
