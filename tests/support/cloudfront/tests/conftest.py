"""Fixtures of the tests of the double."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import plain_client


@pytest.fixture
def client(cloudfront: CloudFrontDouble) -> Iterator[Any]:
    """Plain boto3 with a short timeout and without retries."""
    with plain_client(cloudfront.url, retries={"total_max_attempts": 1}, read_timeout=0.5) as plain:
        yield plain
