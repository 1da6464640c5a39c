"""The AWS backend with the default settings of `serve`."""

from __future__ import annotations

from typing import Any

from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.settings.serve import ServeSettings


def new_aws_backend(endpoint_url: str | None = None, **arguments: Any) -> AwsBackend:
    """Creates a backend; `arguments` override the default settings."""
    settings = ServeSettings(backend="aws")
    defaults: dict[str, Any] = {
        "region": settings.region,
        "connect_timeout": settings.connect_timeout,
        "read_timeout": settings.read_timeout,
        "short_timeout": settings.settle_read_timeout(),
    }
    return AwsBackend(endpoint_url=endpoint_url, **defaults | arguments)
