"""How a client verifies the server's identity and, with mutual TLS, proves its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import grpc

Pem = str | os.PathLike[str] | bytes
"""The path of a PEM file, or its content: bytes, or text that starts with `-----BEGIN`."""


@dataclass(frozen=True)
class TLS:
    """TLS for a connection; mutual TLS if `certificate` and `key` are set.

    Attributes:
        ca: The CA certificates that verify the server's certificate; None for those that gRPC ships or is configured
            with.
        certificate: The client's certificate, followed by its intermediates.
        key: The private key of `certificate`.
        server_name: The name that the server's certificate must have, if it is not the host of the target: behind a
            tunnel, or over a Unix socket.

    Raises:
        ValueError: Only one of `certificate` and `key` is set.
    """

    ca: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("mutual TLS needs both a certificate and its key")

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files and returns the credentials of a channel.

        Raises:
            OSError: A file cannot be read.
            ValueError: A value, or a file's content, is not PEM.
        """
        return grpc.ssl_channel_credentials(
            root_certificates=_read("ca", self.ca),
            private_key=_read("key", self.key),
            certificate_chain=_read("certificate", self.certificate),
        )

    def options(self) -> dict[str, str]:
        """Returns the channel arguments that belong to the credentials."""
        return {} if self.server_name is None else {"grpc.ssl_target_name_override": self.server_name}


def _read(name: str, pem: Pem | None) -> bytes | None:
    if pem is None:
        return None
    content = _content(pem)
    if b"-----BEGIN" not in content:
        # gRPC would fail every handshake without an explanation.
        raise ValueError(f"{name} is not PEM: it has no -----BEGIN line")
    return content


def _content(pem: Pem) -> bytes:
    if isinstance(pem, bytes):
        return pem
    # If the content, perhaps a private key, were used as a path, the error "no such file" would show it.
    if isinstance(pem, str) and pem.lstrip().startswith("-----BEGIN"):
        return pem.encode()
    from pathlib import Path  # used only here, and slow to import

    return Path(pem).read_bytes()
