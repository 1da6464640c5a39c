"""What happens to every blocking call on its way: a deadline, a request_id, typed errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import grpc

from cloudfront_facade._defaults import request_id_of
from cloudfront_facade.errors import FacadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloudfront_facade._defaults import CallDefaults

    Continuation = Callable[[grpc.ClientCallDetails, Any], Any]


class FacadeInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Gives calls a default deadline, creates a `request_id`, and errors the type `FacadeError`.

    gRPC's retries happen below interceptors, so all attempts of a call have the same deadline and `request_id`.
    """

    def __init__(self, defaults: CallDefaults) -> None:
        self._defaults = defaults

    def intercept_unary_unary(self, continuation: Continuation, client_call_details: Any, request: Any) -> Any:
        """One request, one response."""
        return self._intercept(continuation, client_call_details, request)

    def intercept_unary_stream(self, continuation: Continuation, client_call_details: Any, request: Any) -> Any:
        """One request, a stream of responses."""
        return self._intercept(continuation, client_call_details, request)

    def intercept_stream_unary(
        self, continuation: Continuation, client_call_details: Any, request_iterator: Any
    ) -> Any:
        """A stream of requests, one response."""
        return self._intercept(continuation, client_call_details, request_iterator)

    def intercept_stream_stream(
        self, continuation: Continuation, client_call_details: Any, request_iterator: Any
    ) -> Any:
        """A stream each way."""
        return self._intercept(continuation, client_call_details, request_iterator)

    def _intercept(self, continuation: Continuation, details: grpc.ClientCallDetails, request: Any) -> Any:
        if details.timeout is None:
            details = _with_timeout(details, self._defaults.timeout(details.method))
        request = self._defaults.with_request_id(request)
        return _Call(continuation(details, request), request_id_of(request))


@dataclass(frozen=True)
class _CallDetails(grpc.ClientCallDetails):
    method: str
    timeout: float | None
    metadata: Any
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


def _with_timeout(details: grpc.ClientCallDetails, timeout: float | None) -> grpc.ClientCallDetails:
    return _CallDetails(
        details.method,
        timeout,
        details.metadata,
        details.credentials,
        details.wait_for_ready,
        details.compression,
    )


@grpc.Call.register
@grpc.Future.register
class _Call:
    """A call, finished or under way, whose failure is a `FacadeError`; in all else it is gRPC's own."""

    def __init__(self, call: Any, request_id: str) -> None:
        self._call = call
        self._request_id = request_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            raise FacadeError.of(error, self._request_id) from error

    def exception(self, timeout: float | None = None) -> Exception | None:
        error: Exception | None = self._call.exception(timeout)
        return FacadeError.of(error, self._request_id) if isinstance(error, grpc.RpcError) else error

    def add_done_callback(self, callback: Callable[[Self], None]) -> None:
        self._call.add_done_callback(lambda _: callback(self))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise FacadeError.of(error, self._request_id) from error
