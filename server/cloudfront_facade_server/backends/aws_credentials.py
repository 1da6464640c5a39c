"""AWS credentials that can be found later, and found anew."""

from __future__ import annotations

import threading
from typing import Any, Final

import boto3
from botocore import exceptions as boto
from botocore.credentials import Credentials

_MISCONFIGURED: Final = (
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.InvalidConfigError,
    boto.MissingDependencyException,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
)
"""What waiting does not cure: somebody has to change a file or a variable."""


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
        self.failure: boto.BotoCoreError | None = None

    def load_credentials(self) -> RenewableCredentials:
        """Gives these to the session whose credential provider they are."""
        return self

    def get_frozen_credentials(self) -> Any:
        """Gives what botocore signs the next request with.

        Raises:
            CredentialRetrievalError: the source does not answer, or answers with an error.
            BotoCoreError: the source is not set up, or not properly.
        """
        round_before, found = self.round, self._found
        if found is None:
            found = self.renew(round_before)
        try:
            return found.get_frozen_credentials()
        except Exception as error:
            failure = _not_retrieved(error)
            with self._lock:
                if self._found is found:
                    self._found, self.failure = None, failure
            raise failure from error

    def renew(self, round_before: int) -> Any:
        """Looks for credentials afresh, unless another thread did so since `round_before`; then gives what it found.

        Raises:
            CredentialRetrievalError: the source does not answer, or answers with an error.
            BotoCoreError: the source is not set up, or not properly.
        """
        with self._lock:
            if self.round == round_before:
                try:
                    self._found, self.failure = _find_credentials(self._profile), None
                except boto.BotoCoreError as error:
                    self.failure = error
                self.round += 1
            # Who waited shares a failure too: one after the other they would wait for a dead source by the minute.
            if self.failure is not None:
                raise self.failure.with_traceback(None)
            return self._found


def _find_credentials(profile: str | None) -> Any:
    try:
        found = boto3.Session(profile_name=profile).get_credentials()
        if found is not None:
            found.get_frozen_credentials()
    except _MISCONFIGURED:
        raise
    except Exception as error:
        raise _not_retrieved(error) from error
    if found is None:
        raise boto.NoCredentialsError
    return found


def _not_retrieved(error: Exception) -> boto.CredentialRetrievalError:
    """Marks as the credentials' fault what may look like an answer of CloudFront: a time-out or refusal of STS."""
    reason = type(error).__name__
    if isinstance(error, boto.ClientError):
        reason = f"{error.operation_name} answered {error.response.get('Error', {}).get('Code')}"
    return boto.CredentialRetrievalError(provider="their source", error_msg=reason)
