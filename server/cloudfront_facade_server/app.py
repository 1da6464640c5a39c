"""The wiring of backend, services and server. Only this module imports all the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog

from cloudfront_facade.v1 import (
    function_service_pb2,
    function_service_pb2_grpc,
    key_value_store_data_service_pb2,
    key_value_store_data_service_pb2_grpc,
    key_value_store_service_pb2,
    key_value_store_service_pb2_grpc,
    tag_service_pb2,
    tag_service_pb2_grpc,
)

from . import logs
from .backends.protocol import Backend
from .backends.thread_pool import ThreadPoolBackend
from .call_context import ShutdownDeadline
from .concurrency.greenlets import greenlet_spawn, run_in_daemon_thread
from .grpc_server.dispatcher import CallLimits, Dispatcher
from .grpc_server.listener import CannotListenError
from .grpc_server.server import Register, Server
from .readiness import ReadinessCheck, wait_until_ready
from .services.function_service import FunctionService
from .services.key_value_store_data_service import KeyValueStoreDataService
from .services.key_value_store_service import KeyValueStoreService
from .services.tag_service import TagService
from .settings import ServeSettings, unknown_variables
from .upstream.client import UpstreamClient
from .upstream.concurrency_limiter import ConcurrencyLimiter
from .upstream.creates import ResourceCreator
from .upstream.functions import Functions
from .upstream.key_value_stores import KeyValueStores
from .upstream.key_values import KeyValues
from .upstream.resource_kinds import FUNCTION, KEY_VALUE_STORE
from .upstream.tags import Tags
from .upstream.timeouts import SettleTimeouts
from .upstream.wait_for_ready import ReadyWaiter
from .validation.rules import Rules
from .validation.tags import TagRules

FUNCTION_SERVICE: Final = function_service_pb2.DESCRIPTOR.services_by_name["FunctionService"].full_name
KEY_VALUE_STORE_SERVICE: Final = key_value_store_service_pb2.DESCRIPTOR.services_by_name[
    "KeyValueStoreService"
].full_name
KEY_VALUE_STORE_DATA_SERVICE: Final = key_value_store_data_service_pb2.DESCRIPTOR.services_by_name[
    "KeyValueStoreDataService"
].full_name
TAG_SERVICE: Final = tag_service_pb2.DESCRIPTOR.services_by_name["TagService"].full_name

_EMBEDDED_THREADS: Final = 4
"""More threads would only wait for each other, because SQLite has one writer."""

_log = structlog.get_logger()


class CannotServeError(Exception):
    """The server cannot start; the message says in one line why and what to do."""


def serve(settings: ServeSettings) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        The exit code, 0.

    Raises:
        CannotServeError: The backend, the address or the certificates cannot be used.
    """
    logs.configure(settings.log_level, settings.log_format)
    if unknown := unknown_variables():
        _log.warning("unknown CLOUDFRONT_FACADE_* variables", variables=unknown)
    if settings.backend == "aws" and settings.shutdown_grace_period < (longest := settings.longest_send()):
        _log.warning(
            "--shutdown-grace-period is shorter than a create can take",
            grace_s=settings.shutdown_grace_period,
            longest_s=longest,
        )
    upstream = _make_upstream(settings)
    try:
        _run(_serve(settings, upstream))
    except CannotListenError as error:
        raise CannotServeError(str(error)) from None
    return 0


def services(settings: ServeSettings, backend: Backend) -> dict[str, tuple[object, Register]]:
    """Returns the services.

    Args:
        settings: Limits and timeouts.
        backend: The backend that serves them.

    Returns:
        For each full name, the service and its generated registration.
    """
    rules = Rules(TagRules(settings.tag_charset, settings.max_tags), settings.max_function_code_bytes)
    limiter = ConcurrencyLimiter(settings.max_concurrent_upstream_calls, settings.min_upstream_time)
    timeouts = SettleTimeouts(settings.longest_read(), settings.settle_timeout, settings.longest_send())
    client = UpstreamClient(backend, limiter, timeouts)
    return {
        FUNCTION_SERVICE: (
            FunctionService(rules, ResourceCreator(client, FUNCTION), Functions(client)),
            function_service_pb2_grpc.add_FunctionServiceServicer_to_server,
        ),
        KEY_VALUE_STORE_SERVICE: (
            KeyValueStoreService(
                rules, ResourceCreator(client, KEY_VALUE_STORE), KeyValueStores(client), ReadyWaiter(client)
            ),
            key_value_store_service_pb2_grpc.add_KeyValueStoreServiceServicer_to_server,
        ),
        KEY_VALUE_STORE_DATA_SERVICE: (
            KeyValueStoreDataService(rules, KeyValues(client)),
            key_value_store_data_service_pb2_grpc.add_KeyValueStoreDataServiceServicer_to_server,
        ),
        TAG_SERVICE: (
            TagService(rules, Tags(client, rules.check_tag_limit)),
            tag_service_pb2_grpc.add_TagServiceServicer_to_server,
        ),
    }


