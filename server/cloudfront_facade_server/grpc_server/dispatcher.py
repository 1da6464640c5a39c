"""Runs servicer methods, which are plain functions, in the event loop, and sends their responses and errors.

A suspended method continues after its caller has gone, because a change that was sent cannot be cancelled. The caller
receives an error at its deadline, whatever the method is waiting for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

import grpc

from ..call_context import CallContext, Clock, ShutdownDeadline
from ..concurrency.greenlets import GreenletPool, PooledGreenlet
from ..errors.facade_errors import deadline_exceeded, internal, shutting_down
from ..errors.status_error import StatusError
from .access_log import log_rpc
from .admission import Admission
from .call_limits import CallLimits
from .method_options import MethodOptions
from .open_calls import OpenCall, OpenCalls, Slot
from .request_stream import RequestStream, receive_first
from .status import drop_frames, to_status_error

BACKEND_KEY: Final = "x-cloudfront-facade-backend"
"""The trailer that names the backend in every response and error. Responses of the embedded backend also have it in
the initial metadata. Errors never do, because a client does not retry a call after it has received initial metadata."""

_DEADLINE_SLACK_SECONDS: Final = 0.02
_DEADLINE_SLACK_RATIO: Final = 0.01
"""How early gRPC's own timer may fire: it rounds a timeout by up to one percent."""

Method = Callable[[Any, CallContext], Any]
Handler = Callable[[Any, Any], Awaitable[Any]]


