"""A server with short timeouts for tests of creates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cloudfront_facade_server.backends.aws import AwsBackend
from support.facade import Facade, running_facade

MakeBackend = Callable[..., AwsBackend]


@contextmanager
def facade_on(double: Any, aws_backend: MakeBackend, **settings: Any) -> Iterator[Facade]:
    """Runs a server in front of a double that waits half a second for a response."""
    backend = aws_backend(double, read_timeout=0.5)
    with running_facade(backend, read_timeout=0.5, **settings) as facade:
        yield facade
