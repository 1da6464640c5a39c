"""The server with health and reflection, from its start to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection import aio as reflection_aio

from ..call_context import ShutdownDeadline
from ..settings import ServeSettings
from .catch_all import CatchAllInterceptor
from .dispatcher import Dispatcher
from .listener import channel_options, listen

Register = Callable[[Any, grpc.aio.Server], None]
"""The generated `add_...Servicer_to_server` of a service."""

REFLECTION_V1: Final = "grpc.reflection.v1.ServerReflection"

_CUT_MARGIN_SECONDS: Final = 1.0
"""When the grace ends, calls under way are answered; only later would gRPC itself reset them."""

_log = structlog.get_logger()


class Server:
    """A gRPC server for the services of this package.

    Args:
        settings: addresses, limits and times.
        dispatcher: runs the services' methods.
        grace: how long calls may still run; begun when the server stops.
        services: full name, service and generated registration of each.
    """

    def __init__(
        self,
        settings: ServeSettings,
        dispatcher: Dispatcher,
        grace: ShutdownDeadline,
        services: dict[str, tuple[object, Register]],
    ) -> None:
        self._settings = settings
        self._dispatcher = dispatcher
        self._grace = grace
        self._names = ["", *services]
        self._last_resort = CatchAllInterceptor(dispatcher.backend, settings.message_limit)
        self._server = grpc.aio.server(interceptors=[self._last_resort], options=channel_options(settings))
        self._health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for service, register in services.values():
            register(dispatcher.bind(service), self._server)
        if settings.reflection:
            _add_reflection(self._server, [*services, HEALTH])

    async def start(self) -> str:
        """Listens, NOT_SERVING yet.

        Returns:
            The address, with the port that was bound.
        """
        await self.set_serving(serving=False)
        address = listen(self._server, self._settings)
        await self._server.start()
        return address

    async def set_serving(self, *, serving: bool) -> None:
        """Tells the health of the server and of each service."""
        statuses = health_pb2.HealthCheckResponse
        for name in self._names:
            await self._health.set(name, statuses.SERVING if serving else statuses.NOT_SERVING)

    async def close(self) -> None:
        """Ends at once, where nothing was served yet."""
        await self._server.stop(None)

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stops so that no call is dropped: NOT_SERVING, wait, stop listening, let calls end.

        A server that has no callers stops at once.

        Args:
            hurry: ends the wait, and then the grace.
        """
        settings = self._settings
        delay = settings.drain_delay if self._has_callers() else 0.0
        self._grace.begin(delay + settings.shutdown_grace_period)
        await self._health.enter_graceful_shutdown()
        self._dispatcher.end_long_polls()
        _log.info("draining", delay_s=delay, in_flight=self._dispatcher.in_flight, hint="Ctrl-C again ends the wait")
        await _wait(hurry, delay)
        hurry.clear()
        stopped = asyncio.ensure_future(
            self._server.stop(settings.shutdown_grace_period + _CUT_MARGIN_SECONDS)
        )  # listens no more
        # Not for `stopped`: a create whose caller went away has no stream any more, and runs on.
        idle = asyncio.ensure_future(self._dispatcher.idle.wait())
        hurried = asyncio.ensure_future(_wait(hurry, settings.shutdown_grace_period))
        await asyncio.wait({idle, hurried}, return_when=asyncio.FIRST_COMPLETED)
        self._dispatcher.cut_off()
        # What is open now is no call: a watch of the health, a reflection, a stream without a message.
        await self._server.stop(_CUT_MARGIN_SECONDS)
        for waiting in (idle, hurried):
            waiting.cancel()
        await stopped

    def _has_callers(self) -> bool:
        """Tells whether a caller may hold a connection: after the idle limit only who watches the health does."""
        since_last = time.monotonic() - self._last_resort.last_arrival
        return self._dispatcher.in_flight > 0 or since_last < self._settings.max_connection_idle


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _add_reflection(server: grpc.aio.Server, services: list[str]) -> None:
    """Mounts reflection as v1alpha and as v1: the messages are the same, and new clients ask for v1 first."""
    names = [*services, reflection.SERVICE_NAME, REFLECTION_V1]
    servicer = reflection_aio.ReflectionServicer(names)
    reflection.enable_server_reflection(names, server)
    from grpc_reflection.v1alpha import reflection_pb2

    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(REFLECTION_V1, {"ServerReflectionInfo": handler}),)
    )
