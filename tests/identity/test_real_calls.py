"""Who calls a real server, over TLS, mutual TLS and a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from cloudfront_facade_server.identity.authenticator import Authenticator
from cloudfront_facade_server.identity.bearer_tokens import BearerTokens
from cloudfront_facade_server.identity.certificates import Certificates
from cloudfront_facade_server.identity.issuers import watched_file
from cloudfront_facade_server.identity.proxies import TrustedProxies
from cloudfront_facade_server.identity.spiffe import SpiffeIds
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from identity.authority import Authority, dns, uri
from identity.signing import AUDIENCE, ISSUER, NOW, STRANGER, SUBJECT, claims, token, write_issuers

WEB: Final = "spiffe://example.org/ns/web"
IDS: Final = SpiffeIds(["example.org"])
METADATA: Final = [("grpc.max_metadata_size", 16 * 1024), ("grpc.absolute_max_metadata_size", 32 * 1024)]
KNOWN: Final = f"{ISSUER}#{SUBJECT}"

Call = Callable[..., Awaitable[str]]


class Server:
    """A server whose handler returns the identity of its caller."""

    def __init__(self, folder: Path, *proxies: str) -> None:
        entry = f"issuer: '{ISSUER}', audience: {AUDIENCE}, jwks: keys.json, any_subject: true"
        tokens = BearerTokens(watched_file(write_issuers(folder, entry)), lambda: NOW)
        trusted = TrustedProxies(proxies, IDS) if proxies else None
        self.who = Authenticator(Certificates(IDS), trusted, tokens, allows_anonymous=False, is_local=True)
        self.authority = Authority()
        self.socket = f"unix:{folder / 'socket'}"
        self.known = 0

    async def run(self, test: Callable[[Call], Awaitable[None]]) -> None:
        own = self.authority.issue_server()
        pair = [(own.key, own.certificate)]
        server = grpc.aio.server(options=METADATA)
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Call": grpc.unary_unary_rpc_method_handler(self._handle)
        }
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test", methods)])
        ports = {
            "tls": server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair)),
            "mtls": server.add_secure_port(
                "127.0.0.1:0", grpc.ssl_server_credentials(pair, self.authority.pem, require_client_auth=True)
            ),
            "unix": server.add_insecure_port(self.socket),
        }
        await server.start()

        async def call(listener: str, *metadata: tuple[str, str], client: Any = None) -> str:
            if listener == "unix":
                channel = grpc.aio.insecure_channel(self.socket)
            else:
                proof = (client.key, client.certificate) if client else (None, None)
                credentials = grpc.ssl_channel_credentials(self.authority.pem, *proof)
                channel = grpc.aio.secure_channel(f"localhost:{ports[listener]}", credentials)
            async with channel:
                method: Any = channel.unary_unary("/test/Call")
                try:
                    return str((await method(b"", metadata=metadata, timeout=10)).decode())
                except grpc.aio.AioRpcError as error:
                    return str(error.code().name)

        try:
            await test(call)
        finally:
            await server.stop(None)

    async def _handle(self, request: bytes, context: Any) -> bytes:
        is_tls = context.auth_context()["transport_security_type"] == [b"ssl"]
        try:
            caller = await self.who.identify(
                context.peer(), context.auth_context(), context.invocation_metadata(), is_tls
            )
        except CallerUnknownError:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED)
        self.known += 1
        return caller.id.encode()


def bearer(text: str | None = None) -> tuple[str, str]:
    return "authorization", f"Bearer {text or token()}"


def test_callers_of_a_real_server(tmp_path: Path) -> None:
    server = Server(tmp_path)
    web, other = server.authority.issue(uri(WEB)), server.authority.issue(dns("web.example.org"))
    bad = server.authority.issue(uri(WEB), uri(WEB + "2"), dns("web.example.org"))

    async def test(call: Call) -> None:
        assert await call("mtls", client=web) == WEB
        assert await call("mtls", bearer(), client=web) == WEB
        assert await call("mtls", client=other) == "dns:web.example.org"
        assert await call("tls", bearer()) == KNOWN
        assert await call("unix", bearer()) == KNOWN
        assert server.known == 5
        for listener, metadata, client in (
            ("mtls", [], None),
            ("mtls", [bearer()], None),
            ("mtls", [bearer()], bad),
            ("mtls", [bearer(), bearer()], web),
            ("tls", [], None),
            ("tls", [], web),
            ("tls", [bearer(), bearer()], None),
            ("tls", [bearer(token(key=STRANGER))], None),
            ("tls", [bearer(token(claims(x="y" * 11_000)))], None),
            ("tls", [bearer(token(claims(x="y" * 15_000)))], None),
            ("tls", [bearer("x" * 31_000)], None),
            ("tls", [("x-forwarded-client-cert", f"URI={WEB}")], None),
            ("unix", [], None),
        ):
            code = await call(listener, *metadata, client=client)
            assert code in ("UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"), (listener, metadata, code)
        assert server.known == 5

    asyncio.run(asyncio.wait_for(server.run(test), 30))


@pytest.mark.parametrize(("proxy", "listener"), [("unix", "unix"), ("loopback", "tls")])
def test_callers_behind_a_real_proxy(tmp_path: Path, proxy: str, listener: str) -> None:
    server = Server(tmp_path, proxy)

    async def test(call: Call) -> None:
        assert await call(listener, ("x-forwarded-client-cert", f"Hash=ab;URI={WEB}")) == WEB
        assert await call(listener, bearer()) == KNOWN
        assert await call(listener) == "UNAUTHENTICATED"
        assert await call(listener, ("x-forwarded-client-cert", "Hash=ab"), bearer()) == "UNAUTHENTICATED"

    asyncio.run(asyncio.wait_for(server.run(test), 30))