class Dispatcher:
    """Runs the methods of the services for gRPC.

    Args:
        limits: Limits of calls.
        admission: Decides which calls may run.
        open_calls: The calls whose methods have been suspended.
        backend_name: `aws` or `embedded`, sent to callers.
        shutdown: The deadline of the shutdown.
        clock: A monotonic clock.

    Attributes:
        backend: The metadata that names the backend.
        in_flight: Number of calls whose method has not ended.
        idle: Set while no call is in flight.
    """

    def __init__(
        self,
        limits: CallLimits,
        admission: Admission,
        open_calls: OpenCalls,
        backend_name: str,
        shutdown: ShutdownDeadline,
        clock: Clock = time.monotonic,
    ) -> None:
        self._limits = limits
        self._admission = admission
        self.backend = (BACKEND_KEY, backend_name)
        self._is_embedded = backend_name == "embedded"
        self._shutdown = shutdown
        self._clock = clock
        self._open = open_calls
        self._is_cut_off = False
        self._is_draining = False
        self._greenlets = GreenletPool()
        self.in_flight = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def bind(self, service: object, options: Mapping[str, MethodOptions]) -> Any:
        """Returns a servicer for gRPC's generated `add_...Servicer_to_server`, with a coroutine for each rpc.

        Args:
            service: The servicer, which has a plain function for each rpc.
            options: The options of the methods, by name; a method that is not in it has the defaults.
        """
        names = [name for name in dir(service) if name[0].isupper()]
        return SimpleNamespace(
            **{name: self._handler(name, getattr(service, name), options.get(name, MethodOptions())) for name in names}
        )

    def cut_off(self) -> None:
        """Fails all calls, in flight and new, with SHUTTING_DOWN, because the server is about to exit."""
        self._is_cut_off = True
        for open_call in self._open.snapshot():
            call = open_call.call
            open_call.fail_early(shutting_down(call.overall_outcome, repeatable=call.repeatable))
            self._log_once(open_call, open_call.early_error)

    def end_long_polls(self) -> None:
        """Fails all long polls, in flight and new, with SHUTTING_DOWN, because another server can take them over."""
        self._is_draining = True
        for open_call in self._open.snapshot():
            if open_call.long_poll:
                open_call.fail_early(shutting_down("not_applied", repeatable=True))

    def _handler(self, operation: str, method: Method, options: MethodOptions) -> Handler:
        async def handle(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            # Before anything else, because gRPC forgets the peer when the call ends.
            caller, arrived = context.peer(), self._clock()
            received = await receive_first(request) if isinstance(request, AsyncIterable) else None
            # The default deadline of a stream starts with its first request, like that of a unary call.
            deadline = self._clock() + self._limits.seconds(context.time_remaining(), options)
            call = CallContext(operation, caller, deadline, self._shutdown, self._clock)
            if received:
                request = RequestStream(*received, call)
            try:
                response = await self._run(method, request, call, arrived, options)
            except Exception as error:  # noqa: BLE001 (every exception becomes a status)
                failure = to_status_error(error, call)
                drop_frames(error)  # a status made of another exception has none
            else:
                if self._is_embedded:
                    await context.send_initial_metadata((self.backend,))
                context.set_trailing_metadata((self.backend,))
                return response
            return await context.abort(
                failure.code, failure.message, (self.backend, *failure.trailing_metadata(operation))
            )

        return handle

    async def _run(
        self, method: Method, request: Any, call: CallContext, arrived: float, options: MethodOptions
    ) -> Any:
        slot: Slot | None = None
        try:
            self._raise_if_stopping(options)
            slot = await self._admission.admit(call, options, request)
            self._raise_if_stopping(options)
            started = self._greenlets.start(method, request, call)
        except Exception as error:
            if slot:
                self._admission.release(slot)
            failure = to_status_error(error, call)
            log_rpc(call, arrived, failure, error)
            raise failure from error
        if isinstance(started, PooledGreenlet):
            return await self._await_outcome(started, call, arrived, slot, long_poll=options.long_poll)
        self._admission.release(slot)
        log_rpc(call, arrived)
        return started

    def _raise_if_stopping(self, options: MethodOptions) -> None:
        if self._is_cut_off or (options.long_poll and self._is_draining):
            raise shutting_down("not_applied", repeatable=True)

    async def _await_outcome(
        self, suspended: PooledGreenlet, call: CallContext, arrived: float, slot: Slot, *, long_poll: bool
    ) -> Any:
        """Waits for the end of the method, the deadline or the shutdown. The method runs to its end anyway."""
        loop = asyncio.get_running_loop()
        open_call = OpenCall(call, arrived, slot, long_poll, loop.create_future())
        self._open.add(open_call)
        self.in_flight += 1
        self.idle.clear()
        timer = loop.call_later(
            max(0.0, call.remaining()), lambda: open_call.fail_early(deadline_exceeded(call.overall_outcome))
        )

        def end(task: asyncio.Task[Any]) -> None:
            timer.cancel()
            self._admission.release(slot)
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()
            if task.cancelled():
                open_call.fail_early(internal(call.overall_outcome))
                self._log_once(open_call, open_call.early_error)
                return
            error = task.exception()
            open_call.respond(task)
            self._log_once(open_call, open_call.early_error or (to_status_error(error, call) if error else None), error)

        open_call.task = loop.create_task(self._greenlets.join(suspended))
        open_call.task.add_done_callback(end)
        try:
            return await open_call.response
        except asyncio.CancelledError:
            open_call.early_error = _caller_gone(call, arrived)
            open_call.abandon()
            raise

    def _log_once(self, open_call: OpenCall, failure: StatusError | None, error: BaseException | None = None) -> None:
        """Writes the line of a call to the access log, unless it has been written."""
        if self._open.discard(open_call):
            log_rpc(open_call.call, open_call.arrived, failure, error)


def _caller_gone(call: CallContext, arrived: float) -> StatusError:
    """Returns the status to log for a caller that has gone. gRPC reports an expired call as a cancelled one too."""
    if call.remaining() <= _DEADLINE_SLACK_SECONDS + _DEADLINE_SLACK_RATIO * (call.deadline - arrived):
        return deadline_exceeded(call.overall_outcome)
    return StatusError(grpc.StatusCode.CANCELLED, "", "the caller went away")
