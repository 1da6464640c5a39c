"""A server with the default settings, in front of the double."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, running_facade


@pytest.fixture
def facade(cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]) -> Iterator[Facade]:
    with running_facade(aws_backend(cloudfront)) as running:
        yield running
