"""Connections with TLS."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme

from client.canned import FUNCTION_CREATED, Canned, running_server
from cloudfront_facade import TLS, FacadeError, aio, connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUEST = CreateFunctionRequest(name="rewrite")
NAME = "facade.example.com"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def pem(*blobs: trustme.Blob) -> bytes:
    return b"".join(blob.bytes() for blob in blobs)


def credentials(authority: trustme.CA, *names: str, clients: trustme.CA | None = None) -> grpc.ServerCredentials:
    issued = authority.issue_cert(*names)
    return grpc.ssl_server_credentials(
        [(pem(issued.private_key_pem), pem(*issued.cert_chain_pems))],
        root_certificates=pem(clients.cert_pem) if clients else None,
        require_client_auth=clients is not None,
    )


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[str]:
    with running_server(Canned(), credentials=credentials(authority, "127.0.0.1")) as target:
        yield target


@pytest.fixture
def strict_server(authority: trustme.CA) -> Iterator[str]:
    with running_server(Canned(), credentials=credentials(authority, "127.0.0.1", clients=authority)) as target:
        yield target


def call(target: str, tls: TLS | None) -> object:
    with connect(target, tls=tls, retry=False) as facade:
        return facade.functions.CreateFunction(REQUEST)


def assert_connection_fails(target: str, tls: TLS | None) -> None:
    with pytest.raises(FacadeError) as caught:
        call(target, tls)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_server_is_verified_by_a_ca_from_a_file_or_from_memory(
    server: str, authority: trustme.CA, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    assert call(server, TLS(ca=file)) == FUNCTION_CREATED
    assert call(server, TLS(ca=str(file))) == FUNCTION_CREATED
    assert call(server, TLS(ca=pem(authority.cert_pem))) == FUNCTION_CREATED
    assert call(server, TLS(ca=pem(authority.cert_pem).decode())) == FUNCTION_CREATED


def test_a_server_with_another_ca_is_not_trusted(server: str) -> None:
    assert_connection_fails(server, TLS(ca=pem(trustme.CA().cert_pem)))
    assert_connection_fails(server, TLS())


def test_plaintext_and_tls_do_not_mix(server: str, authority: trustme.CA) -> None:
    assert_connection_fails(server, None)
    with running_server(Canned()) as plaintext:
        assert_connection_fails(plaintext, TLS(ca=pem(authority.cert_pem)))


def test_mutual_tls_sends_the_clients_certificate(strict_server: str, authority: trustme.CA) -> None:
    ca = pem(authority.cert_pem)
    client = authority.issue_cert("client.example.com")
    mutual = TLS(ca=ca, certificate=pem(*client.cert_chain_pems), key=pem(client.private_key_pem))
    assert call(strict_server, mutual) == FUNCTION_CREATED
    assert_connection_fails(strict_server, TLS(ca=ca))


def test_a_server_behind_another_address_is_verified_by_server_name(authority: trustme.CA, tmp_path: Path) -> None:
    ca = pem(authority.cert_pem)
    with running_server(Canned(), f"unix:{tmp_path}/s", credentials(authority, NAME)) as target:
        assert call(target, TLS(ca=ca, server_name=NAME)) == FUNCTION_CREATED
        assert_connection_fails(target, TLS(ca=ca, server_name="other.example.com"))


@pytest.mark.parametrize("arguments", [{"certificate": b"x"}, {"key": b"x"}])
def test_a_certificate_and_its_key_must_be_set_together(arguments: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="both a certificate and its key"):
        TLS(**arguments)  # type: ignore[arg-type]


async def connect_aio(tls: TLS) -> None:
    await aio.connect("127.0.0.1:1", tls=tls).close()


@pytest.mark.parametrize(
    "open_client", [lambda tls: connect("127.0.0.1:1", tls=tls).close(), lambda tls: asyncio.run(connect_aio(tls))]
)
def test_files_that_cannot_be_used_fail_connect(authority: trustme.CA, tmp_path: Path, open_client: Any) -> None:
    issued, other = authority.issue_cert("a"), trustme.CA().issue_cert("b")
    chain, key = pem(*issued.cert_chain_pems), pem(issued.private_key_pem)
    damaged = b"-----BEGIN CERTIFICATE-----\naHVzaA==\n-----END CERTIFICATE-----\n"
    files = {}
    for name, content in {"chain": chain, "key": key, "other": pem(other.private_key_pem), "damaged": damaged}.items():
        files[name] = tmp_path / name
        files[name].write_bytes(content)
    (tmp_path / "text").write_text("hush")
    rows = [
        (TLS(ca=tmp_path / "missing"), f'ca "{tmp_path}/missing" cannot be read: No such file or directory'),
        (TLS(ca=tmp_path), f'ca "{tmp_path}" cannot be read: Is a directory'),
        (TLS(ca=tmp_path / "text"), f'ca "{tmp_path}/text" is not PEM: it has no -----BEGIN line'),
        (TLS(ca=str(files["key"])), f'ca "{files["key"]}" has no certificate, or one that is damaged'),
        (TLS(ca=damaged), "ca has no certificate, or one that is damaged"),
        (TLS(ca=chain.replace(b"M", b"N", 40)), "ca has no certificate, or one that is damaged"),
        (TLS(certificate=damaged, key=key), "certificate has no certificate, or one that is damaged"),
        (
            TLS(certificate=files["chain"], key=files["other"]),
            f'key "{files["other"]}" is not the key of certificate "{files["chain"]}"',
        ),
        (TLS(certificate=chain, key=pem(other.private_key_pem)), "key is not the key of certificate"),
        (TLS(certificate=chain, key=chain), "key has no private key, or one that is damaged or has a passphrase"),
    ]
    for tls, error in rows:
        with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
            open_client(tls)


def test_comments_and_several_authorities_are_accepted(server: str, authority: trustme.CA) -> None:
    ca = "# Gr\u00fc\u00dfe\n".encode() + pem(trustme.CA().cert_pem, authority.cert_pem)
    assert call(server, TLS(ca=ca)) == FUNCTION_CREATED


def test_the_repr_hides_the_key() -> None:
    assert "secret" not in repr(TLS(certificate=b"public", key=b"secret"))


def test_content_that_is_not_pem_is_rejected_and_not_shown(tmp_path: Path) -> None:
    garbage = tmp_path / "ca.pem"
    garbage.write_text("hush")
    for tls in (TLS(ca=garbage), TLS(ca=b"hush"), TLS(certificate=b"-----BEGIN CERTIFICATE-----", key=b"hush")):
        with pytest.raises(ValueError, match=r'^(ca ".*"|ca|key) is not PEM') as caught:
            connect("localhost:1", tls=tls)
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize("target", ["", "http://127.0.0.1:50051", "https://facade.example.com"])
def test_connect_rejects_urls_and_empty_targets(target: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        connect(target)
