"""Checks before the first request that requests have an endpoint, and finds variables that do not change it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from botocore.awsrequest import AWSResponse

from ...errors.aws_codes import NO_ENDPOINT

_ANY_STORE: Final = "arn:aws:cloudfront::000000000000:key-value-store/00000000-0000-0000-0000-000000000000"

_IGNORED: Final = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDFRONT", "AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE")


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


def ignored_variables() -> list[str]:
    """Returns the variables that set an endpoint for CloudFront in other programs, and are not used here."""
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return []
    return [name for name in _IGNORED if os.environ.get(name)]


def _resolve(client: Any, operation: Callable[..., Any], **arguments: Any) -> None:
    """Calls an operation up to the point where botocore would sign and send."""

    def stop(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse(params["url"], 200, {}, None), {}

    client.meta.events.register_first("before-call", stop)
    try:
        operation(**arguments)
    finally:
        client.meta.events.unregister("before-call", stop)
