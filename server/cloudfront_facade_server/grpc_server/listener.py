"""Addresses, TLS and gRPC's own limits."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from ..settings.serve import ServeSettings

_SOCKET_PROBE_SECONDS = 1.0

_AGE_MARGIN_MS = 10_000

_UNREAD_BYTES = 16 * 1024
"""How much of a stream gRPC's core buffers before its message is read. A function's largest code fits."""

_PENDING_CALLS = 2500
"""How many calls may wait until Python accepts them; gRPC's core rejects further ones with CANCELLED.

By default it rejects some above 1000, and so a part of a burst of 2000 calls. Python accepts about 3000 calls in a
second, so a full queue delays the next call by about a second.
"""

_METADATA_BYTES = 8 * 1024
"""The maximum size of a call's metadata. gRPC's core rejects calls with more with RESOURCE_EXHAUSTED.

By default it rejects some above 8 KiB, and all above 16 KiB. In many small fields, 8 KiB take about 60 KB of memory, so
a full queue takes at most 150 MB.
"""


class CannotListenError(Exception):
    """The address or the certificates cannot be used. The message is one line: the problem and its remedy."""


def channel_options(settings: ServeSettings, max_connections: int) -> list[tuple[str, int]]:
    """Returns gRPC's limits for messages, streams and connections."""
    return [
        # The largest limit of all methods; CatchAllInterceptor enforces the limit of each.
        ("grpc.max_receive_message_length", max(settings.max_request_bytes, settings.max_data_request_bytes)),
        # Compression is disabled: bit 0 is "identity". The limit above applies to each message after decompression,
        # but nothing limits their sum, and 60 requests of 6 KB can become 1.5 GB.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        # Without these, gRPC's core buffers up to 4 MiB of each stream, even if nobody reads it. With them it buffers
        # 16 KiB until a message is read. The probes would let the limit grow with the bandwidth.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", _UNREAD_BYTES),
        ("grpc.max_concurrent_streams", settings.max_concurrent_streams),
        # A call counts until gRPC has freed it, but its caller makes the next one as soon as it has the response. So
        # without this, gRPC would reject calls of well-behaved clients. All calls of a connection may end at once, so
        # as many again may wait to be freed. The count stays limited, because otherwise a client that resets each
        # call at once would fill the queue of pending calls.
        ("grpc.http2.max_deallocating_streams", settings.max_concurrent_streams),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
        ("grpc.server.max_pending_requests", _PENDING_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", _PENDING_CALLS),
        ("grpc.max_allowed_incoming_connections", max_connections),
        ("grpc.max_connection_age_ms", round(settings.max_connection_age * 1000)),
        # Longer than any call, so that none is cut off.
        ("grpc.max_connection_age_grace_ms", round(settings.longest_deadline() * 1000) + _AGE_MARGIN_MS),
        ("grpc.max_connection_idle_ms", round(settings.max_connection_idle * 1000)),
        ("grpc.server_handshake_timeout_ms", round(settings.handshake_timeout * 1000)),
        # Keepalive pings detect dead peers; callers may send them too.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        # Otherwise a second server on the same port would start without an error and receive half of the connections.
        ("grpc.so_reuseport", 0),
    ]


def listen(server: grpc.aio.Server, settings: ServeSettings) -> str:
    """Binds the server.

    Returns:
        The address with the port that was bound.

    Raises:
        CannotListenError: The address is in use or invalid, or the certificates are invalid.
    """
    credentials = _credentials(settings)
    if path := settings.unix_path():
        _require_free(path)
    else:
        _require_all_free(settings.listen)
    try:
        port = (
            server.add_secure_port(settings.listen, credentials)
            if credentials
            else server.add_insecure_port(settings.listen)
        )
    except RuntimeError:
        port = 0
    if not port:
        raise _cannot_listen(settings.listen, _reason(settings))
    return settings.listen if path else f"{settings.listen.rpartition(':')[0]}:{port}"


def _cannot_listen(address: str, reason: str) -> CannotListenError:
    return CannotListenError(
        f"cannot listen on {address}: {reason}; set --listen or CLOUDFRONT_FACADE_LISTEN to another address"
    )


def _reason(settings: ServeSettings) -> str:
    """Returns why the address cannot be bound. Binds it without gRPC, which does not report the reason."""
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


def _require_all_free(address: str) -> None:
    """Raises CannotListenError if an address of a name is in use, because gRPC would bind only the others.

    If two servers had one address of `localhost` each, their callers would alternate between them.
    """
    host, _, port = address.rpartition(":")
    name = host.strip("[]")
    # For gRPC, localhost is both, whatever the resolver says.
    for each in ("127.0.0.1", "::1") if name == "localhost" else (name,):
        try:
            resolved = socket.getaddrinfo(each, int(port), type=socket.SOCK_STREAM)
        except OSError:
            return  # gRPC fails too
        for family, kind, _, _, socket_address in resolved:
            if _is_in_use(family, kind, socket_address):
                which = "" if name == socket_address[0] else f"{socket_address[0]}: "
                raise _cannot_listen(address, f"{which}address already in use")


def _is_in_use(family: int, kind: int, address: tuple[Any, ...]) -> bool:
    try:
        with socket.socket(family, kind) as probe:
            # As gRPC does, because connections of an earlier server may still be closing.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def _require_free(path: Path) -> None:
    """Raises CannotListenError if another server listens on a Unix socket, because gRPC would take over the socket."""
    if not path.parent.is_dir():
        raise _cannot_listen(f"unix:{path}", f'the folder "{path.parent}" does not exist')
    if not path.exists():
        return
    if not path.is_socket():
        raise _cannot_listen(f"unix:{path}", "the file exists and is not a socket")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_SOCKET_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise _cannot_listen(f"unix:{path}", "address already in use")


def _credentials(settings: ServeSettings) -> Any:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    ca = settings.tls_client_ca
    cert, key = settings.tls_cert, settings.tls_key
    with _check_tls_file(f"--tls-cert {cert}"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cert)
    with _check_tls_file(f"--tls-cert {cert} with --tls-key {key}"):
        # The empty passphrase keeps OpenSSL from prompting for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    if ca:
        with _check_tls_file(f"--tls-client-ca {ca}"):
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(ca)
    return grpc.ssl_server_credentials(
        [(settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())],
        root_certificates=ca.read_bytes() if ca else None,
        require_client_auth=ca is not None,
    )


@contextmanager
def _check_tls_file(flags: str) -> Iterator[None]:
    """Raises CannotListenError with OpenSSL's reason, because gRPC would start and then fail every handshake."""
    try:
        yield
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "not PEM"
        if reason == "PEM_LIB" or "PEM lib" in reason:
            reason = "it contains no certificate or private key, or one with a passphrase, which is not supported"
        raise CannotListenError(f"the TLS files cannot be used: {flags}: {reason}") from None
