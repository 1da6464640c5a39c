"""Callers with client certificates, from what gRPC knows about a connection.

gRPC has verified the chain. It has typed properties for the names in a certificate; its mixed list of all names is not
used, because a DNS name in it could look like a URI.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509

from ..errors.violations import quote
from .caller import Caller
from .dns import dns_caller
from .spiffe import SpiffeIds, is_spiffe
from .unknown import CallerUnknownError

AuthContext = Mapping[str, Sequence[bytes]]
"""What gRPC knows about a connection: values by the name of the property."""

_CACHED: Final = 4096


@dataclass(frozen=True)
class _Read:
    """What a certificate says: a caller or a reason why it is not accepted."""

    caller: Caller | None
    not_before: float
    reason: str = ""


class Certificates:
    """Identifies callers by their certificates.

    Args:
        spiffe_ids: Reads SPIFFE ids.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, spiffe_ids: SpiffeIds, clock: Callable[[], float] = time.time) -> None:
        self._spiffe_ids = spiffe_ids
        self._clock = clock
        # A connection has many calls, so each certificate is read once.
        self._read = lru_cache(_CACHED)(self._read_names)

    def caller(self, auth_context: AuthContext) -> Caller | None:
        """Returns the caller of a connection; None if it has no certificate.

        Raises:
            CallerUnknownError: The certificate is not accepted, or has expired since the connection began.
        """
        pems = auth_context.get("x509_pem_cert")
        if not pems:
            if any(name.startswith(("x509_", "peer_")) for name in auth_context):
                raise CallerUnknownError("gRPC has names of the certificate and not the certificate")
            return None
        read = self._read(
            tuple(pems),
            tuple(auth_context.get("peer_spiffe_id", ())),
            tuple(auth_context.get("peer_uri", ())),
            tuple(auth_context.get("peer_dns", ())),
        )
        if read.caller is None:
            raise CallerUnknownError(read.reason)
        now = self._clock()
        if now > read.caller.expires:
            raise CallerUnknownError("the certificate has expired")
        if now < read.not_before:
            raise CallerUnknownError("the certificate is not valid yet")
        return read.caller

    def _read_names(
        self, pems: tuple[bytes, ...], ids: tuple[bytes, ...], uris: tuple[bytes, ...], names: tuple[bytes, ...]
    ) -> _Read:
        try:
            [pem] = pems
            certificate = x509.load_pem_x509_certificate(pem)
            _check_names(certificate, uris, names)
            expires = certificate.not_valid_after_utc.timestamp()
            caller = self._caller_of_names(ids, uris, names, expires)
            return _Read(caller, certificate.not_valid_before_utc.timestamp())
        except CallerUnknownError as error:
            return _Read(None, 0.0, error.reason)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            return _Read(None, 0.0, "the certificate cannot be read")

    def _caller_of_names(
        self, ids: tuple[bytes, ...], uris: tuple[bytes, ...], names: tuple[bytes, ...], expires: float
    ) -> Caller:
        if len(uris) > 1:
            raise CallerUnknownError("the certificate has more than one URI")
        uri = uris[0].decode() if uris else ""
        if is_spiffe(uri):
            caller = self._spiffe_ids.caller(uri, expires)
            if ids != uris:
                raise CallerUnknownError(f"gRPC does not accept the SPIFFE id {quote(uri)}")
            return caller
        if not names:
            raise CallerUnknownError("the certificate has neither a SPIFFE id nor a DNS name")
        return dns_caller(names[0].decode(), expires)


def _check_names(certificate: x509.Certificate, uris: tuple[bytes, ...], names: tuple[bytes, ...]) -> None:
    """Compares the names in the certificate with gRPC's, which end at a NUL character."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        found: tuple[list[str], list[str]] = [], []
    else:
        found = (
            alternatives.get_values_for_type(x509.UniformResourceIdentifier),
            alternatives.get_values_for_type(x509.DNSName),
        )
    if found != ([each.decode() for each in uris], [each.decode() for each in names]):
        raise CallerUnknownError("gRPC does not have all names of the certificate")