def make_server(settings: ServeSettings, backend: Backend) -> tuple[Server, Dispatcher]:
    """Returns the server, which does not listen yet, and the dispatcher of its calls."""
    shutdown = ShutdownDeadline()
    limits = CallLimits(
        settings.max_concurrent_calls,
        settings.default_deadline,
        settings.max_deadline,
        settings.max_long_running_deadline,
    )
    dispatcher = Dispatcher(limits, backend.name, shutdown)
    return Server(settings, dispatcher, shutdown, services(settings, backend)), dispatcher


async def _serve(settings: ServeSettings, upstream: _Upstream) -> None:
    """Serves until a signal."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    failure: list[CannotServeError] = []

    def on_interrupt() -> None:
        # A second Ctrl-C skips the wait. A second SIGTERM is only a supervisor that repeats itself.
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    server, dispatcher = make_server(settings, upstream.backend)
    address = await server.start()
    log_fields = {
        "listen": address,
        "tls": _tls(settings),
        "backend": upstream.backend.name,
        "upstream": _endpoint(settings),
    }

    async def become_ready() -> None:
        try:
            await wait_until_ready(upstream.check_readiness, log_fields)
        except CannotServeError as error:
            failure.append(error)
            stop.set()
            return
        await server.set_serving(serving=True)
        _log.info("serving", **log_fields)
        if upstream.backend.name == "embedded":
            _log.warning("the embedded backend is not CloudFront: nothing leaves this machine")
        await run_in_daemon_thread(upstream.warm_up)

    readiness = asyncio.ensure_future(become_ready())
    await stop.wait()
    readiness.cancel()
    if failure:
        await server.close()
        raise failure[0]
    await server.stop(hurry)
    _log.info("stopped", abandoned=dispatcher.in_flight)
    if not dispatcher.in_flight:
        await greenlet_spawn(upstream.backend.close)
    # Every call has ended. Threads may still hang (DNS, credentials, a database lock), and a regular exit would wait
    # for them.
    sys.stderr.flush()
    os._exit(0)


def _endpoint(settings: ServeSettings) -> str:
    """Returns where resources are created, for the log."""
    if settings.backend == "embedded":
        return _embedded_path(settings)
    return settings.endpoint_url or "CloudFront"


def _tls(settings: ServeSettings) -> str:
    """Returns which sides authenticate, for the log: neither, the server, or both."""
    if not settings.tls_cert:
        return "none"
    return "mutual" if settings.tls_client_ca else "server"


def _embedded_path(settings: ServeSettings) -> str:
    from .backends.embedded import default_path

    return settings.embedded_db or str(default_path())


@dataclass(frozen=True)
class _Upstream:
    """A backend and how to start it.

    Attributes:
        backend: The backend.
        check_readiness: Returns why the backend is not ready; empty if it is.
        warm_up: Does the first call's preparations early; it blocks.
    """

    backend: Backend
    check_readiness: ReadinessCheck
    warm_up: Callable[[], None]


def _make_upstream(settings: ServeSettings) -> _Upstream:
    """Returns the configured backend, and imports no other."""
    if settings.backend == "embedded":
        from .backends.embedded import EmbeddedBackend, EmbeddedDatabaseError

        try:
            embedded = EmbeddedBackend(
                path=_embedded_path(settings),
                s3_dir=settings.embedded_s3_dir,
                provisioning_seconds=settings.embedded_provisioning_seconds,
                max_functions=settings.embedded_max_functions,
                max_key_value_stores=settings.embedded_max_key_value_stores,
                max_function_code_bytes=settings.max_function_code_bytes,
            )
        except EmbeddedDatabaseError as error:
            raise CannotServeError(str(error)) from None
        return _Upstream(ThreadPoolBackend(embedded, _EMBEDDED_THREADS), lambda: "", lambda: None)

    from .backends.aws import AwsBackend, AwsBackendError

    try:
        aws = AwsBackend(
            region=settings.region,
            endpoint_url=settings.endpoint_url,
            profile=settings.profile,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            short_timeout=settings.settle_read_timeout(),
        )
    except AwsBackendError as error:
        raise CannotServeError(str(error)) from None

    def check_readiness() -> str:
        try:
            return "" if aws.credentials_available() else aws.credentials_failure
        except AwsBackendError as error:
            raise CannotServeError(str(error)) from None

    return _Upstream(aws, check_readiness, aws.warm_up)


def _run(main: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
