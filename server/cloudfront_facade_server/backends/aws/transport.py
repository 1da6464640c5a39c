"""Sends boto3's requests with aiohttp, in the event loop.

boto3 builds and signs the requests and parses the responses; a handler of its event `before-send` replaces urllib3.
Every request is sent at most once. Failures are raised as botocore's own exceptions, whose class shows whether the
request was sent: EndpointConnectionError, ConnectTimeoutError and SSLError are raised before that; after any other, it
is unknown.
"""

from __future__ import annotations

import io
import math
import os
import re
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import certifi
from botocore import exceptions as boto
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from ...call_context import remaining_upstream_time
from ...concurrency.greenlets import await_

if TYPE_CHECKING:
    import aiohttp

# aiohttp is imported in the functions that use it: the import takes a tenth of a second because it reads the system's
# CA certificates, and the server can serve before that. See `Transport.warm_up`.

_HEADERS: Final = {"Accept-Encoding": "identity"}
"""The headers that urllib3 adds to boto3's requests."""

_HEADER_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
"""A header value that is valid in HTTP (RFC 9110, section 5.5)."""

_SKIPPED_AUTO_HEADERS: Final = ("Accept", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Timeouts:
    """How long a request may take.

    Attributes:
        connect: Maximum seconds to establish a connection.
        read: Maximum seconds without data from the server.
        total: Maximum seconds of both, if it is less than their sum.
    """

    connect: float
    read: float
    total: float = math.inf

    def within(self, total: float) -> Timeouts:
        """Returns these timeouts, but with a total of at most this many seconds."""
        return replace(self, total=max(0.001, total))


_timeouts: ContextVar[Timeouts] = ContextVar("timeouts")


@contextmanager
def use_timeouts(timeouts: Timeouts) -> Iterator[None]:
    """Sets the timeouts of the requests inside the block."""
    before = _timeouts.set(timeouts)
    try:
        yield
    finally:
        _timeouts.reset(before)


class Transport:
    """Sends the requests of boto3 clients. All must be sent in the same event loop.

    A request that finds no free connection waits for one, at most for its connect timeout.

    Args:
        ca_bundle: The file with the CA certificates to trust; None for certifi's.
        max_connections_per_host: Maximum number of connections in use to one host; to all hosts together, it is
            twice as many, because each account has its own host.

    Raises:
        OSError: The file cannot be read or does not contain certificates.
        ValueError: The address of a proxy in the environment is invalid.
    """

    def __init__(self, ca_bundle: str | None, max_connections_per_host: int) -> None:
        self._max_connections_per_host = max_connections_per_host
        self._tls = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else None
        self._proxies = _proxies()
        self._session: aiohttp.ClientSession | None = None

    def send(self, request: AWSPreparedRequest, *, endpoint: str | None = None, **_: Any) -> AWSResponse:
        """Handles botocore's event `before-send`.

        Args:
            request: The request; a Host header is sent unchanged.
            endpoint: Without a proxy, the URL with the host and port to connect to; None for those of the request.

        Raises:
            HTTPClientError: The request failed; the subclass shows whether it may have been sent.
        """
        if remaining_upstream_time() < 0:
            raise boto.EndpointConnectionError(endpoint_url=request.url, error="the call had already ended")
        return await_(self._send(request, endpoint, _timeouts.get()))

    def warm_up(self) -> None:
        """Prepares the first request: imports aiohttp and loads the CA certificates."""
        import_module("aiohttp")
        self._context()

    def close(self) -> None:
        """Closes the connections."""
        session, self._session = self._session, None
        if session:
            await_(session.close())

    async def _send(self, request: AWSPreparedRequest, endpoint: str | None, timeouts: Timeouts) -> AWSResponse:
        import aiohttp
        from yarl import URL

        proxy = self._proxy(request.url)
        address = _with_host_of(endpoint, request.url) if endpoint and not proxy else request.url
        headers = {**_HEADERS, **{name: _text(value) for name, value in request.headers.items()}}
        if malformed := [name for name, value in headers.items() if not _HEADER_VALUE.fullmatch(value)]:
            raise boto.EndpointConnectionError(endpoint_url=request.url, error=f"malformed header {malformed[0]}")
        try:
            async with self._open().request(
                request.method,
                URL(address, encoded=True),
                data=request.body,
                headers=headers,
                proxy=proxy,
                timeout=aiohttp.ClientTimeout(
                    total=min(timeouts.total, timeouts.connect + timeouts.read),
                    connect=timeouts.connect,
                    sock_read=timeouts.read,
                ),
                allow_redirects=False,
            ) as response:
                content = await response.read()
        except aiohttp.ClientError as error:
            raise _translated(error, request.url) from error
        except TimeoutError as error:
            raise boto.ReadTimeoutError(endpoint_url=request.url, error="") from error
        return AWSResponse(request.url, response.status, response.headers, _Content(content))

    def _proxy(self, url: str) -> str | None:
        """Returns the proxy for an address, or None."""
        if not self._proxies:
            return None
        parts = urlsplit(url)
        if urllib.request.proxy_bypass(parts.netloc):
            return None
        return self._proxies.get(parts.scheme)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=certifi.where())
        return self._tls

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=2 * self._max_connections_per_host,
                    limit_per_host=self._max_connections_per_host,
                    ssl=self._context(),
                ),
                middlewares=(_send_once,),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_SKIPPED_AUTO_HEADERS,
            )
        return self._session


