"""Says in words why credentials could not be loaded.

The texts of botocore are not used, because they may quote the output of a process or the response of an endpoint.
"""

from __future__ import annotations

import logging
import re
from typing import Final
from urllib.parse import urlsplit

from botocore import exceptions as boto

_SOURCES: Final = {
    "custom-process": "the credential_process failed, or printed something else than credentials",
    "container-role": "the container's credentials endpoint does not respond, or returned an error",
    "Ec2InstanceMetadata": 'the profile\'s credential_source "Ec2InstanceMetadata" has no credentials',
}
"""What failed, by botocore's name for the source."""

_WITHOUT_VARIABLES: Final = ("Environment", "EcsContainer")
"""The values of credential_source that read environment variables."""

_PARAMETER = re.compile(r"parameter (\w+)")


def has_no_variables(error: Exception) -> bool:
    """Returns whether a profile's credential_source needs environment variables that are not set."""
    return isinstance(error, boto.CredentialRetrievalError) and error.kwargs.get("provider") in _WITHOUT_VARIABLES


def in_words(error: Exception) -> str:
    """Returns why a source has no credentials, and what to do, for the operator."""
    match error:
        case boto.SSOTokenLoadError():
            return 'there is no SSO token; run "aws sso login"'
        case boto.SSOError() | boto.TokenRetrievalError():
            return 'the SSO session has expired; run "aws sso login"'
        case boto.LoginError():
            return 'the login session is missing or has expired; run "aws login"'
        case boto.ClientError():
            return f"{error.operation_name} returned {error.response.get('Error', {}).get('Code')}"
        case boto.ParamValidationError():
            return _invalid_parameter(str(error))
        case boto.CredentialRetrievalError():
            source = str(error.kwargs.get("provider"))
            return _SOURCES.get(source, f'the source "{source}" returned no credentials')
        case boto.MetadataRetrievalError():
            return "the metadata endpoint does not respond, or returned something else than credentials"
        case boto.HTTPClientError() | boto.ConnectionError():
            return f"no response from {_host(error) or 'the source'}"
        case KeyError():
            return "the response of the source lacks a member"
        case ValueError() | TypeError() | AttributeError():
            return "the response of the source cannot be parsed"
        case OSError(filename=str(name)):
            return f"cannot read or run {name}: {error.strerror}"
    return f"the source failed unexpectedly ({type(error).__name__})"


def describe_refresh_failure(record: logging.LogRecord) -> bool:
    """Filters botocore's warnings about refreshes: keeps those that no exception reports, in words."""
    error = record.exc_info[1] if record.exc_info else None
    if record.args == ("mandatory",):
        return False
    if isinstance(error, Exception):
        record.msg, record.args = f"Refreshing temporary credentials failed: {in_words(error)}", ()
    record.exc_info = None
    return True


def _invalid_parameter(report: str) -> str:
    names = _PARAMETER.findall(report)
    if "WebIdentityToken" in names:
        return "the web identity token file is empty or too short"
    return f"the role's configuration is invalid: {', '.join(names) or 'a parameter'}"


def _host(error: Exception) -> str:
    return urlsplit(str(getattr(error, "kwargs", {}).get("endpoint_url", ""))).netloc
