"""Channels that can be used after their end.

gRPC's look methods up in what they have freed by then, which ends the process (grpcio 1.85.1).
"""

from __future__ import annotations

from threading import Lock
from typing import Any

import grpc
from grpc import aio

CLOSED = "the client is closed"


class _Guarded:
    """Refuses with ValueError what comes after the end."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._closed = False
        self._lock = Lock()

    def unary_unary(self, *arguments: Any, **keywords: Any) -> Any:
        """One request, one response."""
        return self._open("unary_unary", *arguments, **keywords)

    def unary_stream(self, *arguments: Any, **keywords: Any) -> Any:
        """One request, a stream of responses."""
        return self._open("unary_stream", *arguments, **keywords)

    def stream_unary(self, *arguments: Any, **keywords: Any) -> Any:
        """A stream of requests, one response."""
        return self._open("stream_unary", *arguments, **keywords)

    def stream_stream(self, *arguments: Any, **keywords: Any) -> Any:
        """A stream each way."""
        return self._open("stream_stream", *arguments, **keywords)

    def _open(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        # A thread that closes waits until the method is looked up; gRPC itself refuses the call that then begins.
        with self._lock:
            if self._closed:
                raise ValueError(CLOSED)
            return getattr(self._channel, name)(*arguments, **keywords)


class GuardedChannel(_Guarded, grpc.Channel):
    """A blocking channel. Interceptors look a method up for each call, so it sees all calls of those around it."""

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """Tells the callback how the connection is."""
        self._open("subscribe", callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """Tells it no more."""
        self._channel.unsubscribe(callback)

    def close(self) -> None:
        """Closes the channel. Calls under way end with CANCELLED."""
        with self._lock:
            self._closed = True
            self._channel.close()

    def __enter__(self) -> GuardedChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class GuardedAioChannel(_Guarded, aio.Channel):
    """A channel of asyncio. It sees stubs as they are made; of those made before, interceptors see the calls."""

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """How the connection is."""
        state: grpc.ChannelConnectivity = self._channel.get_state(try_to_connect)
        return state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits until it is another way."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until there is a connection."""
        await self._channel.channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """Closes the channel. Calls under way are cancelled after the seconds of grace."""
        self._closed = True
        await self._channel.close(grace)

    async def __aenter__(self) -> GuardedAioChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
