"""The address of a caller, from the name that gRPC has for the peer."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import unquote

from .texts import bounded

_IPV6_SUBSCRIBER_BITS: Final = 64
"""A subscriber has at least this network, and can use any of its addresses."""

_CACHED_PEERS: Final = 4096


def endpoint(peer: str) -> dict[str, Any]:
    """Returns OCSF's endpoint of a peer, for example of `ipv4:192.0.2.1:50000`."""
    host, port = _host_and_port(peer)
    if not host:
        return {"name": bounded(peer) or "unknown"}
    return {"ip": host, **({"port": int(port)} if port.isascii() and port.isdigit() and int(port) < 2**16 else {})}


@lru_cache(_CACHED_PEERS)
def network_of(peer: str) -> str:
    """Returns whom an unknown caller is taken for: its IPv4 address, its IPv6 network of 64 bits, or its socket."""
    host, _ = _host_and_port(peer)
    if not host:
        return bounded(peer)
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return str(IPv6Address(int(address) >> _IPV6_SUBSCRIBER_BITS << _IPV6_SUBSCRIBER_BITS))
    return host


def _host_and_port(peer: str) -> tuple[str, str]:
    """Returns the IP address and the port of a peer; empty texts if it does not have any, as on a Unix socket."""
    kind, _, address = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return "", ""
    host, _, port = unquote(address).rpartition(":")
    host = host.strip("[]")
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return "", ""
    return host, port
