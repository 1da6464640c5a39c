"""Where AWS credentials come from: boto3's usual places, and a role that is assumed with what they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NoReturn

import botocore.session
from botocore import exceptions as boto
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

from ...errors.aws_codes import MISCONFIGURED, CredentialSourceError
from .credential_failures import has_no_variables, in_words

_PERMANENT_ERRORS: Final = (
    *MISCONFIGURED,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
)
"""Errors that a retry does not fix: somebody has to change a file or a variable."""

_SESSION_NAME: Final = "cloudfront-facade"
"""The name of the role's session, which AWS CloudTrail shows."""


@dataclass(frozen=True)
class CredentialSource:
    """Loads credentials.

    Roles are assumed at the STS endpoint of the region, because CloudFront's data plane rejects the tokens of the
    global one. Neither AWS_REGION, AWS_DEFAULT_REGION, AWS_STS_REGIONAL_ENDPOINTS, AWS_ENDPOINT_URL, its variants for
    services, nor a profile changes that.

    Attributes:
        region: The region whose STS endpoint is used.
        profile: The profile of the AWS config file; None for the environment's choice.
        role_arn: The role to assume with the credentials that were found; None for those credentials themselves.
        external_id: The external id that the role requires; None for none.
    """

    region: str
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None

    def load(self) -> tuple[Any, Any]:
        """Returns new credentials, and what they sign with now. Blocks until the source responds.

        Raises:
            CredentialSourceError: The source does not respond, or responds with an error.
            BotoCoreError: The source is not configured, or its configuration is invalid.
        """
        try:
            loaded = self._find()
            frozen = checked(loaded.get_frozen_credentials()) if loaded else None
        except _PERMANENT_ERRORS:
            raise
        except Exception as error:
            raise retrieval_error(error) from error
        if frozen is None:
            raise boto.NoCredentialsError
        return loaded, frozen

    def new_session(self) -> Any:
        """Returns a new botocore session of the profile, whose requests go to the region's STS endpoint."""
        session = botocore.session.Session(profile=self.profile)
        session.set_config_variable("region", self.region)
        session.set_config_variable("sts_regional_endpoints", "regional")
        session.set_config_variable("ignore_configured_endpoint_urls", True)
        return session

    def _find(self) -> Any:
        session = self.new_session()
        providers = session.get_component("credential_provider")
        # botocore has no public way to replace its prompt, which would wait for a terminal.
        providers.get_provider("assume-role")._prompter = _reject_mfa  # noqa: SLF001
        found = session.get_credentials()
        return self._assumed(session, found) if found and self.role_arn else found

    def _assumed(self, session: Any, base: Any) -> Any:
        """Returns the credentials of the role, which are refreshed before they expire, with fresh base credentials."""
        arguments = {"RoleSessionName": _SESSION_NAME, **({"ExternalId": self.external_id} if self.external_id else {})}
        fetcher = AssumeRoleCredentialFetcher(session.create_client, base, self.role_arn, arguments)
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def checked(frozen: Any) -> Any:
    """Returns credentials whose key and token are valid in a header; raises InvalidConfigError for others."""
    if not all(part.isascii() and part.isprintable() for part in (frozen.access_key, frozen.token or "")):
        raise boto.InvalidConfigError(
            error_msg="the AWS access key or session token contains a line break or another invalid character"
        )
    return frozen


def retrieval_error(error: Exception) -> boto.BotoCoreError:
    """Converts an error of the source, so that an error of STS, for example, is not mistaken for one of CloudFront."""
    if isinstance(error, CredentialSourceError):
        return error
    if has_no_variables(error):
        source = error.kwargs["provider"]  # type: ignore[attr-defined]  # botocore has no types
        return boto.InvalidConfigError(error_msg=f'credential_source "{source}" needs variables that are not set')
    return CredentialSourceError(provider="their source", error_msg=in_words(error))


def _reject_mfa(_prompt: str) -> NoReturn:
    raise boto.InvalidConfigError(
        error_msg="the profile has an mfa_serial, and nobody can enter its code here; use a role without MFA"
    )
