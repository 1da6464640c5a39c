"""Runs servicer methods, which are plain functions, in the event loop, and answers for them.

A method that waits goes on waiting when its caller goes away, for a create that was sent cannot be called back. The
caller is answered when its time is up, whatever the method waits for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import grpc
import structlog

from ..call_context import CallContext, Clock, ShutdownDeadline
from ..concurrency.greenlets import GreenletPool, PooledGreenlet, await_, sleep
from ..errors.facade_errors import deadline_exceeded, internal, overloaded, shutting_down
from ..errors.status_error import StatusError
from ..logs import exception_location
from .status import to_status_error

BACKEND_KEY: Final = "x-cloudfront-facade-backend"
"""The trailer of every answer that names the backend. Successes of the embedded one have it as initial metadata too;
errors never, for a client's retry policy gives up once it sees initial metadata."""

_DEADLINE_SLACK_SECONDS: Final = 0.02
_DEADLINE_SLACK: Final = 0.01
"""By how much gRPC's own timer may be ahead: it tells times in steps of up to a hundredth of them."""

_END_OF_STREAM_SECONDS: Final = 0.01
"""How long after the end of a stream gRPC may tell that its caller is gone."""

_SILENCE_SECONDS: Final = 2.0
"""For how long a stream may say nothing while the server stops."""

_LOGGED_METADATA: Final = ("aws_http_status", "aws_code", "aws_action")

Method = Callable[[Any, CallContext], Any]
Handler = Callable[[Any, Any], Awaitable[Any]]

_log = structlog.get_logger()


@dataclass(frozen=True)
class CallLimits:
    """What a call may take.

    Attributes:
        max_concurrent_calls: calls under way at once.
        default_deadline: seconds for callers that give no deadline.
        max_deadline: the longest deadline honoured, in seconds.
        max_long_running_deadline: the same for long-running methods; a long poll without a deadline gets it.
    """

    max_concurrent_calls: int = 1000
    default_deadline: float = 30.0
    max_deadline: float = 60.0
    max_long_running_deadline: float = 1800.0

    def seconds(self, given: float | None, method: Method) -> float:
        """Gives how long a call may take."""
        longest = self.max_long_running_deadline if getattr(method, "long_running", False) else self.max_deadline
        if given is None:
            return longest if getattr(method, "long_poll", False) else self.default_deadline
        return min(given, longest)


@dataclass(eq=False)
class _OpenCall:
    """A call whose method waits.

    Attributes:
        call: the rpc.
        arrived: the clock's time at which it came.
        long_poll: whether its method only waits, and ends where nobody waits for it any more.
        answer: what its caller gets.
        early: the error that its caller got, or would have got, before the method ended.
        task: runs the method to its end.
    """

    call: CallContext
    arrived: float
    long_poll: bool
    answer: asyncio.Future[Any]
    early: StatusError | None = None
    task: asyncio.Task[Any] | None = None

    def fail_early(self, error: StatusError) -> None:
        if not self.answer.done():
            self.early = self.call.annotate(error)
            self.answer.set_exception(error)
            self.abandon()

    def abandon(self) -> None:
        self.call.abandoned = True
        if self.long_poll and self.task:
            self.task.cancel()

    def answer_with(self, task: asyncio.Task[Any]) -> None:
        if self.answer.done():
            return
        if error := task.exception():
            self.answer.set_exception(error)
        else:
            self.answer.set_result(task.result())


