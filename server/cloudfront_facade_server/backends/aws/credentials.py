"""AWS credentials that can be found later, and found anew."""

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
"""What waiting does not cure: somebody has to change a file or a variable."""


_LAST_SECONDS: Final = 600.0
"""When so little is left of credentials, they are renewed before they are used: botocore's own limit."""

_PAUSE_SECONDS: Final = 10.0
"""Between two searches that nobody waits for."""

_GIVEN_UP_SECONDS: Final = 60.0
"""How old a search may be that calls wait for: botocore's own, with its tries, end before."""

_SEARCH_SECONDS: Final = 10.0
"""How long a call waits for credentials that are being looked for: well within the deadline of most."""


class RenewableCredentials(Credentials):  # type: ignore[misc]  # botocore has no types
    """Credentials that are found when they are first needed, and found anew on demand.

    boto3 looks for credentials when a client is made and holds on to what it finds until that expires by its own clock.
    With these in between, clients can be made while the source is silent, a rotated file is read again, and all clients
    of a process change over at once. Each finding takes a session of its own, for a session remembers the old ones.

    Args:
        profile: the profile of the AWS config file; None for the environment's choice.

    Attributes:
        round: how often credentials have been looked for.
        failure: what the last look, or the last renewal by botocore, failed with; None where it did not.
    """

    def __init__(self, profile: str | None) -> None:
        super().__init__(access_key="", secret_key="", method="cloudfront-facade")
        self._profile = profile
        self._lock = threading.Lock()
        self.round = 0
        self._found: Any = None
        self._frozen: Any = None
        self._under_way: dict[str, asyncio.Future[Any]] = {}
        self._begun_at = float("-inf")
        self.failure: boto.BotoCoreError | None = None

    def load_credentials(self) -> RenewableCredentials:
        """Gives these to the session whose credential provider they are."""
        return self

    def get_frozen_credentials(self) -> Any:
        """Gives what botocore signs the next request with. The loop goes on while they are looked for.

        Those that are good for some minutes yet are renewed meanwhile, and used.

        Raises:
            CredentialRetrievalError: the source does not answer in time, or answers with an error.
            BotoCoreError: the source is not set up, or not properly.
        """
        found, frozen = self._found, self._frozen
        if found is None or frozen is None:
            return self._off_loop("find", self.find)
        refresh_needed: Callable[..., bool] = getattr(found, "refresh_needed", _never)
        if refresh_needed(refresh_in=_LAST_SECONDS):
            return self._off_loop("find", self.find)
        if refresh_needed() and time.monotonic() - self._begun_at > _PAUSE_SECONDS:
            self._begin("find", self.find)
        return frozen

    def find(self) -> Any:
        """Gives the same, and blocks while they are looked for: a minute, or for ever.

        Raises:
            CredentialRetrievalError: the source does not answer, or answers with an error.
            BotoCoreError: the source is not set up, or not properly.
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
        """Looks for credentials afresh, unless another call did so since `round_before`; then gives what it found.

        Raises:
            CredentialRetrievalError: the source does not answer, or answers with an error.
            BotoCoreError: the source is not set up, or not properly.
        """
        return self._off_loop("renew", lambda: self._renew(round_before))

    def _begin(self, name: str, search: Callable[[], Any]) -> asyncio.Future[Any]:
        """Searches in a thread, one for all calls that want the same."""
        in_flight = self._under_way.get(name)
        if in_flight is None or in_flight.done():
            self._begun_at = time.monotonic()
            in_flight = self._under_way[name] = run_in_daemon_thread(search)
            # Its failure is told to those who wait for it, and there may be nobody.
            in_flight.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return in_flight

    def _off_loop(self, name: str, search: Callable[[], Any]) -> Any:
        """Waits for a search; not for ever, for its source may hang, and not longer than the call may."""
        if time.monotonic() - self._begun_at > _GIVEN_UP_SECONDS:
            self._give_up()
        in_flight = self._begin(name, search)
        seconds = min(_SEARCH_SECONDS, remaining_upstream_time())
        if not await_(asyncio.wait({in_flight}, timeout=max(0.0, seconds)))[0]:
            raise boto.CredentialRetrievalError(provider="their source", error_msg="no answer in time")
        if error := in_flight.exception():
            raise error.with_traceback(None)
        return in_flight.result()

    def _give_up(self) -> None:
        """Leaves searches that hang to themselves, with what they hold: the next one begins anew."""
        if any(not search.done() for search in self._under_way.values()):
            self._under_way.clear()
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
            # Who waited shares a failure too: one after the other they would wait for a dead source by the minute.
            if self.failure is not None:
                raise self.failure.with_traceback(None)
            return self._found


def _never(refresh_in: float = 0.0) -> bool:  # noqa: ARG001 (botocore's name)
    """Tells that credentials without an end need no refresh."""
    return False


def _find_credentials(profile: str | None) -> tuple[Any, Any]:
    """Finds credentials, and what they sign with now."""
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
    """Gives credentials whose key and token a header can carry; raises InvalidConfigError for others."""
    if not all(part.isascii() and part.isprintable() for part in (frozen.access_key, frozen.token or "")):
        raise boto.InvalidConfigError(
            error_msg="the AWS access key or session token has a line break or another character that none can have"
        )
    return frozen


def _not_retrieved(error: Exception) -> boto.CredentialRetrievalError:
    """Marks as the credentials' fault what may look like an answer of CloudFront: a time-out or refusal of STS."""
    reason = type(error).__name__
    if isinstance(error, boto.ClientError):
        reason = f"{error.operation_name} answered {error.response.get('Error', {}).get('Code')}"
    return boto.CredentialRetrievalError(provider="their source", error_msg=reason)
