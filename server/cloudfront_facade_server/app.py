"""Runs the server: start, readiness, signals and exit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from . import logs
from .backend_setup import BackendSetup, CannotUseBackendError, set_up_backend
from .concurrency.greenlets import greenlet_spawn, run_in_daemon_thread
from .fixture import wait_for_parent, write_port
from .grpc_server.listener import CannotListenError
from .logs import exception_location
from .process_protection import forbid_attaching
from .readiness import wait_until_ready
from .settings.serve import ServeSettings
from .settings.variables import unknown_variables, unset_empty_variables_of_boto3
from .upstream.service_account import ServiceAccount
from .wiring import make_server

_log = structlog.get_logger()


class CannotServeError(Exception):
    """The server cannot start. The message is one line: the problem and its remedy."""


def serve(settings: ServeSettings) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        The exit code, 0.

    Raises:
        CannotServeError: The backend, the address or the certificates cannot be used.
    """
    forbid_attaching()
    unset_empty_variables_of_boto3()
    logs.configure(settings.log_level, settings.log_format)
    for variable in unknown_variables():
        _log.warning("unknown variable", variable=variable.name, did_you_mean=variable.suggestion)
    if settings.backend == "aws" and settings.shutdown_grace_period < (longest := settings.longest_send()):
        _log.warning(
            "--shutdown-grace-period is shorter than a create can take",
            grace_s=settings.shutdown_grace_period,
            longest_s=longest,
        )
    if settings.port_file:
        with _port_file_errors(settings.port_file):
            settings.port_file.unlink(missing_ok=True)  # of a run that was killed
    try:
        _run(_serve(settings, set_up_backend(settings)))
    except (CannotListenError, CannotUseBackendError) as error:
        raise CannotServeError(str(error)) from None
    return 0


async def _serve(settings: ServeSettings, setup: BackendSetup) -> None:
    """Serves until a signal, and then exits the process."""
    stop, skip, failed, broken = asyncio.Event(), asyncio.Event(), asyncio.Event(), asyncio.Event()
    failure: list[CannotUseBackendError] = []

    def on_failure() -> None:
        _log.error("serving ended by itself; the process exits so that it can be restarted")
        failed.set()
        skip.set()  # nobody can reach the server, so it does not wait
        stop.set()

    def on_interrupt() -> None:
        # A second Ctrl-C skips the wait. A second SIGTERM does not, because supervisors may repeat it.
        (skip if stop.is_set() else stop).set()

    def on_parent_end() -> None:
        _log.warning("the parent process ended; the server stops")
        skip.set()
        stop.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    loop.set_exception_handler(_log_exception)
    backend = setup.backend
    setup.on_broken(lambda: loop.call_soon_threadsafe(broken.set))
    account = ServiceAccount(setup.find_account, backend) if setup.find_account and not settings.accounts else None
    server, dispatcher = make_server(settings, backend, account)
    address = await server.start(on_failure)
    if settings.port_file:
        try:
            with _port_file_errors(settings.port_file):
                write_port(settings.port_file, address)
        except CannotServeError:
            await server.close()
            raise
    background = [asyncio.ensure_future(wait_for_parent(on_parent_end))] if settings.exit_with_parent else []
    log_fields = {"listen": address, "tls": _tls(settings), "backend": backend.name, "upstream": setup.location}

    async def become_ready() -> None:
        try:
            await wait_until_ready(setup.check_readiness, log_fields)
        except CannotUseBackendError as error:
            failure.append(error)
            stop.set()
            return
        if account:
            account.learn()  # in the background
        await server.set_serving(serving=not broken.is_set())
        _log.info("serving", **log_fields)
        if backend.name == "embedded":
            _log.warning("the embedded backend is not CloudFront: nothing leaves this machine")
        await run_in_daemon_thread(setup.warm_up)

    async def stop_serving_if_broken() -> None:
        await broken.wait()
        await server.set_serving(serving=False)

    background += [asyncio.ensure_future(become_ready()), asyncio.ensure_future(stop_serving_if_broken())]
    await stop.wait()
    for task in background:
        task.cancel()
    if failure:
        await server.close()
    else:
        await server.stop(skip)
        _log.info("stopped", abandoned=dispatcher.in_flight)
    if settings.port_file:
        settings.port_file.unlink(missing_ok=True)
    if failure:
        raise failure[0]
    if not dispatcher.in_flight:
        await greenlet_spawn(backend.close)
    # Every call has ended for its caller. Threads may still hang (DNS, credentials, a database lock), and a regular
    # exit would wait for them.
    sys.stderr.flush()
    os._exit(1 if failed.is_set() else 0)


@contextmanager
def _port_file_errors(path: Path) -> Iterator[None]:
    """Converts an OSError to CannotServeError."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CannotServeError(f"cannot write the port to {path}: {reason}; set --port-file to another file") from None


def _log_exception(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs an exception that nothing else handles, without its text, which may have a caller's data."""
    error = context.get("exception")
    _log.error("exception in the event loop", **(exception_location(error) if error else {}))


def _tls(settings: ServeSettings) -> str:
    """Returns which sides authenticate, for the log: neither, the server, or both."""
    if not settings.tls_cert:
        return "none"
    return "mutual" if settings.tls_client_ca else "server"


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Runs the event loop, uvloop's if it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
