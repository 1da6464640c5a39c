"""Starts and stops the gRPC server, with health and reflection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health_aio

from ..call_context import ShutdownDeadline
from ..settings.serve import ServeSettings
from .catch_all import CatchAllInterceptor
from .connections import usable_connections, watch_connections
from .decoder import MessageLimits
from .dispatcher import Dispatcher
from .fair_memory import FairMemory
from .listener import channel_options, listen
from .method_options import method_options
from .receiver import DRAIN_SILENCE_SECONDS, Receiver
from .reflection import add_reflection

_METHODS_WITH_CHANGES: Final = (
    "/cloudfront_facade.v1.KeyValueStoreDataService/UpdateKeys",
    "/cloudfront_facade.v1.KeyValueStoreDataService/ImportKeys",
)

Register = Callable[[Any, grpc.aio.Server], None]
"""The generated function `add_...Servicer_to_server` of a service."""

ACCEPT_LOOP: Final = "AioServer._server_main_loop"
"""gRPC's task that accepts calls. A bug in gRPC can end it, and `wait_for_termination` does not notice."""

_CUT_OFF_MARGIN_SECONDS: Final = 1.0
"""Time from the end of the grace period until gRPC resets calls. In it, the dispatcher fails them with
SHUTTING_DOWN."""

_IDLE_CHECK_SECONDS: Final = 0.05

_log = structlog.get_logger()


class Server:
    """A gRPC server for the services of this package.

    Args:
        settings: Addresses, limits and timeouts.
        dispatcher: Runs the methods of the services.
        receiver: Receives the messages of calls.
        shutdown: The deadline of the shutdown; set when the server stops.
        services: The servicer and its generated registration function, by the service's full name.
    """

    def __init__(
        self,
        settings: ServeSettings,
        dispatcher: Dispatcher,
        receiver: Receiver,
        shutdown: ShutdownDeadline,
        services: dict[str, tuple[object, Register]],
    ) -> None:
        self._settings = settings
        self._dispatcher = dispatcher
        self._receiver = receiver
        self._shutdown = shutdown
        self._health_names = ["", *services]
        self._max_connections = usable_connections(settings.max_connections)
        self._catch_all = CatchAllInterceptor(
            dispatcher.backend,
            receiver,
            partial(_message_limits, settings),
            FairMemory(settings.max_request_memory // 4),
        )
        self._server = grpc.aio.server(
            interceptors=[self._catch_all], options=channel_options(settings, self._max_connections)
        )
        self._health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for name, (service, register) in services.items():
            register(dispatcher.bind(service, method_options(name)), self._server)
        if settings.reflection:
            add_reflection(self._server, [*services, HEALTH])
        self._is_stopping = False

    async def start(self, on_failure: Callable[[], None]) -> str:
        """Starts to listen. The health status stays NOT_SERVING.

        Args:
            on_failure: Called if gRPC stops accepting calls although the server was not stopped.

        Returns:
            The address, with the port that was bound.
        """
        await self.set_serving(serving=False)
        address = listen(self._server, self._settings)
        tasks = asyncio.all_tasks()
        await self._server.start()

        def on_end(_task: asyncio.Task[Any]) -> None:
            if not self._is_stopping:
                on_failure()

        for task in asyncio.all_tasks() - tasks:
            if getattr(task.get_coro(), "__qualname__", "") == ACCEPT_LOOP:
                task.add_done_callback(on_end)
        self._watching = asyncio.ensure_future(watch_connections(address, self._max_connections))
        return address

    async def set_serving(self, *, serving: bool) -> None:
        """Sets the health status of the server and of each service."""
        statuses = health_pb2.HealthCheckResponse
        for name in self._health_names:
            await self._health.set(name, statuses.SERVING if serving else statuses.NOT_SERVING)

    async def close(self) -> None:
        """Stops a server that was never SERVING, immediately."""
        self._is_stopping = True
        self._watching.cancel()
        await self._server.stop(None)

    async def stop(self, skip: asyncio.Event) -> None:
        """Drains the server: reports NOT_SERVING, waits, stops listening, and lets the calls in flight end.

        A server without callers stops immediately.

        Args:
            skip: When set, ends the drain delay; when set again, ends the grace period.
        """
        self._is_stopping = True
        self._watching.cancel()
        settings = self._settings
        delay = settings.drain_delay if self._has_callers() else 0.0
        self._shutdown.begin(delay + settings.shutdown_grace_period)
        await self._health.enter_graceful_shutdown()
        in_flight = self._dispatcher.in_flight + self._receiver.without_message
        self._dispatcher.end_long_polls()
        self._receiver.drain(DRAIN_SILENCE_SECONDS)
        _log.info("draining", delay_s=delay, in_flight=in_flight, hint="press Ctrl-C again to skip")
        await _wait(skip, delay)
        skip.clear()
        # Stops listening immediately.
        stopped = asyncio.ensure_future(self._server.stop(settings.shutdown_grace_period + _CUT_OFF_MARGIN_SECONDS))
        # `stopped` does not wait for a create whose caller has gone, because gRPC no longer tracks its call.
        idle = asyncio.ensure_future(self._calls_end())
        grace_ended = asyncio.ensure_future(_wait(skip, settings.shutdown_grace_period))
        await asyncio.wait({idle, grace_ended}, return_when=asyncio.FIRST_COMPLETED)
        self._dispatcher.cut_off()
        self._receiver.drain(0.0)
        # Only calls that never reach a servicer are still open: health watches and reflection.
        await self._server.stop(_CUT_OFF_MARGIN_SECONDS)
        for pending in (idle, grace_ended):
            pending.cancel()
        await stopped

    async def _calls_end(self) -> None:
        """Waits until no call is in flight and none waits for its first message."""
        while self._dispatcher.in_flight or self._receiver.without_message:
            await self._dispatcher.idle.wait()
            await asyncio.sleep(_IDLE_CHECK_SECONDS)

    def _has_callers(self) -> bool:
        """Returns whether callers may be connected. After the idle limit, only health watches keep a connection."""
        since_last = time.monotonic() - self._catch_all.last_arrival
        return self._dispatcher.in_flight > 0 or since_last < self._settings.max_connection_idle


def _message_limits(settings: ServeSettings, path: str) -> MessageLimits:
    """Returns the limits of the messages of a method, by its path."""
    max_changes = settings.max_changes if path in _METHODS_WITH_CHANGES else None
    return MessageLimits(settings.message_limit(path), max_changes)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
