"""Writes a stream of requests, for the blocking client.

gRPC reads an iterator of requests in its own thread, where the caller's exceptions would be lost and a database cursor
that is bound to its thread would fail.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Semaphore
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade.errors import FacadeError

if TYPE_CHECKING:
    from typing import Self


class RequestWriter:
    """A blocking call whose requests are produced in the caller's thread. It ends with the `with`.

    Attributes:
        done: Whether the call has ended.
    """

    def __init__(self, method: Any, timeout: float | None) -> None:
        self.done = False
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self._ready = Semaphore(0)
        self._call = method.future(iter(self._next, None), timeout=timeout)
        self._call.add_done_callback(self._end)

    def _end(self, _: object) -> None:
        self.done = True
        self._ready.release()

    def _next(self) -> Any:
        self._ready.release()
        return self._requests.get()

    def write(self, request: Any) -> bool:
        """Sends a request after the previous one is on its way. Returns False, and sends nothing, if the call ended."""
        self._ready.acquire()
        if self.done:
            return False
        self._requests.put(request)
        return True

    def response(self) -> Any:
        """Ends the stream of requests and returns the response."""
        self._requests.put(None)
        try:
            return self._call.result()
        except FacadeError:
            raise
        except grpc.RpcError as error:
            raise FacadeError.of(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._call.cancel()  # does nothing if the call has ended
        self._requests.put(None)
