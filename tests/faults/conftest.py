"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cloudfront_facade_server.backends.aws import AwsBackend
from faults.changing import Replica, created, facade, store
from faults.lagging import at
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, running_facade

__all__ = ["at", "created", "facade", "store"]


@pytest.fixture
def replica(cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]) -> Replica:
    """Runs servers in front of the double; takes the timeouts of the backend and the settings of `serve`."""

    @contextmanager
    def run(*, timeout: float = 0.5, short_timeout: float = 0.5, **settings: Any) -> Iterator[Facade]:
        backend = aws_backend(cloudfront, read_timeout=timeout, short_timeout=short_timeout)
        with running_facade(backend, read_timeout=0.5, **settings) as facade:
            yield facade

    return run
