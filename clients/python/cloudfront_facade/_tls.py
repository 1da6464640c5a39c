"""How a client proves the server's identity and, with mutual TLS, its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import grpc

Pem = str | os.PathLike[str] | bytes
"""The path of a PEM file, or what is in one: bytes, or text that begins with `-----BEGIN`."""


@dataclass(frozen=True)
class TLS:
    """TLS for a connection; with `certificate` and `key`, mutual TLS.

    Attributes:
        ca: The certificates that the server's is verified against; None for those that gRPC ships or is configured
            with.
        certificate: The client's certificate, followed by its intermediates.
        key: The private key of `certificate`.
        server_name: The name that the server's certificate must have, where it is not the host of the target: behind
            a tunnel, over a Unix socket.

    Raises:
        ValueError: There is a certificate without a key, or a key without a certificate.
    """

    ca: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("mutual TLS needs both a certificate and its key")

    def credentials(self) -> grpc.ChannelCredentials:
        """The credentials of a channel; files are read now.

        Raises:
            OSError: A file cannot be read.
            ValueError: What was given, or is in a file, is no PEM.
        """
        return grpc.ssl_channel_credentials(
            root_certificates=_read("ca", self.ca),
            private_key=_read("key", self.key),
            certificate_chain=_read("certificate", self.certificate),
        )

    def options(self) -> dict[str, str]:
        """The channel arguments that belong to the credentials."""
        return {} if self.server_name is None else {"grpc.ssl_target_name_override": self.server_name}


def _read(what: str, pem: Pem | None) -> bytes | None:
    if pem is None:
        return None
    content = _content(pem)
    if b"-----BEGIN" not in content:
        # gRPC would fail every handshake, and not say why.
        raise ValueError(f"{what} is no PEM: there is no -----BEGIN in it")
    return content


def _content(pem: Pem) -> bytes:
    if isinstance(pem, bytes):
        return pem
    # Content that is taken for a path would be shown by the error that there is no such file: a private key, perhaps.
    if isinstance(pem, str) and pem.lstrip().startswith("-----BEGIN"):
        return pem.encode()
    from pathlib import Path  # nothing else here needs it, and its import is not quick

    return Path(pem).read_bytes()
