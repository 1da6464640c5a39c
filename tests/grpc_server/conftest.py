"""Fixtures of the gRPC server's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.certificates import write_certificates
from support.facade import Facade, running_facade
from support.key_writes import SlowKeyWrites


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Certificates and keys, as `write_certificates` returns them."""
    return write_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def backend() -> SlowKeyWrites:
    """The backend of `facade`."""
    return SlowKeyWrites()


@pytest.fixture
def facade(backend: SlowKeyWrites) -> Iterator[Facade]:
    """A running server with that backend."""
    with running_facade(backend) as facade:
        yield facade


@pytest.fixture
def arn(facade: Facade) -> str:
    """The ARN of an empty key value store of that server."""
    created = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
    return created.key_value_store.arn
