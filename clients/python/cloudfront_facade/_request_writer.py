"""A stream of requests that is written to, for the blocking client.

gRPC takes requests from an iterator, which it asks in a thread of its own: errors of the caller's would be lost there,
and a cursor of a database that keeps to its thread refuses it.
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
    """A blocking call, whose requests are made in the thread of the caller. It ends with the `with`.

    Attributes:
        over: Whether the call has ended.
    """

    def __init__(self, method: Any, timeout: float | None) -> None:
        self.over = False
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self._asked = Semaphore(0)
        self._call = method.future(iter(self._next, None), timeout=timeout)
        self._call.add_done_callback(self._end)

    def _end(self, _: object) -> None:
        self.over = True
        self._asked.release()

    def _next(self) -> Any:
        self._asked.release()
        return self._requests.get()

    def send(self, request: Any) -> bool:
        """Sends a request when the one before is on its way; False where the call is over, so that none is sent."""
        self._asked.acquire()
        if self.over:
            return False
        self._requests.put(request)
        return True

    def response(self) -> Any:
        """Says that there are no more requests, and gives the response."""
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
        self._call.cancel()  # which does nothing to a call that is over
        self._requests.put(None)
