"""An asyncio channel that raises ValueError after it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc import aio

from cloudfront_facade._closable_channel import Closable
from cloudfront_facade._request_checks import check_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    import grpc


class AioClosableChannel(Closable, aio.Channel):
    """An asyncio channel. Once closed, it rejects new stubs, and interceptors reject the calls of existing stubs."""

    def stream_unary(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        """Returns the multi-callable of a method with a stream of requests and one response."""
        return _StreamMultiCallable(method, super().stream_unary(method, *arguments, **keywords))

    def stream_stream(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        """Returns the multi-callable of a method with a stream of requests and a stream of responses."""
        return _StreamMultiCallable(method, super().stream_stream(method, *arguments, **keywords))

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Returns the connectivity."""
        state: grpc.ChannelConnectivity = self._channel.get_state(try_to_connect)
        return state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits until the connectivity changes."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until the channel is connected."""
        await self._channel.channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """Closes the channel. Calls in flight are cancelled after `grace` seconds."""
        self._closed = True
        await self._channel.close(grace)

    async def __aenter__(self) -> AioClosableChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@aio.StreamUnaryMultiCallable.register
@aio.StreamStreamMultiCallable.register
class _StreamMultiCallable:
    """Starts calls whose `write` checks the type of each request. Interceptors check the requests of an iterable."""

    def __init__(self, method: str, multi_callable: Any) -> None:
        self._method = method
        self._multi_callable = multi_callable

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return _WritableCall(self._method, self._multi_callable(*arguments, **keywords))


@aio.StreamUnaryCall.register
@aio.StreamStreamCall.register
class _WritableCall:
    def __init__(self, method: str, call: Any) -> None:
        self._method = method
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __await__(self) -> Generator[Any, None, Any]:
        response: Generator[Any, None, Any] = self._call.__await__()
        return response

    def __aiter__(self) -> AsyncIterator[Any]:
        responses: AsyncIterator[Any] = self._call.__aiter__()
        return responses

    async def write(self, request: Any) -> None:
        """Sends a request.

        Raises:
            TypeError: The request has another type than the method's.
        """
        check_request(self._method, request)
        await self._call.write(request)
