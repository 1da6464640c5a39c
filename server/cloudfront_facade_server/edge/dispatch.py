"""Runs servicer methods, which are plain blocking functions, on a bounded pool of threads.

A call waits for its message in the event loop, where it costs no thread; the work runs in the pool, and runs to its end
when the caller goes away, for a create that was sent cannot be called back. The caller is answered when its time is up,
whatever the thread is doing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import grpc
import structlog

from ..call import Call, Clock, Grace
from ..errors.refusals import deadline_exceeded, overloaded, shutting_down
from ..errors.status_error import StatusError
from ..logs import place
from .failures import status_error

BACKEND_KEY: Final = "x-cloudfront-facade-backend"
"""The metadata of every answer that names the backend: initial metadata of a success, trailers of an error, for a
client's retry policy gives up once it sees initial metadata."""

Method = Callable[[Any, Call], Any]
Handler = Callable[[Any, Any], Awaitable[Any]]

_log = structlog.get_logger()


@dataclass(frozen=True)
class CallLimits:
    """What a call may take.

    Attributes:
        max_rpcs: calls under way at once.
        default_deadline: seconds for callers that give no deadline.
        max_deadline: the longest deadline honoured, in seconds.
    """

    max_rpcs: int = 1000
    default_deadline: float = 30.0
    max_deadline: float = 60.0


class Dispatcher:
    """Stands between gRPC and the services.

    Args:
        pool: where servicer methods run.
        limits: what a call may take.
        backend_name: `aws` or `embedded`, told to callers.
        grace: the server's own end.
        clock: a monotonic clock.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        limits: CallLimits,
        backend_name: str,
        grace: Grace,
        clock: Clock = time.monotonic,
    ) -> None:
        self._pool = pool
        self._limits = limits
        self._backend = (BACKEND_KEY, backend_name)
        self._grace = grace
        self._clock = clock
        self._cut = asyncio.Event()
        self.under_way = 0
        self.last_arrival = float("-inf")

    def bind(self, service: object) -> Any:
        """Gives a servicer for gRPC's generated `add_...Servicer_to_server`, with a coroutine for each rpc."""
        methods = {name: getattr(service, name) for name in dir(service) if name[0].isupper()}
        return SimpleNamespace(**{name: self._handler(name, method) for name, method in methods.items()})

    def cut_off(self) -> None:
        """Answers all calls under way with SHUTTING_DOWN, for the server ends now."""
        self._cut.set()

    def _handler(self, operation: str, method: Method) -> Handler:
        async def handle(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            arrived = self.last_arrival = self._clock()
            given = context.time_remaining()
            seconds = self._limits.default_deadline if given is None else min(given, self._limits.max_deadline)
            call = Call(operation, context.peer(), arrived + seconds, self._grace, self._clock)
            try:
                response = await self._run(method, request, call, arrived)
            except Exception as error:  # noqa: BLE001 (every failure becomes a status)
                failure = status_error(error, call.outcome)
            else:
                await context.send_initial_metadata((self._backend,))
                return response
            return await context.abort(
                failure.code, failure.message, (self._backend, *failure.trailing_metadata(operation))
            )

        return handle

    async def _run(self, method: Method, request: Any, call: Call, arrived: float) -> Any:
        """Runs a method in the pool and waits for it, for the deadline, and for the server's end."""
        if self.under_way >= self._limits.max_rpcs:
            refusal = overloaded(self._limits.max_rpcs, "calls")
            self._write(call, arrived, refusal)
            raise refusal
        self.under_way += 1
        job = self._pool.submit(method, request, call)
        done = asyncio.wrap_future(job)
        answered_early: list[StatusError | None] = []

        def finish(finished: asyncio.Future[Any]) -> None:
            self.under_way -= 1
            failure = None if finished.cancelled() else finished.exception()
            self._write(call, arrived, answered_early[0] if answered_early else failure)

        done.add_done_callback(finish)
        try:
            await self._wait(done, call)
            if done.done():
                return done.result()
            early = self._give_up(job, call)
        except asyncio.CancelledError:
            job.cancel()
            answered_early.append(StatusError(grpc.StatusCode.CANCELLED, "", "the caller went away"))
            raise
        answered_early.append(early)
        raise early

    async def _wait(self, done: asyncio.Future[Any], call: Call) -> None:
        cut = asyncio.ensure_future(self._cut.wait())
        try:
            await asyncio.wait({done, cut}, timeout=max(0.0, call.remaining()), return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut.cancel()

    def _give_up(self, job: Future[Any], call: Call) -> StatusError:
        outcome = "not_applied" if job.cancel() else call.outcome
        if self._cut.is_set():
            return shutting_down(outcome, repeatable=call.repeatable)
        return deadline_exceeded(outcome)

    def _write(self, call: Call, arrived: float, error: BaseException | None) -> None:
        """Writes the one line of an rpc: a warning where the operator should look, and never an exception's text."""
        failure = status_error(error, call.outcome) if error else None
        facts: dict[str, Any] = {
            "method": call.operation,
            "caller": call.caller,
            "status": failure.code.name if failure else "OK",
            "duration_ms": round((self._clock() - arrived) * 1000, 1),
            "outcome": call.outcome,
        }
        if call.aws_request_id:
            facts["aws_request_id"] = call.aws_request_id
        if failure is None:
            _log.info("rpc", **facts)
            return
        facts["reason"] = failure.reason
        facts |= {key: failure.metadata[key] for key in ("aws_code", "aws_action") if key in failure.metadata}
        if failure.cause:
            facts["cause"] = failure.cause
        if error and error is not failure and failure.reason == "INTERNAL":
            _log.error("rpc", **facts, **place(error))
        elif failure.reason.startswith("UPSTREAM_"):
            _log.warning("rpc", **facts)
        else:
            _log.info("rpc", **facts)
