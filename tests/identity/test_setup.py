"""The settings: who may be anonymous, what is rejected at the start, and what is imported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloudfront_facade_server.identity.caller import ANONYMOUS
from cloudfront_facade_server.identity.setup import make_authenticator
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from cloudfront_facade_server.settings.access import SecuredSettings
from cloudfront_facade_server.watched_files import UnusableFilesError
from identity.authority import Authority
from identity.signing import AUDIENCE, ISSUER, write_issuers

ENTRY = f"issuer: '{ISSUER}', audience: {AUDIENCE}, jwks: keys.json, any_subject: true"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The files that settings name: an authority, a certificate with its key, and issuers."""
    authority = Authority()
    issued = authority.issue_server()
    contents = {"tls_client_ca": authority.pem, "tls_cert": issued.certificate, "tls_key": issued.key}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {**{name: tmp_path / name for name in contents}, "issuers": write_issuers(tmp_path, ENTRY)}


def is_anonymous(**settings: Any) -> bool:
    who, _ = make_authenticator(SecuredSettings(backend="embedded", **settings))
    try:
        return asyncio.run(who.identify("ipv4:127.0.0.1:5000", {}, [], bool(settings.get("tls_cert")))) is ANONYMOUS
    except CallerUnknownError:
        return False


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.0.0.9:0", "[::1]:0", "localhost:0", "unix:/tmp/x.sock"])
def test_local_callers_are_anonymous_while_no_identity_is_configured(listen: str, files: dict[str, Path]) -> None:
    tls = {name: files[name] for name in ("tls_cert", "tls_key")}
    assert is_anonymous(listen=listen)
    assert is_anonymous(listen=listen, **tls)
    assert not is_anonymous(listen=listen, issuers=files["issuers"])
    assert not is_anonymous(listen=listen, **tls, tls_client_ca=files["tls_client_ca"])
    assert is_anonymous(listen=listen, issuers=files["issuers"], allow_anonymous=True)
    assert not is_anonymous(listen=listen, trusted_proxies=["loopback"], allow_anonymous=True)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "facade.example.org:0", "192.0.2.1:0"])
def test_elsewhere_callers_are_anonymous_only_by_name(listen: str, files: dict[str, Path]) -> None:
    tls = {name: files[name] for name in ("tls_cert", "tls_key")}
    assert not is_anonymous(listen=listen, allow_plaintext=True)
    assert not is_anonymous(listen=listen, **tls)
    assert is_anonymous(listen=listen, allow_plaintext=True, allow_anonymous=True)
    assert is_anonymous(listen=listen, **tls, allow_anonymous=True)


def test_the_issuers_are_watched(files: dict[str, Path]) -> None:
    _, watched = make_authenticator(SecuredSettings(backend="embedded", issuers=files["issuers"]))
    assert [each.what for each in watched] == ["issuers"]
    _, watched = make_authenticator(SecuredSettings(backend="embedded"))
    assert watched == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"trust_domain": ["Example.org"]}, '--trust-domain "Example.org": not a trust domain'),
        ({"team_from_path": "/ns"}, '--team-from-path "/ns": not a pattern'),
        ({"trusted_proxies": ["proxy"]}, '--trusted-proxies "proxy": '),
    ],
)
def test_malformed_settings_stop_the_start(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        make_authenticator(SecuredSettings(backend="embedded", **settings))
    assert "\n" not in str(caught.value)


def test_an_unusable_issuers_file_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "issuers.yaml"
    path.write_text("[]")
    with pytest.raises(UnusableFilesError, match="no entries; allowed"):
        make_authenticator(SecuredSettings(backend="embedded", issuers=path))


def test_nothing_is_imported_that_is_not_configured() -> None:
    code = """
import sys
from cloudfront_facade_server.identity.setup import make_authenticator
from cloudfront_facade_server.settings.access import SecuredSettings
make_authenticator(SecuredSettings(backend="embedded", trusted_proxies=["loopback"]))
print(sorted({"cryptography", "joserfc", "yaml", "aiohttp"} & set(sys.modules)))
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