class _Content(io.BytesIO):
    """The body of a response, with the interface that botocore reads."""

    def stream(self) -> Iterator[bytes]:
        """Yields the whole body."""
        yield self.read()


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from resending a PUT or DELETE after its connection broke."""
    import aiohttp

    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def _translated(error: aiohttp.ClientError, url: str) -> boto.HTTPClientError:
    """Returns botocore's exception, without aiohttp's message, which may quote the response or the proxy's address."""
    import aiohttp

    match error:
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "") or "invalid certificate"
            return boto.SSLError(endpoint_url=url, error=f"{error.host}:{error.port}: {reason}")
        case aiohttp.ClientConnectorSSLError():
            reason = getattr(error.os_error, "reason", "") or "the TLS handshake failed"
            return boto.SSLError(endpoint_url=url, error=f"{error.host}:{error.port}: {reason}")
        case aiohttp.ClientConnectorError():
            reason = _reason(error.os_error)
            return boto.EndpointConnectionError(endpoint_url=url, error=f"{error.host}:{error.port}: {reason}")
        case aiohttp.InvalidURL():
            return boto.EndpointConnectionError(endpoint_url=url, error="invalid address")
        case aiohttp.ClientHttpProxyError():
            return boto.EndpointConnectionError(endpoint_url=url, error=f"the proxy returned {error.status}")
        case aiohttp.ConnectionTimeoutError():
            return boto.ConnectTimeoutError(endpoint_url=url, error="")
        case aiohttp.ServerTimeoutError():
            return boto.ReadTimeoutError(endpoint_url=url, error="")
        case aiohttp.ClientConnectionError():
            return boto.ConnectionClosedError(endpoint_url=url, error="")
    return boto.HTTPClientError(error=type(error).__name__)


def _reason(error: OSError) -> str:
    """Returns the system's message instead of asyncio's; for an unresolved name, the resolver's."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or "no connection"


def _proxies() -> dict[str, str]:
    """Returns the environment's proxy for each scheme; raises ValueError if one is invalid."""
    named = {scheme: urllib.request.getproxies().get(scheme) for scheme in ("http", "https")}
    proxies = {scheme: _with_scheme(address) for scheme, address in named.items() if address}
    for scheme, address in proxies.items():
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{scheme}_proxy must be http://HOST:PORT or https://HOST:PORT")
    return proxies


def _with_host_of(endpoint: str, url: str) -> str:
    """Returns the URL with the host and port of an endpoint."""
    return urlunsplit(urlsplit(url)._replace(netloc=urlsplit(endpoint).netloc))


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address.removeprefix('//')}"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
