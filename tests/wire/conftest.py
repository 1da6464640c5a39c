"""Fixtures of the wire tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from wire.complete_cloudfront import complete_cloudfront, plain_boto3
from wire.side_by_side import side_by_side

__all__ = ["complete_cloudfront", "plain_boto3", "side_by_side"]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The URL of moto, an independent implementation of CloudFront."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
