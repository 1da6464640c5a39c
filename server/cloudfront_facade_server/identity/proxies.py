"""Callers behind a proxy that ends TLS, from the headers that it adds.

Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import inf
from typing import Final
from urllib.parse import unquote

from ..errors.violations import quote
from .caller import Caller
from .dns import dns_caller
from .spiffe import SpiffeIds, is_spiffe
from .unknown import CallerUnknownError

CERTIFICATE_HEADER: Final = "x-forwarded-client-cert"
ADDRESS_HEADER: Final = "x-forwarded-for"

Metadata = Sequence[tuple[str, str | bytes]]
"""The metadata of a call."""

_CACHED: Final = 4096

_PAIR: Final = re.compile(r"""\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)([,;]|$)""")
"""A key, its value, which is in quotes if it contains a separator, and the separator after it."""

_ESCAPE: Final = re.compile(r"\\(.)")


class TrustedProxies:
    """The proxies whose headers are trusted.

    Args:
        proxies: Networks in CIDR notation or addresses, `loopback`, and `unix` for Unix sockets.
        spiffe_ids: Reads SPIFFE ids.

    Raises:
        ValueError: A proxy is malformed. The message is one line.
    """

    def __init__(self, proxies: Iterable[str], spiffe_ids: SpiffeIds) -> None:
        self._spiffe_ids = spiffe_ids
        self._has_unix = False
        self._networks: list[IPv4Network | IPv6Network] = []
        for proxy in proxies:
            if proxy == "unix":
                self._has_unix = True
            else:
                self._networks += _networks(proxy)
        self.trusts = lru_cache(_CACHED)(self._trusts)
        self._caller = lru_cache(_CACHED)(self._caller_of_header)

    def _trusts(self, peer: str) -> bool:
        """Returns whether a peer, as gRPC names it, is a trusted proxy."""
        if peer.startswith("unix:"):
            return self._has_unix
        address = address_of(peer)
        return address is not None and any(address in network for network in self._networks)

    def caller(self, metadata: Metadata) -> Caller | None:
        """Returns the caller whose certificate a trusted proxy names; None if it names no certificate.

        Raises:
            CallerUnknownError: The certificate is not accepted, or the header is malformed.
        """
        values = _values(metadata, CERTIFICATE_HEADER)
        return self._caller(values[-1]) if values else None

    def address(self, peer: str, metadata: Metadata) -> str:
        """Returns the address of the caller as gRPC would name it; the peer's own if a trusted proxy adds none."""
        if not self.trusts(peer) or not (values := _values(metadata, ADDRESS_HEADER)):
            return peer
        try:
            address = ip_address(values[-1].rpartition(",")[2].strip())
        except ValueError:
            return peer
        return f"ipv6:[{address}]" if address.version == 6 else f"ipv4:{address}"

    def _caller_of_header(self, header: str) -> Caller:
        uris, names = [], []
        for key, value in _last_element(header):
            if key == "uri" and value:
                uris.append(value)
            elif key == "dns" and value:
                names.append(value)
        if len(uris) > 1:
            raise CallerUnknownError(f"{CERTIFICATE_HEADER} has more than one URI")
        if uris and is_spiffe(uris[0]):
            return self._spiffe_ids.caller(uris[0], inf)
        if not names:
            raise CallerUnknownError(f"{CERTIFICATE_HEADER} has neither a SPIFFE id nor a DNS name")
        return dns_caller(names[0], inf)


def address_of(peer: str) -> IPv4Address | IPv6Address | None:
    """Returns the address of a peer as gRPC names it; None if it has none."""
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return None
    host = unquote(rest).rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _networks(proxy: str) -> list[IPv4Network | IPv6Network]:
    if proxy == "loopback":
        return [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    try:
        return [ip_network(proxy)]
    except ValueError as error:
        raise ValueError(
            f"--trusted-proxies {quote(proxy)}: {error}; allowed: a network such as 10.0.0.0/8, an address, loopback, "
            "or unix"
        ) from None


def _values(metadata: Metadata, name: str) -> list[str]:
    return [value for key, value in metadata if key == name and isinstance(value, str)]


def _last_element(header: str) -> list[tuple[str, str]]:
    """Returns the keys, in lower case, and values of the last element, which the proxy itself added."""
    pairs: list[tuple[str, str]] = []
    at, separator = 0, ","
    while separator:
        if separator == ",":
            pairs = []
        found = _PAIR.match(header, at)
        if not found:
            raise CallerUnknownError(f"{CERTIFICATE_HEADER} is malformed")
        key, value, separator = found.groups()
        if value.startswith('"'):
            value = _ESCAPE.sub(r"\1", value[1:-1])
        pairs.append((key.lower(), value))
        at = found.end()
    return pairs
