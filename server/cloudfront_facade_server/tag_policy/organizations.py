"""Fetches the effective tag policy of the service's account from AWS Organizations."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from botocore import exceptions as boto

from ..errors.violations import quote
from ..watched_files import Content, UnusableFilesError, WatchedFiles
from .file import WHAT, load
from .rules import TagPolicy

REFRESH_SECONDS: Final = 300.0
"""How long a fetched policy is used before it is fetched again."""

RETRY_SECONDS: Final = 30.0
"""Time between two attempts while the policy cannot be fetched."""

SOURCE: Final = "AWS Organizations"
"""What the policy comes from, for the log."""

_NOT_FOUND: Final = "EffectivePolicyNotFoundException"
_TYPE: Final = "TAG_POLICY"

_MEANINGS: Final = {
    "AccessDeniedException": "the service's role is not allowed to; it needs organizations:DescribeEffectivePolicy",
    "AWSOrganizationsNotInUseException": "the account belongs to no organization; use --tag-policy FILE",
    "ConstraintViolationException": "the organization's settings do not allow it",
    "ServiceException": "AWS failed; the service tries again",
    "TooManyRequestsException": "too many requests; the service tries again",
    "UnsupportedAPIEndpointException": "this endpoint does not support it; use --tag-policy FILE",
    "ExpiredTokenException": "the service's credentials have expired",
    "UnrecognizedClientException": "AWS does not accept the service's credentials",
    "InvalidSignatureException": "AWS does not accept the service's credentials",
}

ClientFactory = Callable[[], Any]
"""Returns a boto3 client for `organizations` with the service's credentials, short timeouts and no hidden retries."""


def watched_organizations(
    make_client: ClientFactory, *, apply_all: bool, clock: Callable[[], float] = time.monotonic
) -> WatchedFiles[TagPolicy]:
    """Returns the account's tag policy, which is fetched again every few minutes. The last good one stays in force.

    Each look may wait for AWS, so the policy is watched by a separate `watch`, not together with files.

    Args:
        make_client: Returns the client. Called in a thread.
        apply_all: Whether each rule holds for functions and stores, whatever types of resources it names.
        clock: A monotonic clock, in seconds.

    Raises:
        UnusableFilesError: The policy cannot be fetched, or is not an effective tag policy.
    """
    return WatchedFiles(WHAT, OrganizationsPolicy(make_client, clock).read, partial(load, apply_all=apply_all))


class OrganizationsPolicy:
    """Fetches a policy, not more often than necessary.

    Args:
        make_client: Returns the client.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, make_client: ClientFactory, clock: Callable[[], float] = time.monotonic) -> None:
        self._make_client = make_client
        self._clock = clock
        self._client: Any = None
        self._next = float("-inf")
        self._content: Content = {}
        self._problem = ""

    def read(self) -> Content:
        """Returns the policy; empty if the account has none.

        Raises:
            UnusableFilesError: The latest attempt failed.
        """
        if self._clock() >= self._next:
            try:
                self._content, self._problem = self._fetch(), ""
            except UnusableFilesError as error:
                self._problem = str(error)
            self._next = self._clock() + (RETRY_SECONDS if self._problem else REFRESH_SECONDS)
        if self._problem:
            raise UnusableFilesError(self._problem)
        return self._content

    def _fetch(self) -> Content:
        try:
            self._client = self._client or self._make_client()
            response = self._client.describe_effective_policy(PolicyType=_TYPE)
            document = response["EffectivePolicy"]["PolicyContent"]
            return {SOURCE: document.encode()}
        except boto.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == _NOT_FOUND:
                return {}
            problem = _MEANINGS.get(code, f"AWS returned the error {quote(code)}")
        except (boto.NoCredentialsError, boto.CredentialRetrievalError):
            problem = "the service has no AWS credentials"
        except boto.HTTPClientError:
            problem = "AWS cannot be reached; the service tries again"
        except Exception as error:  # noqa: BLE001 (the text may have an account id, and looking must continue)
            problem = f"the response cannot be used ({type(error).__name__})"
        raise UnusableFilesError(f"{SOURCE}: the effective tag policy cannot be fetched: {problem}")
