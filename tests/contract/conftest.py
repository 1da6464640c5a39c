"""Fixtures that run each test on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from cloudfront_facade_server.backends.protocol import Backend
from contract.backends import NAMES, Backends, Pool, embedded


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with closing(Pool()) as pool:
        yield pool


@pytest.fixture(params=NAMES)
def backends(request: pytest.FixtureRequest, aws_environment: None, pool: Pool) -> Iterator[Backends]:
    """Opens empty backends of one kind, as in `backends(provisioning_seconds=60)`."""
    opening = {"embedded": embedded, "aws": pool.aws}[request.param]
    with ExitStack() as stack:

        def open_one(*, provisioning_seconds: float = 0.0, max_functions: int = 100, max_stores: int = 100) -> Backend:
            numbers = {"max_functions": max_functions, "max_stores": max_stores}
            return stack.enter_context(opening(provisioning_seconds=provisioning_seconds, **numbers))

        yield open_one


@pytest.fixture
def backend(backends: Backends) -> Backend:
    """An empty backend."""
    return backends()
