"""A blocking call, or its future, that is sent again if that is safe."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudfront_facade._repeats import Attempts


class RepeatedCall:
    """A call in flight, with the interface of gRPC's. When it has ended, it is the call of the last attempt."""

    def __init__(self, send: Callable[[], Any], attempts: Attempts) -> None:
        """Sends the first attempt.

        Args:
            send: Sends the request once.
            attempts: Whether and when to send it again.
        """
        self._send = send
        self._attempts = attempts
        self._last: Future[Any] = Future()
        self._follow(send())

    def _follow(self, call: Any) -> None:
        self._call = call
        if self._last.cancelled():
            call.cancel()
        call.add_done_callback(self._attempt_ended)

    def _attempt_ended(self, call: Any) -> None:
        trailers = call.trailing_metadata()
        pause = None if call.cancelled() else self._attempts.pause(call.code(), call.details(), trailers)
        if pause is None:
            self._end(call)
            return
        # gRPC runs this callback in the thread that serves all calls of the channel.
        timer = Timer(pause, self._send_again)
        timer.daemon = True
        timer.start()

    def _send_again(self) -> None:
        if self._last.cancelled():
            return
        if not self._attempts.may_continue():
            self._end(self._call)
            return
        try:
            call = self._send()
        except ValueError:  # the client has just been closed
            self._end(self._call)
            return
        self._follow(call)

    def _end(self, call: Any) -> None:
        with suppress(InvalidStateError):  # it was cancelled
            self._last.set_result(call)

    def _wait(self, timeout: float | None) -> Any:
        try:
            return self._last.result(timeout)
        except CancelledError:
            raise grpc.FutureCancelledError from None
        except TimeoutError:
            raise grpc.FutureTimeoutError from None
        except KeyboardInterrupt:
            self.cancel()
            raise

    def __getattr__(self, name: str) -> Any:
        """Returns an attribute of the last attempt, such as `code`, when the call has ended."""
        with suppress(grpc.FutureCancelledError):
            self._wait(None)
        return getattr(self._call, name)

    def result(self, timeout: float | None = None) -> Any:
        return self._wait(timeout).result()

    def exception(self, timeout: float | None = None) -> Exception | None:
        error: Exception | None = self._wait(timeout).exception()
        return error

    def traceback(self, timeout: float | None = None) -> Any:
        return self._wait(timeout).traceback()

    def done(self) -> bool:
        return self._last.done()

    def running(self) -> bool:
        return not self.done()

    def is_active(self) -> bool:
        return not self.done()

    def cancelled(self) -> bool:
        return self._last.cancelled() or (self.done() and self._call.cancelled())

    def cancel(self) -> bool:
        if self.done() or not self._last.cancel():
            return False
        self._call.cancel()
        return True

    def time_remaining(self) -> float | None:
        return self._attempts.seconds_left()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._last.add_done_callback(lambda _: callback(self))

    def add_callback(self, callback: Callable[[], None]) -> bool:
        if self.done():
            return False
        self._last.add_done_callback(lambda _: callback())
        return True
