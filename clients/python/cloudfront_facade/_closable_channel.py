"""A channel that raises ValueError after it is closed.

A closed gRPC channel dereferences freed memory and crashes the process (grpcio 1.85.1).
"""

from __future__ import annotations

from threading import Lock
from typing import Any

import grpc

CLOSED = "the client is closed"


class Closable:
    """Opens multi-callables of a channel until it is closed."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._closed = False
        self._lock = Lock()

    def is_closed(self) -> bool:
        """Returns whether the channel is closed."""
        return self._closed

    def unary_unary(self, *arguments: Any, **keywords: Any) -> Any:
        """Returns the multi-callable of a method with one request and one response."""
        return self._open("unary_unary", *arguments, **keywords)

    def unary_stream(self, *arguments: Any, **keywords: Any) -> Any:
        """Returns the multi-callable of a method with one request and a stream of responses."""
        return self._open("unary_stream", *arguments, **keywords)

    def stream_unary(self, *arguments: Any, **keywords: Any) -> Any:
        """Returns the multi-callable of a method with a stream of requests and one response."""
        return self._open("stream_unary", *arguments, **keywords)

    def stream_stream(self, *arguments: Any, **keywords: Any) -> Any:
        """Returns the multi-callable of a method with a stream of requests and a stream of responses."""
        return self._open("stream_stream", *arguments, **keywords)

    def _open(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        # A thread that closes the channel waits for this lookup; gRPC itself rejects the call that then starts.
        with self._lock:
            if self._closed:
                raise ValueError(CLOSED)
            return getattr(self._channel, name)(*arguments, **keywords)


class ClosableChannel(Closable, grpc.Channel):
    """A blocking channel. Interceptors open a multi-callable for each call, so it checks every call."""

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """Calls a callback whenever the connectivity changes."""
        self._open("subscribe", callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """Stops calling a callback."""
        self._channel.unsubscribe(callback)

    def close(self) -> None:
        """Closes the channel. Calls in flight end with CANCELLED."""
        with self._lock:
            self._closed = True
            self._channel.close()

    def __enter__(self) -> ClosableChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
