"""Settings of gRPC itself: load balancing, retries, keepalive and deadlines.

The format is https://github.com/grpc/grpc/blob/master/doc/service_config.md. The server controls retries with the
trailer `grpc-retry-pushback-ms`: it sets when to retry, or forbids it.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pool

from cloudfront_facade._argument_checks import check_flag
from cloudfront_facade._targets import check_target, is_local
from cloudfront_facade._tls import TLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.descriptor import MethodDescriptor

SERVICES = (
    "cloudfront_facade.v1.FunctionService",
    "cloudfront_facade.v1.KeyValueStoreService",
    "cloudfront_facade.v1.KeyValueStoreDataService",
    "cloudfront_facade.v1.TagService",
)
"""The services of the API. `_repeats` retries their calls."""

LOAD_BALANCING: list[dict[str, Any]] = [{"round_robin": {}}]
"""Calls rotate among all addresses of the target, so that new replicas receive calls."""

MAX_ATTEMPTS = 4
INITIAL_BACKOFF = 0.2
MAX_BACKOFF = 5.0
BACKOFF_MULTIPLIER = 2

RETRY_POLICY = {
    "maxAttempts": MAX_ATTEMPTS,
    "initialBackoff": f"{INITIAL_BACKOFF:g}s",
    "maxBackoff": f"{MAX_BACKOFF:g}s",
    "backoffMultiplier": BACKOFF_MULTIPLIER,
    # UNAVAILABLE is safe to retry for every method (AIP-194). CANCELLED is how a server that stops ends the calls that
    # it has accepted and not started. A call that its own caller cancels is not retried.
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}

RETRY_THROTTLING = {"maxTokens": 200, "tokenRatio": 0.1}
"""Limits the retries of a channel in an outage.

Half of the tokens, 100, are failures that are retried without a limit: as many calls as a connection has at a time, so
that a restart of a replica fails none. In a longer outage, a channel retries one call for every ten that succeed.
"""

KEEPALIVE = {
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.keepalive_permit_without_calls": 0,
}
"""A call notices a dead connection within 80 s. Idle connections get no pings, because servers forbid them."""

RECONNECTS = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
}
"""A replica that has restarted is used soon, before the next one restarts. gRPC's own backoff is from 1 to 120 s."""

NO_PROXY = {"grpc.enable_http_proxy": 0, "grpc.address_http_proxy_enabled_addresses": ""}
"""No proxy of the environment, of which gRPC has two kinds: for names and for addresses."""

LONGEST_DEADLINE = 1800.0
"""Longest deadline of a long-running method that the server honours, in seconds."""


def channel_arguments(
    target: str, *, tls: TLS | None, retry: bool, options: Iterable[tuple[str, Any]]
) -> list[tuple[str, Any]]:
    """Returns the channel arguments for a target; those in `options` take precedence.

    Raises:
        ValueError: The target is invalid.
        TypeError: An argument has a wrong type.
    """
    check_flag("retry", retry)
    check_target(target)
    if tls is not None and not isinstance(tls, TLS):
        raise TypeError(f"tls must be a TLS, such as TLS() or TLS(ca=...), or None, not {type(tls).__name__}")
    arguments = {
        **KEEPALIVE,
        **RECONNECTS,
        **(NO_PROXY if is_local(target) else {}),
        **(tls.options() if tls else {}),
        "grpc.service_config": service_config(retry=retry),
        **dict(options),
    }
    return list(arguments.items())


def service_config(*, retry: bool) -> str:
    """Returns the service config of a client, in JSON. gRPC retries only the calls of other services, such as health.

    Args:
        retry: Whether calls that end with UNAVAILABLE, or that the server cancels, are retried.
    """
    config: dict[str, Any] = {"loadBalancingConfig": LOAD_BALANCING}
    if retry:
        once = [{"service": service} for service in SERVICES]
        config["methodConfig"] = [{"name": [{}], "retryPolicy": RETRY_POLICY}, {"name": once}]
        config["retryThrottling"] = RETRY_THROTTLING
    return json.dumps(config)


def has_own_retries(options: Iterable[tuple[str, Any]]) -> bool:
    """Returns whether the caller's channel arguments replace the client's retries, or disable them."""
    arguments = dict(options)
    return "grpc.service_config" in arguments or arguments.get("grpc.enable_retries") == 0


def retries_of_grpc(*, retry: bool, options: Iterable[tuple[str, Any]]) -> Callable[[str], bool]:
    """Returns a function that returns whether gRPC itself may send a call of a method several times.

    Args:
        retry: As for `service_config`.
        options: The caller's channel arguments.
    """
    arguments = dict(options)
    if arguments.get("grpc.enable_retries") == 0:
        return lambda _: False
    if "grpc.service_config" in arguments or arguments.get("grpc.service_config_disable_resolution") == 0:
        return lambda _: True
    return lambda method: retry and not is_facade_method(method)


def is_facade_method(path: str) -> bool:
    """Returns whether a method, for example `/cloudfront_facade.v1.FunctionService/GetFunction`, is of the API."""
    return path.removeprefix("/").partition("/")[0] in SERVICES


def find_method(path: str) -> MethodDescriptor | None:
    """Returns the descriptor of a method; None for a method of another API, or if its stub is not imported yet.

    Args:
        path: The method's path, for example `/cloudfront_facade.v1.FunctionService/GetFunction`.
    """
    try:
        return _find_method(path)
    except KeyError:
        return None


@cache  # A KeyError is not cached: the stub may be imported later.
def _find_method(path: str) -> MethodDescriptor:
    return descriptor_pool.Default().FindMethodByName(path.removeprefix("/").replace("/", "."))


def is_long_running(method: str) -> bool:
    """Returns whether the protos mark a method as long-running; its default deadline is then LONGEST_DEADLINE."""
    return _has_option(method, "long_running")


def is_not_repeatable(method: str) -> bool:
    """Returns whether the protos mark a method as not repeatable: it writes keys."""
    return _has_option(method, "not_repeatable")


def _has_option(method: str, name: str) -> bool:
    descriptor = find_method(method)
    return descriptor is not None and descriptor.has_options and _option(descriptor, name)


@cache
def _option(descriptor: MethodDescriptor, name: str) -> bool:
    from cloudfront_facade.v1 import options_pb2

    return bool(descriptor.GetOptions().Extensions[getattr(options_pb2, name)])
