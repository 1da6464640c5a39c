"""The interceptors of every asyncio call. They do the same as the blocking client's `FacadeInterceptor`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from grpc import aio

from cloudfront_facade._aio_calls import FacadeCall, FacadeStreamCall, RepeatedCall
from cloudfront_facade._argument_checks import check_metadata
from cloudfront_facade._closable_channel import CLOSED
from cloudfront_facade._defaults import request_id_of
from cloudfront_facade._request_checks import CheckedRequests, check_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudfront_facade._defaults import CallDefaults
    from cloudfront_facade._repeats import Attempts, Repeats

    Continuation = Callable[[aio.ClientCallDetails, Any], Any]


def interceptors(defaults: CallDefaults, repeats: Repeats) -> list[aio.ClientInterceptor]:
    """Returns one interceptor for each kind of call, because grpc.aio uses an interceptor for one kind only."""
    kinds = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)
    return [kind(defaults, repeats) for kind in kinds]


class _Interceptor:
    def __init__(self, defaults: CallDefaults, repeats: Repeats) -> None:
        self._defaults = defaults
        self._repeats = repeats

    async def _intercept_request(
        self, continuation: Continuation, details: aio.ClientCallDetails, request: Any, *, is_unary: bool = False
    ) -> Any:
        check_request(details.method, request)
        check_metadata(details.metadata)
        timeout = self._defaults.timeout(details.method, details.timeout)
        request = self._defaults.with_request_id(request)
        if is_unary and (attempts := self._repeats.attempts(details.method, request, timeout)):
            return RepeatedCall(await self._repeat(continuation, details, attempts), attempts)
        sending = self._repeats.sending(details.method)
        call = await self._start(continuation, _with_timeout(details, timeout), request)
        return FacadeCall(call, sending, request_id_of(request))

    async def _intercept_requests(
        self, continuation: Continuation, details: aio.ClientCallDetails, requests: Any
    ) -> Any:
        checked = CheckedRequests(details.method, requests)
        check_metadata(details.metadata)
        sending = self._repeats.sending(details.method, streaming=True)
        details = _with_timeout(details, self._defaults.timeout(details.method, details.timeout))
        return FacadeStreamCall(await self._start(continuation, details, checked), sending, requests=checked)

    async def _repeat(self, continuation: Continuation, details: aio.ClientCallDetails, attempts: Attempts) -> Any:
        """Sends a call until an attempt is the last one, and returns it."""
        while True:
            timeout = attempts.seconds_left()
            call = await self._start(continuation, _with_timeout(details, timeout), attempts.request)
            try:
                trailers = await call.trailing_metadata()
                pause = attempts.pause(await call.code(), await call.details(), trailers)
            except asyncio.CancelledError:
                call.cancel()
                raise
            if pause is None:
                return call
            await asyncio.sleep(pause)
            if not attempts.may_continue():
                return call

    async def _start(self, continuation: Continuation, details: aio.ClientCallDetails, request: Any) -> Any:
        try:
            return await continuation(details, request)
        except aio.UsageError:
            raise ValueError(CLOSED) from None


def _with_timeout(details: aio.ClientCallDetails, timeout: float | None) -> aio.ClientCallDetails:
    return aio.ClientCallDetails(details.method, timeout, details.metadata, details.credentials, details.wait_for_ready)


class _UnaryUnary(_Interceptor, aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._intercept_request(continuation, client_call_details, request, is_unary=True)


class _UnaryStream(_Interceptor, aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._intercept_request(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._intercept_requests(continuation, client_call_details, request_iterator)


class _StreamStream(_Interceptor, aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._intercept_requests(continuation, client_call_details, request_iterator)
