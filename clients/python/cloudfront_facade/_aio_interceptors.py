"""What happens to every call of the asyncio client on its way: the same as to blocking ones, see `interceptor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc import aio

from cloudfront_facade._aio_calls import FacadeCall, FacadeStreamCall
from cloudfront_facade._defaults import request_id_of
from cloudfront_facade._closable_channel import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudfront_facade._defaults import CallDefaults

    Continuation = Callable[[aio.ClientCallDetails, Any], Any]


def interceptors(defaults: CallDefaults) -> list[aio.ClientInterceptor]:
    """One for each kind of call, for grpc.aio takes an interceptor for the first kind only that it is of."""
    kinds = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)
    return [kind(defaults) for kind in kinds]


class _Interceptor:
    call = FacadeCall

    def __init__(self, defaults: CallDefaults) -> None:
        self._defaults = defaults

    async def _intercept(self, continuation: Continuation, details: aio.ClientCallDetails, request: Any) -> Any:
        if details.timeout is None:
            details = _with_timeout(details, self._defaults.timeout(details.method))
        request = self._defaults.with_request_id(request)
        try:
            call = await continuation(details, request)
        except aio.UsageError:
            raise ValueError(CLOSED) from None
        return self.call(call, request_id_of(request))


def _with_timeout(details: aio.ClientCallDetails, timeout: float | None) -> aio.ClientCallDetails:
    return aio.ClientCallDetails(details.method, timeout, details.metadata, details.credentials, details.wait_for_ready)


class _UnaryUnary(_Interceptor, aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._intercept(continuation, client_call_details, request)


class _UnaryStream(_Interceptor, aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._intercept(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, aio.StreamUnaryClientInterceptor):
    call = FacadeStreamCall

    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._intercept(continuation, client_call_details, request_iterator)


class _StreamStream(_Interceptor, aio.StreamStreamClientInterceptor):
    call = FacadeStreamCall

    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._intercept(continuation, client_call_details, request_iterator)
