"""Fixtures of the wire tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.moto import moto_server
from wire.complete_cloudfront import complete_cloudfront, plain_boto3
from wire.side_by_side import side_by_side

__all__ = ["complete_cloudfront", "plain_boto3", "side_by_side"]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The URL of moto, an independent implementation of CloudFront."""
    with moto_server() as url:
        yield url
