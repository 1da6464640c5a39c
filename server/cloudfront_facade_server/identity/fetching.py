"""Fetches the key set of an issuer over HTTPS."""

from __future__ import annotations

import ssl
import urllib.request
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import certifi

from ..concurrency.greenlets import run_in_daemon_thread
from ..errors.violations import quote
from .issuer import KeySource
from .json_web_keys import Keys, UnusableKeysError, read_keys
from .strict_json import load_object

RESPONSE_MAX_BYTES: Final = 512 * 1024
"""Maximum size of a discovery document and of a key set. Source: this service."""

FETCH_SECONDS: Final = 5.0
"""Maximum duration of a fetch, with its discovery document. Source: this service."""

TOKEN_MAX_BYTES: Final = 16 * 1024
"""Maximum size of the token for fetching. Source: this service."""

_DISCOVERY: Final = "/.well-known/openid-configuration"
_HTTPS: Final = "https"
_OK: Final = 200
_CHUNK_BYTES: Final = 16 * 1024


class FetchError(Exception):
    """A key set cannot be fetched. The message is one line: the address and the problem."""


@dataclass(frozen=True)
class _Access:
    """What a fetch needs besides its URL."""

    tls: ssl.SSLContext
    token: str | None
    proxies: dict[str, str]
    origin: str


async def fetch_keys(source: KeySource) -> Keys:
    """Returns the keys of an issuer. Proxy variables are obeyed; redirects are not.

    Raises:
        FetchError: The keys cannot be fetched, or cannot be used.
    """
    access = await run_in_daemon_thread(lambda: _access(source))
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    connector = aiohttp.TCPConnector(ssl=access.tls)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:
        url = source.jwks or await _discover(session, access, source.issuer)
        try:
            return read_keys(await _get(session, access, url))
        except UnusableKeysError as error:
            raise FetchError(f"{quote(url)}: {error}") from None


def _access(source: KeySource) -> _Access:
    if source.certificates is not None:
        tls = ssl.create_default_context(cadata=source.certificates)
    else:
        tls = ssl.create_default_context(cafile=certifi.where())
    return _Access(tls, _token(source), urllib.request.getproxies(), _origin(source.jwks or source.issuer))


def _token(source: KeySource) -> str | None:
    if source.token_file is None:
        return None
    try:
        with source.token_file.open("rb") as file:
            token = file.read(TOKEN_MAX_BYTES + 1).decode("ascii").strip()
    except OSError as error:
        raise FetchError(f"token_file: {source.token_file}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        token = ""
    if not token.isprintable() or not 0 < len(token) <= TOKEN_MAX_BYTES:
        raise FetchError(f"token_file: {source.token_file}: not a token; allowed: one line of ASCII")
    return token


async def _discover(session: aiohttp.ClientSession, access: _Access, issuer: str) -> str:
    """Returns the URL of the key set that the discovery document names."""
    url = issuer.rstrip("/") + _DISCOVERY
    try:
        document = load_object(await _get(session, access, url))
    except ValueError:
        raise FetchError(f"{quote(url)}: not a discovery document; set jwks to the URL of the key set") from None
    if document.get("issuer") != issuer:
        found = quote(str(document.get("issuer")))
        raise FetchError(f"{quote(url)}: has the issuer {found}; set issuer to the same text")
    jwks = document.get("jwks_uri")
    if not isinstance(jwks, str) or not _origin(jwks).startswith(f"{_HTTPS}://"):
        raise FetchError(f"{quote(url)}: jwks_uri is not an https URL; set jwks to the URL of the key set")
    return jwks


async def _get(session: aiohttp.ClientSession, access: _Access, url: str) -> bytes:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    # A discovery document must not be able to send the token to another host.
    if access.token and _origin(url) == access.origin:
        headers["Authorization"] = f"Bearer {access.token}"
    try:
        async with session.get(
            url, headers=headers, allow_redirects=False, proxy=_proxy(access, url), max_line_size=8190
        ) as response:
            if response.status != _OK:
                raise FetchError(f"{quote(url)}: status {response.status}{_advice(response)}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > RESPONSE_MAX_BYTES:
                    raise FetchError(f"{quote(url)}: too large; allowed: at most {RESPONSE_MAX_BYTES:,} bytes")
            return bytes(body)
    except TimeoutError:
        raise FetchError(f"{quote(url)}: no response within {FETCH_SECONDS:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchError(f"{quote(url)}: {quote(str(error) or type(error).__name__, 200)}") from None


def _advice(response: aiohttp.ClientResponse) -> str:
    if location := response.headers.get("Location"):
        return f", a redirect to {quote(location)}, which is not followed; set jwks to the URL of the key set"
    return ""


def _proxy(access: _Access, url: str) -> str | None:
    # aiohttp's trust_env would read passwords from .netrc too.
    parts = urlsplit(url)
    return None if urllib.request.proxy_bypass(parts.netloc) else access.proxies.get(parts.scheme)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
