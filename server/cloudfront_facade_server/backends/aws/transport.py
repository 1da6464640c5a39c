"""How boto3's requests travel: by aiohttp, in the event loop.

boto3 makes, signs and reads; its event `before-send` lets another than urllib3 carry the request. Every request is sent
at most once, and what fails is raised as botocore's own exception for it, in which two families say when it failed:
EndpointConnectionError, ConnectTimeoutError and SSLError come before anything was sent, all others leave that open.
"""

from __future__ import annotations

import io
import os
import re
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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

# aiohttp is imported where it is used: its import takes a tenth of a second, for it reads the system's authorities, and
# the server can serve before. See `Transport.warm_up`.

_HEADERS: Final = {"Accept-Encoding": "identity"}
"""What urllib3 adds to a request of boto3."""

_IN_A_HEADER: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
"""What HTTP carries (RFC 9110, section 5.5)."""

_NO_HEADERS_OF_ITS_OWN: Final = ("Accept", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Timeouts:
    """How long a request may take.

    Attributes:
        connect: seconds that a connection may take to stand.
        read: seconds that the other side may take to answer.
    """

    connect: float
    read: float


_timeouts: ContextVar[Timeouts] = ContextVar("timeouts")


@contextmanager
def use_timeouts(timeouts: Timeouts) -> Iterator[None]:
    """Sets the timeouts of the requests that are made inside."""
    before = _timeouts.set(timeouts)
    try:
        yield
    finally:
        _timeouts.reset(before)


class Transport:
    """Carries the requests of a boto3 client, in the event loop that carries the first of them.

    Args:
        ca_bundle: the file of the authorities to trust; None for those that certifi keeps.

    Raises:
        OSError: that file cannot be read, or is none of certificates.
        ValueError: a proxy of the environment is no address.
    """

    def __init__(self, ca_bundle: str | None) -> None:
        self._tls = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else None
        self._proxies = _proxies()
        self._session: aiohttp.ClientSession | None = None

    def send(self, request: AWSPreparedRequest, *, endpoint: str | None = None, **_: Any) -> AWSResponse:
        """Answers botocore's event `before-send`.

        Args:
            request: what to send; its header Host, where it has one, is sent as it is.
            endpoint: the address to go to for it, by its host and port, unless a proxy finds the way; None for its own.

        Raises:
            HTTPClientError: one of botocore's, as said above.
        """
        if remaining_upstream_time() < 0:
            raise boto.EndpointConnectionError(endpoint_url=request.url, error="the call's time was over before")
        return await_(self._send(request, endpoint, _timeouts.get()))

    def warm_up(self) -> None:
        """Does beforehand what the first request would have to do."""
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
        address = _at(endpoint, request.url) if endpoint and not proxy else request.url
        headers = {**_HEADERS, **{name: _text(value) for name, value in request.headers.items()}}
        if malformed := [name for name, value in headers.items() if not _IN_A_HEADER.fullmatch(value)]:
            raise boto.EndpointConnectionError(endpoint_url=request.url, error=f"no header can be {malformed[0]}")
        try:
            async with self._open().request(
                request.method,
                URL(address, encoded=True),
                data=request.body,
                headers=headers,
                proxy=proxy,
                timeout=aiohttp.ClientTimeout(
                    total=timeouts.connect + timeouts.read, connect=timeouts.connect, sock_read=timeouts.read
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
        """Gives the proxy for an address; None where there is none."""
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
                # How many are open at once is for Admission to say.
                connector=aiohttp.TCPConnector(limit=0, ssl=self._context()),
                middlewares=(_never_again,),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_NO_HEADERS_OF_ITS_OWN,
            )
        return self._session


class _Content(io.BytesIO):
    """The body of a response, as botocore wants to read it."""

    def stream(self) -> Iterator[bytes]:
        """Gives all of it."""
        yield self.read()


async def _never_again(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending a PUT or DELETE once more when the connection broke under it."""
    import aiohttp

    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def _translated(error: aiohttp.ClientError, url: str) -> boto.HTTPClientError:
    """Gives botocore's exception, with words of our own: aiohttp's quote the answer, and the address of the proxy."""
    import aiohttp

    match error:
        case aiohttp.ClientConnectorCertificateError():
            verdict = getattr(error.certificate_error, "verify_message", "") or "bad certificate"
            return boto.SSLError(endpoint_url=url, error=f"{error.host}:{error.port}: {verdict}")
        case aiohttp.ClientConnectorSSLError():
            reason = getattr(error.os_error, "reason", "") or "no TLS"
            return boto.SSLError(endpoint_url=url, error=f"{error.host}:{error.port}: {reason}")
        case aiohttp.ClientConnectorError():
            reason = _reason(error.os_error)
            return boto.EndpointConnectionError(endpoint_url=url, error=f"{error.host}:{error.port}: {reason}")
        case aiohttp.InvalidURL():
            return boto.EndpointConnectionError(endpoint_url=url, error="no address")
        case aiohttp.ClientHttpProxyError():
            return boto.EndpointConnectionError(endpoint_url=url, error=f"the proxy answered {error.status}")
        case aiohttp.ConnectionTimeoutError():
            return boto.ConnectTimeoutError(endpoint_url=url, error="")
        case aiohttp.ServerTimeoutError():
            return boto.ReadTimeoutError(endpoint_url=url, error="")
        case aiohttp.ClientConnectionError():
            return boto.ConnectionClosedError(endpoint_url=url, error="")
    return boto.HTTPClientError(error=type(error).__name__)


def _reason(error: OSError) -> str:
    """Says what the system said: asyncio says something else; where a name has no address, only the resolver knows."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or "no connection"


def _proxies() -> dict[str, str]:
    """Gives the proxies that the environment names for each scheme; raises ValueError where one makes no sense."""
    named = {scheme: urllib.request.getproxies().get(scheme) for scheme in ("http", "https")}
    proxies = {scheme: _with_scheme(address) for scheme, address in named.items() if address}
    for scheme, address in proxies.items():
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{scheme}_proxy has to be http://HOST:PORT or https://HOST:PORT")
    return proxies


def _at(endpoint: str, url: str) -> str:
    """Gives the URL with the host and port of an endpoint."""
    return urlunsplit(urlsplit(url)._replace(netloc=urlsplit(endpoint).netloc))


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address.removeprefix('//')}"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
