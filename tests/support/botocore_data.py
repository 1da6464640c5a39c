"""Loads boto3's data and the CA certificates once, which else take most of the time of a test with its own backend."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.loaders
import botocore.session
import certifi
import pytest


@pytest.fixture(scope="session", autouse=True)
def fast_boto3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Lets boto3 sessions with the same search path share parsed models, and backends trust one authority, not 150.

    The models are read-only. No test connects to a server that is trusted by default.
    """
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    authority = tmp_path_factory.mktemp("certifi") / "authority.pem"
    authority.write_text(first + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.loaders.create_loader))
        patch.setattr(certifi, "where", lambda: str(authority))
        yield
