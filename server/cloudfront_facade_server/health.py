"""The command `health`: a health check for containers that have no gRPC client."""

from __future__ import annotations

import time
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cloudfront_facade import TLS
from cloudfront_facade._service_config import NO_PROXY
from cloudfront_facade._targets import is_local

from .settings.client import HealthSettings, TargetSettings

_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 (a server may listen on all interfaces)

SERVING: Final = "SERVING"

_POLL_SECONDS: Final = 0.1

_RECONNECT_OFTEN: Final = tuple(
    (f"grpc.{name}_reconnect_backoff_ms", round(_POLL_SECONDS * 1000)) for name in ("initial", "min", "max")
)

_FLAGS: Final = {"ca": "--tls-ca", "certificate": "--tls-cert", "key": "--tls-key"}
"""The flags that set the arguments of the client's TLS."""


class CannotConnectError(Exception):
    """A TLS file cannot be used. The message is one line that names the flag."""


def check(settings: HealthSettings, listen: str) -> str:
    """Checks the health of a server.

    Args:
        settings: The server's address, and how to connect to it.
        listen: The address on which `serve` listens in the same environment; used if the settings have no target.

    Returns:
        `SERVING`, `NOT_SERVING`, or one line that states why the server did not respond.

    Raises:
        CannotConnectError: A TLS file cannot be used.
    """
    target = settings.target or _target_of(listen)
    ends = time.monotonic() + settings.wait
    with open_channel(target, settings, *_RECONNECT_OFTEN) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while True:
            left = ends - time.monotonic()
            result = _check_once(stub, target, settings, min(settings.timeout, left) if left > 0 else settings.timeout)
            if result == SERVING or time.monotonic() + _POLL_SECONDS >= ends:
                return result
            time.sleep(_POLL_SECONDS)


def _check_once(stub: health_pb2_grpc.HealthStub, target: str, settings: HealthSettings, timeout: float) -> str:
    try:
        response = stub.Check(health_pb2.HealthCheckRequest(service=settings.service), timeout=timeout)  # type: ignore[attr-defined]
    except grpc.RpcError as error:
        return f"{target}: {_reason(error)}"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))


def _reason(error: grpc.RpcError) -> str:
    code, details = (error.code(), error.details()) if isinstance(error, grpc.Call) else (None, None)
    if code is grpc.StatusCode.NOT_FOUND:
        details = details or "the server has no service with this name"
    if details == "Socket closed":
        details = "Socket closed; if the server uses TLS, set --tls-ca"
    return f"{code.name if code else 'UNKNOWN'}: {' '.join((details or '').split())}"


def _target_of(listen: str) -> str:
    if listen.startswith("unix:"):
        return listen
    host, _, port = listen.rpartition(":")
    return f"{_LOOPBACK_OF.get(host, host)}:{port}"


def open_channel(target: str, settings: TargetSettings, *options: tuple[str, object]) -> grpc.Channel:
    """Opens a channel to a server, with TLS if the settings contain a CA.

    The proxy variables of the environment do not apply to a server on this machine.

    Raises:
        CannotConnectError: A TLS file cannot be used.
    """
    if is_local(target):
        options = (*options, *NO_PROXY.items())
    if settings.tls_ca is None:
        return grpc.insecure_channel(target, options)
    tls = TLS(ca=settings.tls_ca, certificate=settings.tls_cert, key=settings.tls_key)
    try:
        credentials = tls.credentials()
    except ValueError as error:
        argument, _, problem = str(error).partition(" ")
        raise CannotConnectError(f"{_FLAGS[argument]} {problem}") from None
    if name := settings.tls_server_name:
        options = (*options, ("grpc.ssl_target_name_override", name))
    return grpc.secure_channel(target, credentials, options)
