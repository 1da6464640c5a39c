"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cloudfront.fixtures import aws_backend, aws_environment, cloudfront
from support.measuring import ask_only_where_greenlets_run
from support.process import EMBEDDED, FacadeProcess

__all__ = ["aws_backend", "aws_environment", "cloudfront"]

PROJECT = Path(__file__).parent.parent


def pytest_sessionstart() -> None:
    """Keeps the measuring of coverage from hanging."""
    ask_only_where_greenlets_run()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the switch of the tests that need a real AWS account."""
    parser.addoption("--run-aws", action="store_true", help="run the tests that need a real AWS account")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what needs a real AWS account, unless it is asked for: it is never part of `make test`."""
    if config.getoption("--run-aws"):
        return
    chosen = [item for item in items if not item.get_closest_marker("aws")]
    left_out = [item for item in items if item.get_closest_marker("aws")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = chosen


@pytest.fixture(scope="session")
def facade_process() -> Iterator[FacadeProcess]:
    """A server process on the embedded backend that all tests of a worker share: names must be their own."""
    with FacadeProcess(*EMBEDDED) as process:
        yield process


@pytest.fixture
def facade_address(facade_process: FacadeProcess) -> str:
    """Where that server listens, HOST:PORT."""
    return facade_process.address


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT
