"""How a client verifies the server's identity and, with mutual TLS, proves its own."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        """Reads and checks the files, and returns the credentials of a channel.

        Raises:
            ValueError: A file cannot be read, its content or a value is not PEM, or the key is another certificate's.
        """
        ca = _read("ca", self.ca)
        certificate = _read("certificate", self.certificate)
        key = _read("key", self.key)
        # gRPC would fail every handshake with lines of its source code.
        if ca is not None:
            _check_certificates(_named("ca", self.ca), ca)
        if certificate is not None and key is not None:
            _check_certificates(_named("certificate", self.certificate), certificate)
            _check_key(_named("key", self.key), _named("certificate", self.certificate), certificate, key)
        return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=certificate)

    def options(self) -> dict[str, str]:
        """Returns the channel arguments that belong to the credentials."""
        return {} if self.server_name is None else {"grpc.ssl_target_name_override": self.server_name}


def _read(name: str, pem: Pem | None) -> bytes | None:
    if pem is None:
        return None
    try:
        content = _content(pem)
    except OSError as error:
        raise ValueError(f"{_named(name, pem)} cannot be read: {error.strerror}") from None
    if b"-----BEGIN" not in content:
        raise ValueError(f"{_named(name, pem)} is not PEM: it has no -----BEGIN line")
    return content


def _is_content(pem: Pem) -> bool:
    # If the content, perhaps a private key, were used as a path, the error "no such file" would show it.
    return isinstance(pem, bytes) or (isinstance(pem, str) and pem.lstrip().startswith("-----BEGIN"))


def _content(pem: Pem) -> bytes:
    if isinstance(pem, bytes):
        return pem
    if isinstance(pem, str) and _is_content(pem):
        return pem.encode()
    from pathlib import Path  # used only here, and slow to import

    return Path(pem).read_bytes()


def _named(name: str, pem: Pem | None) -> str:
    """Returns the name of an argument, with its path if it has one."""
    return name if pem is None or _is_content(pem) else f'{name} "{os.fsdecode(pem)}"'


def _check_certificates(what: str, content: bytes) -> None:
    """Raises ValueError if the content has no certificate, or a broken one."""
    import ssl  # slow to import

    try:
        # Only comments between the certificates can have other characters.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode("ascii", "ignore"))
    except ssl.SSLError:
        raise ValueError(f"{what} has no certificate, or one that is damaged") from None


def _check_key(what: str, certificate_name: str, certificate: bytes, key: bytes) -> None:
    """Raises ValueError if the key cannot be used with the certificate."""
    import ssl

    if not hasattr(os, "memfd_create"):  # only Linux can pass a key to OpenSSL without a file
        return
    try:
        with _in_memory(certificate) as certificate_file, _in_memory(key) as key_file:
            # The empty passphrase keeps OpenSSL from prompting for one.
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate_file, key_file, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError(f"{what} is not the key of {certificate_name}") from None
        raise ValueError(f"{what} has no private key, or one that is damaged or has a passphrase") from None
    except FileNotFoundError:
        pass  # a sandbox without /proc: the handshake fails if the key is wrong


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Yields the path of a file that exists only in memory."""
    descriptor = os.memfd_create("pem")
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
