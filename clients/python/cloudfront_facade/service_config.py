"""What gRPC itself does for a client, as data: balancing, retries, keepalive, deadlines.

Form: https://github.com/grpc/grpc/blob/master/doc/service_config.md. The server steers retries with the trailer
`grpc-retry-pushback-ms`: it says when to send again, or that it must not be.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pool

from cloudfront_facade.tls import TLS

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST_AND_PORT = re.compile(r"(?:dns:(?://[^/]*/)?)?(?:\[[^\[\]\s]+\]|[^\[\]\s:/]+):([0-9]+)")
LAST_PORT = 65535

SCHEME = re.compile(r"(?:unix|unix-abstract|vsock|ipv4|ipv6|xds|google-c2p):.")
"""How a target begins that is no host: https://github.com/grpc/grpc/blob/master/doc/naming.md."""

LOAD_BALANCING: list[dict[str, Any]] = [{"round_robin": {}}]
"""Every address that the target resolves to takes its turn, so that new replicas get work."""

RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.2s",
    "maxBackoff": "5s",
    "backoffMultiplier": 2,
    # AIP-194: the one status that is safe to retry without looking at the method.
    "retryableStatusCodes": ["UNAVAILABLE"],
}

KEEPALIVE = {
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.keepalive_permit_without_calls": 0,
}
"""A dead connection is noticed within 80 s of a call; an idle one is left alone, as servers demand."""

KEY_VALUES = "cloudfront_facade.v1.KeyValueStoreDataService"

LONGEST_DEADLINE = 1800.0
"""Longest deadline of a long-running method that the server honours, in seconds."""

KEY_WRITES = [{"service": KEY_VALUES, "method": name} for name in ("PutKey", "DeleteKey", "UpdateKeys", "ImportKeys")]
"""The methods that are sent once, as names of a service config.

When the connection breaks and nobody says whether the first send took effect, a second one could undo what others wrote
in between, or, with an etag, be refused because the first one went through, which would then be told as not applied.
Every other change can be repeated: its etag stays the same, or the server recognizes what it finds done.
"""


def channel_arguments(
    target: str, *, tls: TLS | None, retry: bool, request_ids: bool, options: Iterable[tuple[str, Any]]
) -> list[tuple[str, Any]]:
    """The arguments of a channel to a target; those in `options` prevail.

    Raises:
        ValueError: The target is none.
        TypeError: `tls` is something else than a TLS.
    """
    if not _is_target(target):
        # gRPC takes it for a name to look up, fails every call, and advises to try again.
        raise ValueError(f"a target is HOST:PORT, unix:PATH or another of gRPC's, not {target!r}")
    if tls is not None and not isinstance(tls, TLS):
        raise TypeError(f"tls is a TLS, as TLS() or TLS(ca=...), or None for plaintext, not {type(tls).__name__}")
    arguments = {
        **KEEPALIVE,
        **(tls.options() if tls else {}),
        "grpc.service_config": service_config(retry=retry, request_ids=request_ids),
        **dict(options),
    }
    return list(arguments.items())


@cache
def is_long_running(method: str) -> bool:
    """Returns whether the protos mark a method as long-running; its default deadline is then LONGEST_DEADLINE.

    Args:
        method: The method's path, for example `/cloudfront_facade.v1.FunctionService/GetFunction`. The stub that makes
            the call has loaded its descriptor. Methods of other APIs are not long-running.
    """
    try:
        descriptor = descriptor_pool.Default().FindMethodByName(method.removeprefix("/").replace("/", "."))
    except KeyError:
        return False
    if not descriptor.has_options:
        return False

    from cloudfront_facade.v1 import options_pb2

    return bool(descriptor.GetOptions().Extensions[options_pb2.long_running])


def _is_target(target: str) -> bool:
    if SCHEME.match(target):
        return True
    if matched := HOST_AND_PORT.fullmatch(target):
        return 0 < int(matched[1]) <= LAST_PORT
    return target.startswith("dns:") and target != "dns:"


def service_config(*, retry: bool, request_ids: bool) -> str:
    """The service config of a client, in JSON.

    Args:
        retry: Whether calls that are answered UNAVAILABLE are sent again.
        request_ids: Whether every create has a `request_id`. Without one, the answer to a second send could be
            ALREADY_EXISTS for what the first one made, so creates are then sent once.
    """
    methods: list[dict[str, Any]] = []
    if retry:
        methods.append({"name": [{}], "retryPolicy": RETRY_POLICY})
        methods.append({"name": KEY_WRITES if request_ids else KEY_WRITES + creates()})
    return json.dumps({"loadBalancingConfig": LOAD_BALANCING, "methodConfig": methods})


def creates() -> list[dict[str, str]]:
    """The methods whose requests have a `request_id`, as names of a service config."""
    from cloudfront_facade.v1 import function_service_pb2, key_value_store_service_pb2

    return [
        {"service": service.full_name, "method": method.name}
        for file in (function_service_pb2.DESCRIPTOR, key_value_store_service_pb2.DESCRIPTOR)
        for service in file.services_by_name.values()
        for method in service.methods
        if "request_id" in method.input_type.fields_by_name
    ]
