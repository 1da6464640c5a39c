"""AWS credentials that are loaded when they are first needed, and reloaded on demand."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from botocore import exceptions as boto
from botocore.credentials import Credentials

from ...call_context import remaining_upstream_time
from ...concurrency.greenlets import await_, run_in_daemon_thread
from ...errors.aws_codes import CredentialSourceError
from .credential_source import CredentialSource, checked, retrieval_error

_MANDATORY_REFRESH_SECONDS: Final = 600.0
"""Credentials that expire within this time are refreshed before they are used: botocore's own limit."""

_BACKGROUND_INTERVAL_SECONDS: Final = 10.0
"""Minimum time between two background refreshes."""

_MAX_LOAD_AGE_SECONDS: Final = 60.0
"""An older load in flight hangs: botocore's own timeouts and retries would have ended it."""

_MAX_WAIT_SECONDS: Final = 10.0
"""Maximum time for which a call waits for a load: well within most deadlines."""


class ReloadableCredentials(Credentials):  # type: ignore[misc]  # botocore has no types
    """Credentials that are loaded when they are first needed, and reloaded on demand.

    boto3 loads credentials when a client is created and keeps them until they expire by its own clock. With this class
    in between, clients can be created while the credential source does not respond, a rotated file is read again, and
    all clients of a process switch at the same time. Every load uses a new session, because a session caches the old
    credentials.

    Args:
        source: Where the credentials come from.

    Attributes:
        load_count: Number of loads that ended, failed ones included.
        failure: Why the last load, or the last refresh by botocore, failed; None if it succeeded.
    """

    def __init__(self, source: CredentialSource) -> None:
        super().__init__(access_key="", secret_key="", method="cloudfront-facade")
        self._source = source
        self._lock = threading.Lock()
        self.load_count = 0
        self._loaded: Any = None
        self._frozen: Any = None
        self._in_flight: dict[str, asyncio.Future[Any]] = {}
        self._last_start = float("-inf")
        self.failure: boto.BotoCoreError | None = None

    def load_credentials(self) -> ReloadableCredentials:
        """Returns these credentials to the session whose credential provider they are."""
        return self

    def get_frozen_credentials(self) -> Any:
        """Returns what botocore signs the next request with; loads it if necessary, without blocking the event loop.

        Credentials that expire soon, but not within ten minutes, are used, and refreshed in the background.

        Raises:
            CredentialRetrievalError: The source does not respond in time, or responds with an error.
            BotoCoreError: The source is not configured, or its configuration is invalid.
        """
        loaded, frozen = self._loaded, self._frozen
        if loaded is None or frozen is None:
            return self._await_load("load", self.load)
        refresh_needed: Callable[..., bool] = getattr(loaded, "refresh_needed", _never)
        if refresh_needed(refresh_in=_MANDATORY_REFRESH_SECONDS):
            return self._await_load("load", self.load)
        if refresh_needed() and time.monotonic() - self._last_start > _BACKGROUND_INTERVAL_SECONDS:
            self._start_load("load", self.load)
        return frozen

    def load(self) -> Any:
        """Returns what botocore signs the next request with; loads or refreshes it if necessary.

        Blocks until the source responds, which takes up to a minute, or forever if the source hangs.

        Raises:
            CredentialRetrievalError: The source does not respond, or responds with an error.
            BotoCoreError: The source is not configured, or its configuration is invalid.
        """
        count, loaded = self.load_count, self._loaded
        if loaded is None:
            loaded = self._reload(count)
        try:
            frozen = checked(loaded.get_frozen_credentials())
        except Exception as error:
            failure = retrieval_error(error)
            with self._lock:
                if self._loaded is loaded:
                    self._loaded, self._frozen, self.failure = None, None, failure
            raise failure from error
        with self._lock:
            if self._loaded is loaded:
                self._frozen = frozen
        return frozen

    def reload(self, count: int) -> Any:
        """Loads credentials again; returns them.

        Args:
            count: The `load_count` when the current credentials were used. If it has changed, another call has
                reloaded them, and its result is returned.

        Raises:
            CredentialRetrievalError: The source does not respond in time, or responds with an error.
            BotoCoreError: The source is not configured, or its configuration is invalid.
        """
        return self._await_load("reload", lambda: self._reload(count))

    def _start_load(self, name: str, load: Callable[[], Any]) -> asyncio.Future[Any]:
        """Loads in a thread, single-flight: all calls with the same name share one load."""
        in_flight = self._in_flight.get(name)
        if in_flight is None or in_flight.done():
            self._last_start = time.monotonic()
            in_flight = self._in_flight[name] = run_in_daemon_thread(load)
            # Marks its failure as handled, because possibly no call waits for it.
            in_flight.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return in_flight

    def _await_load(self, name: str, load: Callable[[], Any]) -> Any:
        """Waits for a load with a timeout, because the source may hang; at most until the call's deadline."""
        if time.monotonic() - self._last_start > _MAX_LOAD_AGE_SECONDS:
            self._abandon_hung_loads()
        in_flight = self._start_load(name, load)
        seconds = min(_MAX_WAIT_SECONDS, remaining_upstream_time())
        if not await_(asyncio.wait({in_flight}, timeout=max(0.0, seconds)))[0]:
            raise CredentialSourceError(provider="their source", error_msg="no response in time")
        if error := in_flight.exception():
            raise error.with_traceback(None)
        return in_flight.result()

    def _abandon_hung_loads(self) -> None:
        """Abandons loads in flight, with the lock that they hold, so that a new load can start."""
        if any(not load.done() for load in self._in_flight.values()):
            self._in_flight.clear()
            self._lock = threading.Lock()
            self._loaded = self._frozen = None

    def _reload(self, count: int) -> Any:
        with self._lock:
            if self.load_count == count:
                try:
                    (self._loaded, self._frozen), self.failure = self._source.load(), None
                except boto.BotoCoreError as error:
                    self.failure = error
                self.load_count += 1
            # Waiting calls share a failure too. Otherwise each of them would wait a minute for a source that is down.
            if self.failure is not None:
                raise self.failure.with_traceback(None)
            return self._loaded


def _never(refresh_in: float = 0.0) -> bool:  # noqa: ARG001 (botocore's name)
    """Returns False: credentials that never expire need no refresh."""
    return False
