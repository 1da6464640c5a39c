"""Fixtures: a CloudFront double and the AWS backend on it, isolated from this machine's AWS configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final

import pytest

from cloudfront_facade_server.backends.aws import AwsBackend

from ..aws_backend import new_aws_backend
from ..event_loop import waiting
from .http import CloudFrontDouble

AWS_VARIABLES: Final = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "an-example-of-a-secret-key",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""The complete AWS configuration of a test process and its children."""

_OF_HTTP_CLIENTS: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle")


def isolate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces this machine's AWS configuration, proxies and certificates with example credentials."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower() in _OF_HTTP_CLIENTS:
            monkeypatch.delenv(name)
    for name, value in AWS_VARIABLES.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with example credentials, without this machine's AWS configuration, proxies and certificates."""
    isolate(monkeypatch)


@pytest.fixture
def cloudfront() -> Iterator[CloudFrontDouble]:
    """An empty CloudFront on loopback."""
    with CloudFrontDouble() as double:
        yield double


@pytest.fixture
def aws_backend(aws_environment: None) -> Iterator[Callable[..., AwsBackend]]:
    """Opens AWS backends on a double, as in `aws_backend(cloudfront, read_timeout=1)`, and closes them at the end."""
    with ExitStack() as stack:

        def make(double: CloudFrontDouble, **arguments: Any) -> AwsBackend:
            backend = waiting(new_aws_backend(endpoint_url=double.url, **arguments))
            stack.callback(backend.close)
            return backend

        yield make
