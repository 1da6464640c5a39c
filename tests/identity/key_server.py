"""A real HTTPS server with a discovery document and a key set."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from identity.authority import Authority
from identity.signing import EC256, key_set

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class KeyServer:
    """The server of an issuer.

    Attributes:
        url: Its address, which is the issuer too.
        requests: The path and the token of each request.
        keys: The key set.
        document: The discovery document.
        answer: Answers the requests for keys in another way if it is set.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[tuple[str, str | None]] = []
        self.keys = key_set(EC256)
        self.document: object = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self.answer: Answer | None = None
        self._changed = asyncio.Condition()

    def fetches(self) -> int:
        """Returns how often the keys were requested."""
        return [path for path, _ in self.requests].count("/keys")

    async def wait_for_fetches(self, count: int) -> None:
        """Waits until the keys were requested this many times."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.fetches() >= count)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append((request.path, request.headers.get("Authorization")))
        async with self._changed:
            self._changed.notify_all()
        if request.path == "/.well-known/openid-configuration":
            return web.Response(text=json.dumps(self.document))
        if self.answer:
            return await self.answer(request)
        return web.Response(body=self.keys)


@asynccontextmanager
async def key_server(folder: Path) -> AsyncIterator[KeyServer]:
    """Runs a server on loopback. Its authority's certificate is `ca.pem` in the folder."""
    authority = Authority()
    issued = authority.issue_server()
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "server.pem").write_bytes(issued.key + issued.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")

    server: KeyServer

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await server._handle(request)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    server = KeyServer(f"https://localhost:{port}")
    try:
        yield server
    finally:
        await runner.cleanup()


async def never(request: web.BaseRequest) -> web.StreamResponse:
    """Sends nothing."""
    await asyncio.Event().wait()
    raise AssertionError


async def endless(request: web.BaseRequest) -> web.StreamResponse:
    """Sends a body without an end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65_536)


async def dripping(request: web.BaseRequest) -> web.StreamResponse:
    """Sends a byte now and then."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)
