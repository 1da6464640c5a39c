"""Fixtures of the tests of both backends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.clock import Clock
from support.cloudfront.credentials import CredentialSource


@pytest.fixture
def clock() -> Clock:
    """The clock of `backend`, which a test sets."""
    return Clock()


@pytest.fixture
def backend(clock: Clock) -> Iterator[EmbeddedBackend]:
    """An embedded backend in memory."""
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, clock=clock)) as backend:
        yield backend


@pytest.fixture
def source(aws_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CredentialSource:
    """The source of the AWS credentials, which a test can break."""
    return CredentialSource(tmp_path, monkeypatch)
