"""AWS credentials that are loaded when they are needed, and can be loaded again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore import exceptions as boto
from botocore.credentials import Credentials

from ...call_context import remaining_upstream_time
from ...concurrency.greenlets import await_, run_in_daemon_thread
from ...errors.aws_codes import MISCONFIGURED

_MISCONFIGURED: Final = (
    *MISCONFIGURED,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
)
"""Errors that a retry does not fix: somebody has to change a file or a variable."""


_MANDATORY_REFRESH_SECONDS: Final = 600.0
"""Credentials that expire within this time are refreshed before they are used: botocore's own limit."""

_BACKGROUND_INTERVAL_SECONDS: Final = 10.0
"""Minimum time between two background refreshes."""

_MAX_LOAD_AGE_SECONDS: Final = 60.0
"""A load in flight that is older has hung: botocore's own loads end before, retries included."""

_MAX_WAIT_SECONDS: Final = 10.0
"""How long a call waits for credentials that are being loaded: well within most deadlines."""


class RenewableCredentials(Credentials):  # type: ignore[misc]  # botocore has no types
    """Credentials that are loaded when they are first needed, and loaded again on demand.

    boto3 loads credentials when a client is made and keeps them until they expire by its own clock. With this class in
    between, clients can be made while the source is silent, a rotated file is read again, and all clients of a process
    switch at once. Every load uses a new session, because a session caches the old credentials.

    Args:
        profile: The profile of the AWS config file; None for the environment's choice.

    Attributes:
        round: How often credentials have been loaded.
        failure: Why the last load, or the last refresh by botocore, failed; None if it succeeded.
    """

    def __init__(self, profile: str | None) -> None:
        super().__init__(access_key="", secret_key="", method="cloudfront-facade")
        self._profile = profile
        self._lock = threading.Lock()
        self.round = 0
        self._found: Any = None
        self._frozen: Any = None
        self._in_flight: dict[str, asyncio.Future[Any]] = {}
        self._begun_at = float("-inf")
        self.failure: boto.BotoCoreError | None = None

    def load_credentials(self) -> RenewableCredentials:
        """Returns these credentials to the session whose credential provider they are."""
        return self

    def get_frozen_credentials(self) -> Any:
        """Returns what botocore signs the next request with. The event loop keeps running while it is loaded.

        Credentials that are valid for some more minutes are used, and refreshed in the background.

        Raises:
            CredentialRetrievalError: The source does not respond in time or responds with an error.
            BotoCoreError: The source is not configured, or not correctly.
        """
        found, frozen = self._found, self._frozen
        if found is None or frozen is None:
            return self._off_loop("find", self.find)
        refresh_needed: Callable[..., bool] = getattr(found, "refresh_needed", _never)
        if refresh_needed(refresh_in=_MANDATORY_REFRESH_SECONDS):
            return self._off_loop("find", self.find)
        if refresh_needed() and time.monotonic() - self._begun_at > _BACKGROUND_INTERVAL_SECONDS:
            self._begin("find", self.find)
        return frozen

    def find(self) -> Any:
        """Returns the same, but blocks while it is loaded: a minute, or without limit.

        Raises:
            CredentialRetrievalError: The source does not respond or responds with an error.
            BotoCoreError: The source is not configured, or not correctly.
        """
        round_before, found = self.round, self._found
        if found is None:
            found = self._renew(round_before)
        try:
            frozen = _fit_for_headers(found.get_frozen_credentials())
        except Exception as error:
            failure = _not_retrieved(error)
            with self._lock:
                if self._found is found:
                    self._found, self._frozen, self.failure = None, None, failure
            raise failure from error
        with self._lock:
            if self._found is found:
                self._frozen = frozen
        return frozen

    def renew(self, round_before: int) -> Any:
        """Loads new credentials, unless another call did so since `round_before`; returns them.

        Raises:
            CredentialRetrievalError: The source does not respond or responds with an error.
            BotoCoreError: The source is not configured, or not correctly.
        """
        return self._off_loop("renew", lambda: self._renew(round_before))

    def _begin(self, name: str, load: Callable[[], Any]) -> asyncio.Future[Any]:
        """Loads in a thread, single-flight: all calls of the same name share one."""
        in_flight = self._in_flight.get(name)
        if in_flight is None or in_flight.done():
            self._begun_at = time.monotonic()
            in_flight = self._in_flight[name] = run_in_daemon_thread(load)
            # Its failure is raised in the calls that wait for it, if there are any.
            in_flight.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return in_flight

    def _off_loop(self, name: str, load: Callable[[], Any]) -> Any:
        """Waits for a load with a timeout, because the source may hang, and not longer than the call may take."""
        if time.monotonic() - self._begun_at > _MAX_LOAD_AGE_SECONDS:
            self._give_up()
        in_flight = self._begin(name, load)
        seconds = min(_MAX_WAIT_SECONDS, remaining_upstream_time())
        if not await_(asyncio.wait({in_flight}, timeout=max(0.0, seconds)))[0]:
            raise boto.CredentialRetrievalError(provider="their source", error_msg="no response in time")
        if error := in_flight.exception():
            raise error.with_traceback(None)
        return in_flight.result()

    def _give_up(self) -> None:
        """Abandons loads that hang, with the lock that they hold, so that the next load can start."""
        if any(not load.done() for load in self._in_flight.values()):
            self._in_flight.clear()
            self._lock = threading.Lock()
            self._found = self._frozen = None

    def _renew(self, round_before: int) -> Any:
        with self._lock:
            if self.round == round_before:
                try:
                    (self._found, self._frozen), self.failure = _find_credentials(self._profile), None
                except boto.BotoCoreError as error:
                    self.failure = error
                self.round += 1
            # Waiting calls share a failure too. Otherwise each of them would wait a minute for a dead source in turn.
            if self.failure is not None:
                raise self.failure.with_traceback(None)
            return self._found


def _never(refresh_in: float = 0.0) -> bool:  # noqa: ARG001 (botocore's name)
    """Returns False: credentials that never expire need no refresh."""
    return False


def _find_credentials(profile: str | None) -> tuple[Any, Any]:
    """Loads credentials; returns them and what they sign with now."""
    try:
        found = boto3.Session(profile_name=profile).get_credentials()
        frozen = _fit_for_headers(found.get_frozen_credentials()) if found else None
    except _MISCONFIGURED:
        raise
    except Exception as error:
        raise _not_retrieved(error) from error
    if frozen is None:
        raise boto.NoCredentialsError
    return found, frozen


def _fit_for_headers(frozen: Any) -> Any:
    """Returns credentials if a header can carry their key and token; otherwise raises InvalidConfigError."""
    if not all(part.isascii() and part.isprintable() for part in (frozen.access_key, frozen.token or "")):
        raise boto.InvalidConfigError(
            error_msg="the AWS access key or session token contains a line break or another invalid character"
        )
    return frozen


def _not_retrieved(error: Exception) -> boto.CredentialRetrievalError:
    """Returns an error of the credentials for one that looks like CloudFront's, such as a timeout or error of STS."""
    reason = type(error).__name__
    if isinstance(error, boto.ClientError):
        reason = f"{error.operation_name} returned {error.response.get('Error', {}).get('Code')}"
    return boto.CredentialRetrievalError(provider="their source", error_msg=reason)
