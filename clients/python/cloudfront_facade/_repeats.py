"""When a call of the facade's methods is sent again. The methods of other services are retried by gRPC.

gRPC's retries cannot do this, because gRPC reports only the last attempt. If that one found no server, an earlier one
may have been applied. If the first attempt of a write of keys was applied, the next one finds another version, and the
server's `not_applied` is wrong. And a service config selects calls by their method, not by their `etag`. Numbers,
pushback and budget are those of gRPC's retry policy (gRFC A6).
"""

from __future__ import annotations

import copy
import random
import re
import time
from threading import Lock
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade._defaults import request_id_of
from cloudfront_facade._sending import Sending
from cloudfront_facade._service_config import (
    BACKOFF_MULTIPLIER,
    INITIAL_BACKOFF,
    MAX_ATTEMPTS,
    MAX_BACKOFF,
    RETRY_THROTTLING,
    has_own_retries,
    is_facade_method,
    is_not_repeatable,
    retries_of_grpc,
)
from cloudfront_facade.errors import FacadeError

if TYPE_CHECKING:
    from collections.abc import Callable

JITTER = 0.2

_RETRYABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class Repeats:
    """The repeats of a client's calls.

    Attributes:
        enabled: Whether calls are repeated.
        is_closed: Returns whether the client is closed.
    """

    def __init__(self, *, retry: bool, options: list[tuple[str, Any]], is_closed: Callable[[], bool]) -> None:
        self.enabled = retry and not has_own_retries(options)
        self.is_closed = is_closed
        self._is_retried_by_grpc = retries_of_grpc(retry=retry, options=options)
        self._tokens = float(RETRY_THROTTLING["maxTokens"])
        self._lock = Lock()

    def attempts(self, method: str | bytes, request: Any, timeout: float | None) -> Attempts | None:
        """Returns the attempts of a call with one request and one response; None for a method of another service.

        Args:
            method: The path of the method.
            request: The request.
            timeout: Seconds that all attempts may take together; None for no limit.
        """
        name = method.decode() if isinstance(method, bytes) else method
        if not is_facade_method(name):
            return None
        is_create_without_id = getattr(request, "request_id", None) == ""
        is_repeatable = not is_not_repeatable(name) and not is_create_without_id
        return Attempts(self, self.sending(name), request, timeout, is_repeatable=is_repeatable)

    def sending(self, method: str | bytes, *, streaming: bool = False) -> Sending:
        """Returns how a call is sent.

        Args:
            method: The path of the method.
            streaming: Whether the call has a stream of requests.
        """
        name = method.decode() if isinstance(method, bytes) else method
        return Sending(self._is_retried_by_grpc(name), streaming)

    def count_success(self) -> None:
        """Counts an attempt that succeeded."""
        with self._lock:
            self._tokens = min(RETRY_THROTTLING["maxTokens"], self._tokens + RETRY_THROTTLING["tokenRatio"])

    def count_failure(self) -> bool:
        """Counts an attempt that failed, and returns whether the budget allows to repeat it."""
        with self._lock:
            self._tokens = max(0, self._tokens - 1)
            return self._tokens > RETRY_THROTTLING["maxTokens"] / 2


class Attempts:
    """The attempts of one call.

    Attributes:
        sending: How each attempt is sent.
        request: A copy of the request, because the caller may change its own between two attempts.
    """

    def __init__(
        self, repeats: Repeats, sending: Sending, request: Any, timeout: float | None, *, is_repeatable: bool
    ) -> None:
        self.sending = sending
        self.request = copy.deepcopy(request)
        self._repeats = repeats
        self._is_repeatable = is_repeatable
        self._end = None if timeout is None else time.monotonic() + timeout
        self._number = 1
        self._backoff = INITIAL_BACKOFF
        self._may_be_applied = False

    def seconds_left(self) -> float | None:
        """Returns the seconds until the deadline of the call; None if it has none."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def pause(self, code: grpc.StatusCode, details: str | None, trailers: Any) -> float | None:
        """Counts the end of an attempt, and returns the seconds until the next one; None if this was the last one.

        Args:
            code: The code of the status.
            details: The message of the status.
            trailers: The trailing metadata.
        """
        if code is grpc.StatusCode.OK:
            self._repeats.count_success()
            return None
        pushback = _pushback(trailers)
        is_sent = self.sending.may_be_processed(code, details, trailers)
        if not self._is_allowed(code, pushback) or not self._is_safe(code, is_sent):
            return None
        pause = self._backoff * random.uniform(1 - JITTER, 1 + JITTER) if pushback is None else pushback  # noqa: S311
        if self._end is not None and time.monotonic() + pause >= self._end:
            return None
        self._number += 1
        self._may_be_applied |= FacadeError(code, details or "", trailers or (), "", is_sent).outcome != "not_applied"
        self._backoff = (
            INITIAL_BACKOFF if pushback is not None else min(MAX_BACKOFF, self._backoff * BACKOFF_MULTIPLIER)
        )
        return pause

    def may_continue(self) -> bool:
        """Returns whether the next attempt may be sent when the pause before it is over."""
        return not self._repeats.is_closed()

    def error(self, error: grpc.RpcError) -> FacadeError:
        """Returns the error of the last attempt, with an outcome that covers all attempts."""
        last = FacadeError.of(error)
        code, details, trailers = last.code(), last.details(), last.trailing_metadata()
        is_sent = self._may_be_applied or self.sending.may_be_processed(code, details, trailers)
        # That a create finds another caller's resource proves that no attempt was applied.
        is_doubtful = self._may_be_applied and code is not grpc.StatusCode.ALREADY_EXISTS
        return FacadeError(code, details, trailers, request_id_of(self.request), is_sent, is_doubtful)

    def _is_allowed(self, code: grpc.StatusCode, pushback: float | None) -> bool:
        """Returns whether the status, the server and the budget allow another attempt."""
        is_forbidden = pushback is not None and pushback < 0
        if code not in _RETRYABLE and not is_forbidden:
            return False
        return self._repeats.count_failure() and not is_forbidden and self._number < MAX_ATTEMPTS

    def _is_safe(self, code: grpc.StatusCode, is_sent: bool) -> bool:
        if not self._repeats.enabled or self._repeats.is_closed():
            return False
        if self._is_repeatable or not is_sent:
            return True
        # A server that stops cancels calls that it has not started. If it had started this one, the etag is outdated.
        return code is grpc.StatusCode.CANCELLED and bool(getattr(self.request, "etag", ""))


def _pushback(trailers: Any) -> float | None:
    """Returns the seconds after which the server wants a repeat: below zero for never, None if it does not say."""
    for key, value in trailers or ():
        if key == "grpc-retry-pushback-ms":
            return int(value) / 1000 if re.fullmatch(r"[0-9]{1,9}", value) else -1.0
    return None
