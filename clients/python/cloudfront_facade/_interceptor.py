"""The interceptor of every blocking call: checks the request, sets defaults, and raises `FacadeError`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import grpc

from cloudfront_facade._argument_checks import check_metadata
from cloudfront_facade._defaults import request_id_of
from cloudfront_facade._repeated_call import RepeatedCall
from cloudfront_facade._request_checks import CheckedRequests, check_request
from cloudfront_facade.errors import FacadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloudfront_facade._defaults import CallDefaults
    from cloudfront_facade._repeats import Attempts, Repeats
    from cloudfront_facade._sending import Sending

    Continuation = Callable[[grpc.ClientCallDetails, Any], Any]


class FacadeInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Sets a default deadline and the `request_id` of creates, and raises failures as `FacadeError`.

    All attempts of a call share one deadline and one `request_id`.
    """

    def __init__(self, defaults: CallDefaults, repeats: Repeats) -> None:
        self._defaults = defaults
        self._repeats = repeats

    def intercept_unary_unary(self, continuation: Continuation, client_call_details: Any, request: Any) -> Any:
        """Intercepts a call with one request and one response."""
        return self._intercept_request(continuation, client_call_details, request, is_unary=True)

    def intercept_unary_stream(self, continuation: Continuation, client_call_details: Any, request: Any) -> Any:
        """Intercepts a call with one request and a stream of responses."""
        return self._intercept_request(continuation, client_call_details, request)

    def intercept_stream_unary(
        self, continuation: Continuation, client_call_details: Any, request_iterator: Any
    ) -> Any:
        """Intercepts a call with a stream of requests and one response."""
        return self._intercept_requests(continuation, client_call_details, request_iterator)

    def intercept_stream_stream(
        self, continuation: Continuation, client_call_details: Any, request_iterator: Any
    ) -> Any:
        """Intercepts a call with a stream of requests and a stream of responses."""
        return self._intercept_requests(continuation, client_call_details, request_iterator)

    def _intercept_request(
        self, continuation: Continuation, details: grpc.ClientCallDetails, request: Any, *, is_unary: bool = False
    ) -> Any:
        check_request(details.method, request)
        check_metadata(details.metadata)
        timeout = self._defaults.timeout(details.method, details.timeout)
        request = self._defaults.with_request_id(request)
        if is_unary and (attempts := self._repeats.attempts(details.method, request, timeout)):
            return _RepeatedCall(continuation, details, attempts)
        sending = self._repeats.sending(details.method)
        return _Call(continuation(_with_timeout(details, timeout), request), sending, request_id_of(request))

    def _intercept_requests(self, continuation: Continuation, details: grpc.ClientCallDetails, requests: Any) -> Any:
        checked = CheckedRequests(details.method, requests)
        check_metadata(details.metadata)
        sending = self._repeats.sending(details.method, streaming=True)
        timeout = self._defaults.timeout(details.method, details.timeout)
        return _Call(continuation(_with_timeout(details, timeout), checked), sending, requests=checked)


def _with_timeout(details: grpc.ClientCallDetails, timeout: float | None) -> grpc.ClientCallDetails:
    return _CallDetails(
        details.method,
        timeout,
        details.metadata,
        details.credentials,
        details.wait_for_ready,
        details.compression,
    )


@dataclass(frozen=True)
class _CallDetails(grpc.ClientCallDetails):
    method: str
    timeout: float | None
    metadata: Any
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


@grpc.Call.register
@grpc.Future.register
class _Call:
    """A call, finished or in flight, that fails with `FacadeError`. Everything else is gRPC's."""

    def __init__(
        self, call: Any, sending: Sending, request_id: str = "", requests: CheckedRequests | None = None
    ) -> None:
        self._call = call
        self._sending = sending
        self._request_id = request_id
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            raise self._translate(error) from error

    def exception(self, timeout: float | None = None) -> Exception | None:
        error: Exception | None = self._call.exception(timeout)
        return self._translate(error) if isinstance(error, grpc.RpcError) else error

    def add_done_callback(self, callback: Callable[[Self], None]) -> None:
        self._call.add_done_callback(lambda _: callback(self))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise self._translate(error) from error

    def _translate(self, error: grpc.RpcError) -> Exception:
        if self._requests and self._requests.error:
            return self._requests.error
        return FacadeError.of(error, self._request_id, sending=self._sending)


class _RepeatedCall(_Call):
    """A call that may be sent again."""

    def __init__(self, continuation: Continuation, details: grpc.ClientCallDetails, attempts: Attempts) -> None:
        def send() -> Any:
            return continuation(_with_timeout(details, attempts.seconds_left()), attempts.request)

        super().__init__(RepeatedCall(send, attempts), attempts.sending)
        self._attempts = attempts

    def _translate(self, error: grpc.RpcError) -> Exception:
        return self._attempts.error(error)
