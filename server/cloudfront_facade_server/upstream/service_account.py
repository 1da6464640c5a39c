"""Learns the AWS account of the service, so that requests can name only its resources."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from botocore import exceptions as boto

from ..backends.protocol import Backend
from ..backends.timeouts import short_timeouts
from ..call_context import upstream_deadline
from ..concurrency.greenlets import await_, greenlet_spawn, run_in_daemon_thread, sleep
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, aws_code, classify
from ..errors.operation_target import OperationTarget
from ..errors.translate import translate

FindAccount = Callable[[], str]
"""Asks AWS for the account of the credentials. It may block for a long time, and raises UPSTREAM_ERRORS."""

_MAX_FIND_SECONDS: Final = 5.0
"""Maximum time for which calls wait for the answer."""

_MAX_READ_SECONDS: Final = 10.0
"""Latest time after the start of an attempt at which it sends a read."""

_RETRY_SECONDS: Final = 5.0
"""Minimum time between two questions to AWS, and after an attempt that failed. In it, calls share the last answer."""

_READ_AGAIN_SECONDS: Final = 0.5
"""Minimum time until the lists are read again after they were empty, because a resource may have been created since."""

_NO_RESPONSE: Final = (boto.HTTPClientError, boto.ConnectionError)

_log = structlog.get_logger()


class ServiceAccount:
    """The account of the service's credentials, learned once.

    AWS is asked first. If it does not answer, the ARNs in the lists of stores and functions show the account, because
    CloudFront lists only resources of the account.

    Args:
        find: Asks AWS for the account.
        backend: Lists stores and functions.
        clock: A monotonic clock.
        sleep: Waits the given number of seconds.
    """

    def __init__(
        self,
        find: FindAccount,
        backend: Backend,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._find = find
        self._backend = backend
        self._clock = clock
        self._sleep = sleep
        self._known: tuple[str, ...] = ()
        self._attempt: asyncio.Task[UpstreamFailure | None] | None = None
        self._started = self._next_attempt = self._next_question = float("-inf")
        self._logged = ""

    def allowed(self) -> tuple[str, ...]:
        """Returns the account; waits for it if it is not known. Empty if no resource shows it.

        Raises:
            StatusError: The account could not be learned.
        """
        asked = self._clock()
        while not self._known:
            if failure := await_(asyncio.shield(self.learn())):
                raise translate(failure, OperationTarget("key value store", "", {}))
            if self._started >= asked:
                break
            # The attempt may be older than the resource that the ARN names.
            self._sleep(max(0.0, self._next_attempt - self._clock()))
        return self._known

    def learn(self) -> asyncio.Task[UpstreamFailure | None]:
        """Starts to learn the account, unless an attempt is in flight or has just ended; returns that attempt."""
        if self._attempt is None or (self._attempt.done() and self._clock() >= self._next_attempt):
            self._started = self._clock()
            self._attempt = asyncio.ensure_future(greenlet_spawn(self._try_to_learn))
        return self._attempt

    def _try_to_learn(self) -> UpstreamFailure | None:
        """Learns the account; returns why that failed, or None."""
        failure = None
        # The deadline of the call that started the attempt is not that of the others.
        with upstream_deadline(time.monotonic() + _MAX_READ_SECONDS), short_timeouts():
            account = self._asked() if self._clock() >= self._next_question else ""
            if not account:
                try:
                    account = next(self._shown(), "")
                except UPSTREAM_ERRORS as error:
                    failure = classify(error)
        self._known = (account,) if account else ()
        self._next_attempt = self._clock() + (_RETRY_SECONDS if failure else _READ_AGAIN_SECONDS)
        return failure

    def _asked(self) -> str:
        """Returns the account that AWS answers with; empty if it does not answer."""
        self._next_question = self._clock() + _RETRY_SECONDS
        finding = run_in_daemon_thread(self._find)
        if not await_(asyncio.wait({finding}, timeout=_MAX_FIND_SECONDS))[0]:
            reason = "no response in time"
            finding.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        elif error := finding.exception():
            reason = _reason(error)
        else:
            return finding.result()
        if reason != self._logged:
            _log.warning(
                "STS does not return the account of the credentials; it is read from the lists of stores and functions",
                reason=reason,
                hint="set --accounts",
            )
            self._logged = reason
        return ""

    def _shown(self) -> Iterator[str]:
        """Yields the accounts of existing resources, by their ARNs."""
        for store in _items(self._backend.list_key_value_stores(MaxItems="1"), "KeyValueStoreList"):
            yield store["ARN"].split(":")[4]
        for function in _items(self._backend.list_functions(MaxItems="1"), "FunctionList"):
            yield function["FunctionMetadata"]["FunctionARN"].split(":")[4]


def _reason(error: BaseException) -> str:
    """Returns why AWS did not answer, for the operator."""
    if isinstance(error, _NO_RESPONSE) and (host := urlsplit(str(error.kwargs.get("endpoint_url", ""))).netloc):
        return f"no response from {host} ({type(error).__name__})"
    return (aws_code(error) if isinstance(error, UPSTREAM_ERRORS) else "") or type(error).__name__


def _items(response: Mapping[str, Any], member: str) -> Iterator[Mapping[str, Any]]:
    yield from response.get(member, {}).get("Items", [])
