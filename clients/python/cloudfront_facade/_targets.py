"""The targets that a client accepts, and those on this machine."""

from __future__ import annotations

import ipaddress
import re

_HOST_AND_PORT = re.compile(r"(?:dns:(?://[^/]*/)?)?(?:\[[^\[\]\s]+\]|[^\[\]\s:/]+):([0-9]+)")
_MAX_PORT = 65535

_SCHEME = re.compile(r"(?:unix|unix-abstract|vsock|ipv4|ipv6|xds|google-c2p):.")
"""How a target without a host starts: https://github.com/grpc/grpc/blob/master/doc/naming.md."""

_LOCAL_SCHEME = re.compile(r"(?:unix|unix-abstract|vsock):")
"""How a target starts that is a socket of this machine, or of its host."""

_ADDRESSES = re.compile(r"(?:ipv4|ipv6|dns):(?://[^/]*/)?")
_PORT = re.compile(r":[0-9]+$")


def check_target(target: object) -> None:
    """Checks the form of a target, because gRPC would resolve any text as a name, and advise a retry.

    Raises:
        ValueError: The target is invalid.
        TypeError: The target is not a str.
    """
    if not isinstance(target, str):
        raise TypeError(f"target must be a str, not {type(target).__name__}")
    if not _is_target(target):
        allowed = f"HOST:PORT with a port from 1 to {_MAX_PORT}, unix:PATH or another gRPC target"
        raise ValueError(f'invalid target "{target}"; allowed: {allowed}')


def _is_target(target: str) -> bool:
    if _SCHEME.match(target):
        return True
    if matched := _HOST_AND_PORT.fullmatch(target):
        return 0 < int(matched[1]) <= _MAX_PORT
    return target.startswith("dns:") and target != "dns:"


def is_local(target: str) -> bool:
    """Returns whether every address of a target is on this machine: a socket file, localhost or a loopback address."""
    if _LOCAL_SCHEME.match(target):
        return True
    addresses = _ADDRESSES.sub("", target, count=1).split(",")
    return all(_is_loopback(_host(address)) for address in addresses)


def _host(address: str) -> str:
    """Returns the host of HOST:PORT, [IPV6]:PORT, HOST or [IPV6]."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return _PORT.sub("", address)


def _is_loopback(host: str) -> bool:
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
