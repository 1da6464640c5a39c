"""Checks before the first request that requests have an endpoint, and finds variables that do not change it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, Final

from botocore.awsrequest import AWSResponse

from ...errors.aws_codes import NO_ENDPOINT
from .credential_source import CredentialSource

_ANY_STORE: Final = "arn:aws:cloudfront::000000000000:key-value-store/00000000-0000-0000-0000-000000000000"

_VARIABLE: Final = re.compile("AWS_ENDPOINT_URL(_.+)?")
_MEMBER: Final = "endpoint_url"


def check_control_plane(client: Any) -> None:
    """Raises botocore's exception if its configuration leads to no endpoint of CloudFront."""
    _resolve(client, client.list_functions)


def data_plane_problem(client: Any) -> str:
    """Returns botocore's sentence if its configuration leads to no endpoint of the data plane, otherwise empty.

    It has no endpoint with FIPS, or in another partition than `aws`. The control plane may work all the same.
    """
    try:
        _resolve(client, client.describe_key_value_store, KvsARN=_ANY_STORE)
    except NO_ENDPOINT as error:
        return " ".join(str(error).split())
    return ""


def ignored_settings(source: CredentialSource) -> list[str]:
    """Returns the variables and members of the profile that set an endpoint in other programs, and are not used here.

    An endpoint of STS is not used either, because a signed request must reach no other host than that of the region.
    """
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return []
    variables = sorted(name for name, value in os.environ.items() if value and _VARIABLE.fullmatch(name))
    session = source.new_session()
    profile = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(profile.get("services", ""), {})
    members = [_MEMBER] if _MEMBER in profile else []
    members += [f"{_MEMBER} of {name}" for name, values in services.items() if _MEMBER in values]
    return [*variables, *(f"{member} in the AWS config file" for member in members)]


def _resolve(client: Any, operation: Callable[..., Any], **arguments: Any) -> None:
    """Calls an operation up to the point where botocore would sign and send."""

    def stop(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse(params["url"], 200, {}, None), {}

    client.meta.events.register_first("before-call", stop)
    try:
        operation(**arguments)
    finally:
        client.meta.events.unregister("before-call", stop)
