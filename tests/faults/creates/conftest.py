"""Fixtures of the tests of creates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.creating import MakeBackend, facade_on
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade


@pytest.fixture
def facade(cloudfront: CloudFrontDouble, aws_backend: MakeBackend) -> Iterator[Facade]:
    """A server in front of the double."""
    with facade_on(cloudfront, aws_backend) as running:
        yield running
