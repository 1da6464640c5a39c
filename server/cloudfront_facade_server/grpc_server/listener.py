"""Where the server listens: addresses, TLS, and gRPC's own limits."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from ..settings import ServeSettings

_SOCKET_PROBE_SECONDS = 1.0


class CannotListenError(Exception):
    """The address or the certificates cannot be used; the text is one line that says why."""


def channel_options(settings: ServeSettings) -> list[tuple[str, int]]:
    """Gives gRPC's limits for messages, streams and for idle, silent and half-open connections."""
    return [
        # The most of any method; LastResort holds each to its own limit.
        ("grpc.max_receive_message_length", max(settings.max_request_bytes, settings.max_data_request_bytes)),
        # The limit above is for one message after decompression. Nothing limits their sum: 60 requests of 6 KB become
        # 1.5 GB. Bit 0 is "identity", the only encoding that is enabled.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        ("grpc.max_concurrent_streams", settings.max_concurrent_streams),
        ("grpc.max_connection_idle_ms", round(settings.max_connection_idle * 1000)),
        ("grpc.server_handshake_timeout_ms", round(settings.handshake_timeout * 1000)),
        # A peer that vanished without a word is found out by pings; callers may send them too.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        # Without this, a second server on the same port starts without a word and takes half of the calls.
        ("grpc.so_reuseport", 0),
    ]


def listen(server: grpc.aio.Server, settings: ServeSettings) -> str:
    """Binds the server.

    Returns:
        The address with the port that was bound.

    Raises:
        CannotListenError: the address is taken or impossible, or the certificates are of no use.
    """
    credentials = _credentials(settings)
    if path := settings.unix_path():
        _require_free(path)
    try:
        port = (
            server.add_secure_port(settings.listen, credentials)
            if credentials
            else server.add_insecure_port(settings.listen)
        )
    except RuntimeError:
        port = 0
    if not port:
        raise CannotListenError(f"cannot listen on {settings.listen}: {_obstacle(settings)}")
    return settings.listen if path else f"{settings.listen.rpartition(':')[0]}:{port}"


def _obstacle(settings: ServeSettings) -> str:
    """Tries it once more without gRPC, which does not say what the matter is."""
    try:
        if path := settings.unix_path():
            with socket.socket(socket.AF_UNIX) as probe:
                probe.bind(str(path))
            path.unlink()
        else:
            host, _, port = settings.listen.rpartition(":")
            family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as probe:
                probe.bind(address)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return "gRPC cannot use the address"


def _require_free(path: Path) -> None:
    """Makes sure that no server listens on a Unix socket, for gRPC would take it away from one that does."""
    if not path.parent.is_dir():
        raise CannotListenError(f"cannot listen on unix:{path}: there is no such folder")
    if not path.exists():
        return
    if not path.is_socket():
        raise CannotListenError(f"cannot listen on unix:{path}: there is a file of this name that is no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_SOCKET_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise CannotListenError(f"cannot listen on unix:{path}: the address is in use")


def _credentials(settings: ServeSettings) -> Any:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    ca = settings.tls_client_ca
    cert, key = settings.tls_cert, settings.tls_key
    with _clear_failure(f"--tls-cert {cert}"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cert)
    with _clear_failure(f"--tls-cert {cert} with --tls-key {key}"):
        # With an empty passphrase, so that nobody is asked for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    if ca:
        with _clear_failure(f"--tls-client-ca {ca}"):
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(ca)
    return grpc.ssl_server_credentials(
        [(settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())],
        root_certificates=ca.read_bytes() if ca else None,
        require_client_auth=ca is not None,
    )


@contextmanager
def _clear_failure(what: str) -> Iterator[None]:
    """Says what is wrong with a file, as OpenSSL tells; gRPC would only fail every handshake."""
    try:
        yield
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "no PEM"
        if reason == "PEM_LIB" or "PEM lib" in reason:
            reason = "no certificate or private key in it, or an encrypted one, which cannot be used"
        raise CannotListenError(f"the TLS files cannot be used: {what}: {reason}") from None