class Dispatcher:
    """Stands between gRPC and the services.

    Args:
        limits: what a call may take.
        backend_name: `aws` or `embedded`, told to callers.
        grace: the server's own end.
        clock: a monotonic clock.
    """

    def __init__(
        self,
        limits: CallLimits,
        backend_name: str,
        grace: ShutdownDeadline,
        clock: Clock = time.monotonic,
    ) -> None:
        self._limits = limits
        self.backend = (BACKEND_KEY, backend_name)
        self._is_embedded = backend_name == "embedded"
        self._grace = grace
        self._clock = clock
        self._open: set[_OpenCall] = set()
        self._cut = False
        self._draining = False
        self._long_polls = 0
        self._greenlets = GreenletPool()
        self.in_flight = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def bind(self, service: object) -> Any:
        """Gives a servicer for gRPC's generated `add_...Servicer_to_server`, with a coroutine for each rpc."""
        methods = {name: getattr(service, name) for name in dir(service) if name[0].isupper()}
        return SimpleNamespace(**{name: self._handler(name, method) for name, method in methods.items()})

    def cut_off(self) -> None:
        """Answers all calls under way with SHUTTING_DOWN, and all that come, for the server ends now."""
        self._cut = True
        for open_call in tuple(self._open):
            call = open_call.call
            open_call.fail_early(shutting_down(call.overall_outcome, repeatable=call.repeatable))
            self._close(open_call, open_call.early)

    def end_long_polls(self) -> None:
        """Answers all calls that only wait, and all that come, with SHUTTING_DOWN: another server can go on waiting."""
        self._draining = True
        for open_call in tuple(self._open):
            if open_call.long_poll:
                open_call.fail_early(shutting_down("not_applied", repeatable=True))

    def _handler(self, operation: str, method: Method) -> Handler:
        async def handle(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            # A stream counts once its first request is there, as any call does.
            requests = await _begun(request) if isinstance(request, AsyncIterable) else None
            arrived = self._clock()
            seconds = self._limits.seconds(context.time_remaining(), method)
            call = CallContext(operation, context.peer(), arrived + seconds, self._grace, self._clock)
            if requests:
                request = _Requests(*requests, call, lambda: self._draining)
            try:
                response = await self._run(method, request, call, arrived)
            except Exception as error:  # noqa: BLE001 (every failure becomes a status)
                failure = to_status_error(error, call)
            else:
                if self._is_embedded:
                    await context.send_initial_metadata((self.backend,))
                context.set_trailing_metadata((self.backend,))
                return response
            return await context.abort(
                failure.code, failure.message, (self.backend, *failure.trailing_metadata(operation))
            )

        return handle

    async def _run(self, method: Method, request: Any, call: CallContext, arrived: float) -> Any:
        waits = getattr(method, "long_poll", False)
        try:
            self._admit(waits=waits)
            begun = self._greenlets.start(method, request, call)
        except Exception as error:
            failure = to_status_error(error, call)
            self._write(call, arrived, failure, error)
            raise failure from error
        if isinstance(begun, PooledGreenlet):
            return await self._await_outcome(begun, call, arrived, waits=waits)
        self._write(call, arrived)
        return begun

    def _admit(self, *, waits: bool) -> None:
        """Raises StatusError at the server's end, and above the limit: calls that only wait have one of their own."""
        if self._cut or (waits and self._draining):
            raise shutting_down("not_applied", repeatable=True)
        if (self._long_polls if waits else self.in_flight - self._long_polls) >= self._limits.max_concurrent_calls:
            raise overloaded(self._limits.max_concurrent_calls, "calls that wait" if waits else "calls")

    async def _await_outcome(self, waiting: PooledGreenlet, call: CallContext, arrived: float, *, waits: bool) -> Any:
        """Waits for a method to end, for the deadline, and for the server's end. The method ends in any case."""
        loop = asyncio.get_running_loop()
        open_call = _OpenCall(call, arrived, waits, loop.create_future())
        self._open.add(open_call)
        self.in_flight += 1
        self._long_polls += waits
        self.idle.clear()
        timer = loop.call_later(
            max(0.0, call.remaining()), lambda: open_call.fail_early(deadline_exceeded(call.overall_outcome))
        )

        def end(task: asyncio.Task[Any]) -> None:
            timer.cancel()
            self.in_flight -= 1
            self._long_polls -= waits
            if not self.in_flight:
                self.idle.set()
            if task.cancelled():
                open_call.fail_early(internal(call.overall_outcome))
                self._close(open_call, open_call.early)
                return
            error = task.exception()
            open_call.answer_with(task)
            self._close(open_call, open_call.early or (to_status_error(error, call) if error else None), error)

        open_call.task = loop.create_task(self._greenlets.join(waiting))
        open_call.task.add_done_callback(end)
        try:
            return await open_call.answer
        except asyncio.CancelledError:
            open_call.early = _gone(call, arrived)
            open_call.abandon()
            raise

    def _close(self, open_call: _OpenCall, failure: StatusError | None, error: BaseException | None = None) -> None:
        """Writes the line of a call, once."""
        if open_call in self._open:
            self._open.discard(open_call)
            self._write(open_call.call, open_call.arrived, failure, error)

    def _write(
        self, call: CallContext, arrived: float, failure: StatusError | None = None, error: BaseException | None = None
    ) -> None:
        """Writes the one line of an rpc: a warning where the operator should look, and never an exception's text."""
        facts: dict[str, Any] = {
            "method": call.operation,
            "caller": call.caller,
            "status": failure.code.name if failure else "OK",
            "duration_ms": round((self._clock() - arrived) * 1000, 1),
            "outcome": call.overall_outcome if failure else call.outcome,
            **call.change_counts(),
        }
        if call.aws_request_id:
            facts["aws_request_id"] = call.aws_request_id
        if failure is None:
            _log.info("rpc", **facts)
            return
        if failure.reason:
            facts["reason"] = failure.reason
        facts |= {key: failure.metadata[key] for key in _LOGGED_METADATA if key in failure.metadata}
        if failure.cause:
            facts["cause"] = failure.cause
        if error and error is not failure and failure.reason == "INTERNAL":
            _log.error("rpc", **facts, **exception_location(error))
        elif failure.reason.startswith("UPSTREAM_") or call.outcome == "unknown":
            _log.warning("rpc", **facts)
        else:
            _log.info("rpc", **facts)


async def _begun(requests: AsyncIterable[Any]) -> tuple[list[Any], AsyncIterator[Any]]:
    """Waits for the first request of a stream; gives it, or none of a stream that has none, and those to come."""
    later = aiter(requests)
    try:
        return [await anext(later)], later
    except StopAsyncIteration:
        return [], later


class _Requests:
    """A stream of requests, for a plain function that waits for each; it ends where its caller is gone.

    Args:
        first: those that have come.
        later: those to come.
        call: the rpc.
        ends: tells whether the server waits for its calls to end; then a stream that is silent is ended.
    """

    def __init__(
        self, first: list[Any], later: AsyncIterator[Any], call: CallContext, ends: Callable[[], bool]
    ) -> None:
        self._first = first
        self._later = later
        self._call = call
        self._ends = ends

    def __iter__(self) -> _Requests:
        return self

    def __next__(self) -> Any:
        if self._first:
            return self._first.pop()
        coming = asyncio.ensure_future(anext(self._later))
        try:
            while not await_(asyncio.wait({coming}, timeout=_SILENCE_SECONDS))[0]:
                if self._ends():
                    raise shutting_down(self._call.overall_outcome, repeatable=False)
            return coming.result()
        except (StopAsyncIteration, asyncio.CancelledError):
            # Of a caller that is gone gRPC ends the stream first; then it says so.
            sleep(_END_OF_STREAM_SECONDS)
            raise StopIteration from None
        finally:
            coming.cancel()


def _gone(call: CallContext, arrived: float) -> StatusError:
    """Says for the log why nobody waits: gRPC ends a call whose time is up like one that was given up."""
    if call.remaining() <= _DEADLINE_SLACK_SECONDS + _DEADLINE_SLACK * (call.deadline - arrived):
        return deadline_exceeded(call.overall_outcome)
    return StatusError(grpc.StatusCode.CANCELLED, "", "the caller went away")
