"""The wiring: settings to backend, services and server. Only this module knows all the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog

from cloudfront_facade.v1 import (
    function_service_pb2,
    function_service_pb2_grpc,
    key_value_store_service_pb2,
    key_value_store_service_pb2_grpc,
)

from . import logs
from .admission import Admission
from .backends.protocol import Backend
from .call import Grace
from .creates.exactly_once import Creates, Timing
from .creates.resources import FUNCTION, KEY_VALUE_STORE
from .edge.dispatch import CallLimits, Dispatcher
from .edge.listener import CannotListenError
from .edge.server import Register, Server
from .services.function_service import FunctionService
from .services.key_value_store_service import KeyValueStoreService
from .settings import ServeSettings, unknown_variables
from .validation.rules import Rules
from .validation.tags import TagRules

FUNCTION_SERVICE: Final = function_service_pb2.DESCRIPTOR.services_by_name["FunctionService"].full_name
KEY_VALUE_STORE_SERVICE: Final = key_value_store_service_pb2.DESCRIPTOR.services_by_name[
    "KeyValueStoreService"
].full_name

_CREDENTIALS_POLL_SECONDS: Final = 2.0

_SETTLING_READ_SECONDS: Final = 2.0
"""How long a read may take while a create's outcome is settled, so that several fit into the settling time."""

_log = structlog.get_logger()


class CannotServeError(Exception):
    """The server cannot start; the text is one line that says why and what to do."""


def serve(settings: ServeSettings) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        The exit code, 0.

    Raises:
        CannotServeError: the backend, the address or the certificates cannot be used.
    """
    logs.configure(settings.log_level, settings.log_format)
    if unknown := unknown_variables():
        _log.warning("variables that are no settings", variables=unknown)
    backend, reader, ready = _backends(settings)
    pool = ThreadPoolExecutor(settings.pool_size, thread_name_prefix="rpc")
    try:
        abandoned = _run(_serve(settings, backend, reader, ready, pool))
    except CannotListenError as error:
        raise CannotServeError(str(error)) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if abandoned:
        # Their callers were answered; a thread in an upstream call cannot be ended but with the process.
        sys.stderr.flush()
        os._exit(0)
    reader.close()
    backend.close()
    return 0


def services(settings: ServeSettings, backend: Backend, reader: Backend) -> dict[str, tuple[object, Register]]:
    """Makes the services.

    Args:
        settings: limits and times.
        backend: where resources are created.
        reader: the same, with timeouts short enough for settling.

    Returns:
        For each full name the service and its generated registration.
    """
    rules = Rules(TagRules(settings.tag_charset, settings.max_tags), settings.max_function_code_bytes)
    admission = Admission(settings.max_upstream_calls, settings.least_time)
    timing = Timing(settings.settling_time, settings.connect_timeout + settings.read_timeout + settings.settling_time)
    functions = Creates(FUNCTION, backend, reader, admission, timing)
    stores = Creates(KEY_VALUE_STORE, backend, reader, admission, timing)
    return {
        FUNCTION_SERVICE: (
            FunctionService(rules, functions),
            function_service_pb2_grpc.add_FunctionServiceServicer_to_server,
        ),
        KEY_VALUE_STORE_SERVICE: (
            KeyValueStoreService(rules, stores),
            key_value_store_service_pb2_grpc.add_KeyValueStoreServiceServicer_to_server,
        ),
    }


def make_server(
    settings: ServeSettings, backend: Backend, reader: Backend, pool: ThreadPoolExecutor
) -> tuple[Server, Dispatcher]:
    """Makes the server, not listening yet, and what runs its calls."""
    grace = Grace()
    limits = CallLimits(settings.max_rpcs, settings.default_deadline, settings.max_deadline)
    dispatcher = Dispatcher(pool, limits, backend.name, grace)
    return Server(settings, dispatcher, grace, services(settings, backend, reader)), dispatcher


async def _serve(
    settings: ServeSettings, backend: Backend, reader: Backend, ready: Callable[[], bool], pool: ThreadPoolExecutor
) -> int:
    """Serves until a signal, and gives the number of calls that did not end in time."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_interrupt() -> None:
        # Who presses again does not want to wait. A second SIGTERM is only a supervisor that repeats itself.
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    server, dispatcher = make_server(settings, backend, reader, pool)
    address = await server.start()
    where = {"listen": address, "backend": backend.name, "upstream": _upstream(settings)}
    readiness = asyncio.ensure_future(_become_ready(server, ready, where))
    await stop.wait()
    readiness.cancel()
    await server.stop(hurry)
    _log.info("stopped", abandoned=dispatcher.under_way)
    return dispatcher.under_way


async def _become_ready(server: Server, ready: Callable[[], bool], where: dict[str, str]) -> None:
    """Turns the health to SERVING once the backend can work; its credentials may take their time."""
    while not await asyncio.to_thread(ready):
        _log.warning("waiting for AWS credentials", **where)
        await asyncio.sleep(_CREDENTIALS_POLL_SECONDS)
    await server.set_serving(serving=True)
    _log.info("serving", **where)
    if where["backend"] == "embedded":
        _log.warning("the embedded backend is not CloudFront: nothing leaves this machine")


def _upstream(settings: ServeSettings) -> str:
    """Tells in a word where resources are created."""
    if settings.backend == "embedded":
        return _embedded_path(settings)
    return settings.endpoint_url or f"CloudFront ({settings.region})"


def _embedded_path(settings: ServeSettings) -> str:
    from .backends.embedded import default_path

    return settings.embedded_db or str(default_path())


def _backends(settings: ServeSettings) -> tuple[Backend, Backend, Callable[[], bool]]:
    """Gives the backend, the one for settling reads, and whether it can work yet. Imports only what is asked for."""
    if settings.backend == "embedded":
        from .backends.embedded import EmbeddedBackend, EmbeddedStoreError

        try:
            embedded = EmbeddedBackend(
                path=_embedded_path(settings),
                s3_dir=settings.embedded_s3_dir,
                provisioning_seconds=settings.embedded_provisioning_seconds,
                max_functions=settings.embedded_max_functions,
                max_key_value_stores=settings.embedded_max_key_value_stores,
                max_function_code_bytes=settings.max_function_code_bytes,
            )
        except EmbeddedStoreError as error:
            raise CannotServeError(str(error)) from None
        return embedded, embedded, lambda: True

    from .backends.aws import AwsBackend, AwsBackendError

    try:
        aws = AwsBackend(
            region=settings.region,
            endpoint_url=settings.endpoint_url,
            profile=settings.profile,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            max_connections=settings.max_upstream_calls,
        )
    except AwsBackendError as error:
        raise CannotServeError(str(error)) from None

    def ready() -> bool:
        try:
            return aws.credentials_available()
        except AwsBackendError:
            return False  # they were there at the start; a file that is being replaced comes back

    return aws, aws.settling(min(settings.read_timeout, _SETTLING_READ_SECONDS)), ready


def _run(main: Coroutine[Any, Any, int]) -> int:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return int(uvloop.run(main))
