"""The embedded backend as most of its tests use it: in memory, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend(clock: Clock) -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, clock=clock)) as backend:
        yield backend
