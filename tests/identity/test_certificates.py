"""Client certificates over a real server with mutual TLS: who is known, and who is not."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import grpc
import pytest
from cryptography import x509

from cloudfront_facade_server.identity.caller import Caller
from cloudfront_facade_server.identity.certificates import Certificates
from cloudfront_facade_server.identity.spiffe import SpiffeIds
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from identity.authority import DAY, Authority, Issued, dns, uri

Context = Mapping[str, Sequence[bytes]]

WEB: Final = "spiffe://example.org/ns/web/sa/deploy"
IDS: Final = SpiffeIds(["example.org"], "/ns/{team}/*")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def auth_contexts(authority: Authority, *clients: Issued) -> list[Context | grpc.StatusCode]:
    """Returns what a real server knows of the connection of each client, or the code if it cannot connect."""

    async def main() -> list[Context | grpc.StatusCode]:
        seen: list[Context] = []

        async def handler(request: bytes, context: Any) -> bytes:
            seen.append(dict(context.auth_context()))
            return request

        server = grpc.aio.server()
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {"Call": grpc.unary_unary_rpc_method_handler(handler)}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test", methods)])
        own = authority.issue_server()
        credentials = grpc.ssl_server_credentials([(own.key, own.certificate)], authority.pem, True)
        port = server.add_secure_port("127.0.0.1:0", credentials)
        await server.start()
        found: list[Context | grpc.StatusCode] = []
        try:
            for client in clients:
                proof = grpc.ssl_channel_credentials(authority.pem, client.key, client.certificate)
                async with grpc.aio.secure_channel(f"localhost:{port}", proof) as channel:
                    before = len(seen)
                    try:
                        call: Any = channel.unary_unary("/test/Call")
                        await call(b"", timeout=10)
                    except grpc.aio.AioRpcError as error:
                        assert len(seen) == before
                        found.append(error.code())
                    else:
                        found.append(seen[-1])
        finally:
            await server.stop(None)
        return found

    return asyncio.run(main())


def auth_context(authority: Authority, client: Issued) -> Context:
    [context] = auth_contexts(authority, client)
    assert not isinstance(context, grpc.StatusCode)
    return context


def identify(authority: Authority, *names: x509.GeneralName, **options: Any) -> Caller | None:
    return Certificates(IDS).caller(auth_context(authority, authority.issue(*names, **options)))


def test_the_spiffe_id_comes_first(authority: Authority) -> None:
    caller = identify(authority, uri(WEB), dns("web.example.org"))
    assert caller
    assert (caller.id, caller.by, caller.team) == (WEB, "spiffe", "web")
    assert (caller.trust_domain, caller.path, caller.name) == ("example.org", "/ns/web/sa/deploy", None)
    assert 0 < caller.expires - time.time() <= DAY.total_seconds()


def test_else_the_dns_name_counts_in_lower_case(authority: Authority) -> None:
    caller = identify(authority, dns("Web.example.org"), dns("other.example.org"))
    assert caller
    assert (caller.id, caller.by, caller.name, caller.team) == ("dns:web.example.org", "dns", "web.example.org", None)


def test_another_uri_does_not_hide_the_dns_name(authority: Authority) -> None:
    caller = identify(authority, uri("https://example.org/x"), dns("web.example.org"))
    assert caller
    assert caller.id == "dns:web.example.org"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "neither a SPIFFE id nor a DNS name"),
        ([uri("https://example.org/x")], "neither a SPIFFE id nor a DNS name"),
        ([x509.RFC822Name("web@example.org")], "neither a SPIFFE id nor a DNS name"),
        ([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], "neither a SPIFFE id nor a DNS name"),
        ([uri(WEB), uri(WEB + "2")], "more than one URI"),
        ([uri(WEB), uri("https://example.org/x"), dns("web.example.org")], "more than one URI"),
        ([uri("https://a.example"), uri("https://b.example"), dns("web.example.org")], "more than one URI"),
        ([uri("spiffe://example.net/ns/web"), dns("web.example.org")], "is not one of --trust-domain"),
        ([uri("spiffe://example.org"), dns("web.example.org")], "is not a SPIFFE id"),
        ([uri("spiffe:web"), dns("web.example.org")], "is not a SPIFFE id"),
        ([uri("SPIFFE://example.org/a"), dns("web.example.org")], "is not a SPIFFE id"),
        ([uri(WEB + "?x"), dns("web.example.org")], "is not a SPIFFE id"),
        ([uri("spiffe://example.org/a/../b"), dns("web.example.org")], "has a dot segment"),
        ([uri("spiffe://example.org/" + "a" * 2048), dns("web.example.org")], "is not a SPIFFE id"),
        ([dns(WEB)], "is not the name of one host"),
        ([dns("*.example.org")], "is not the name of one host"),
        ([dns("web.example.org\0.evil")], "does not have all names"),
        ([uri(WEB + "\0.evil")], "does not have all names"),
    ],
)
def test_a_certificate_that_is_not_accepted_is_rejected(
    authority: Authority, names: list[x509.GeneralName], reason: str
) -> None:
    with pytest.raises(CallerUnknownError, match=reason):
        identify(authority, *names)


def test_the_common_name_is_never_taken(authority: Authority) -> None:
    context = auth_context(authority, authority.issue(common_name="web.example.org"))
    assert context["x509_common_name"] == [b"web.example.org"]
    with pytest.raises(CallerUnknownError):
        Certificates(IDS).caller(context)


def test_expired_future_and_foreign_certificates_cannot_connect(authority: Authority) -> None:
    clients = [
        authority.issue(uri(WEB), begins=-2 * DAY, ends=-DAY),
        authority.issue(uri(WEB), begins=DAY, ends=2 * DAY),
        Authority().issue(uri(WEB)),
    ]
    assert auth_contexts(authority, *clients) == [grpc.StatusCode.UNAVAILABLE] * 3


def test_a_certificate_that_expires_during_the_connection_no_longer_counts(authority: Authority) -> None:
    now = time.time()
    certificates = Certificates(IDS, lambda: now)
    context = auth_context(authority, authority.issue(uri(WEB), ends=timedelta(minutes=5)))
    assert certificates.caller(context)
    now += 301
    with pytest.raises(CallerUnknownError, match="has expired"):
        certificates.caller(context)


def test_a_certificate_does_not_count_before_its_time(authority: Authority) -> None:
    context = auth_context(authority, authority.issue(uri(WEB)))
    with pytest.raises(CallerUnknownError, match="not valid yet"):
        Certificates(IDS, lambda: time.time() - 2 * DAY.total_seconds()).caller(context)


def test_a_certificate_is_read_once(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = Certificates(IDS)
    context = auth_context(authority, authority.issue(uri(WEB)))
    first = certificates.caller(context)
    monkeypatch.delattr(x509, "load_pem_x509_certificate")
    assert certificates.caller({name: [bytes(each) for each in values] for name, values in context.items()}) is first


def test_a_connection_without_a_certificate_has_no_caller() -> None:
    assert Certificates(IDS).caller({"transport_security_type": [b"ssl"]}) is None


@pytest.mark.parametrize(
    "context",
    [
        {"peer_spiffe_id": [WEB.encode()], "peer_uri": [WEB.encode()]},
        {"peer_dns": [b"web.example.org"]},
        {"x509_common_name": [b"web.example.org"]},
    ],
)
def test_names_without_their_certificate_are_rejected(context: Context) -> None:
    with pytest.raises(CallerUnknownError, match="not the certificate"):
        Certificates(IDS).caller(context)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"x509_pem_cert": [b"x"]}, "cannot be read"),
        ({"peer_spiffe_id": []}, "gRPC does not accept"),
        ({"peer_uri": [], "peer_spiffe_id": []}, "does not have all names"),
        ({"peer_dns": [b"admin.example.org"]}, "does not have all names"),
        ({"peer_uri": [b"\xff"]}, "cannot be read"),
    ],
)
def test_properties_that_do_not_fit_the_certificate_are_rejected(
    authority: Authority, changed: Context, reason: str
) -> None:
    context = auth_context(authority, authority.issue(uri(WEB)))
    with pytest.raises(CallerUnknownError, match=reason):
        Certificates(IDS).caller({**context, **changed})
