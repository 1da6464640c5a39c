"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.botocore_data import fast_boto3
from support.cloudfront.fixtures import aws_backend, aws_environment, cloudfront
from support.coverage_of_greenlets import track_greenlets_only_where_they_run
from support.process import EMBEDDED, FacadeProcess

__all__ = ["aws_backend", "aws_environment", "cloudfront", "fast_boto3"]

PROJECT = Path(__file__).parent.parent
TESTS = PROJECT / "tests"
FLOODS = TESTS / "faults" / "hostile", TESTS / "faults" / "test_overload.py"
HEAVY = (
    *FLOODS,
    *(TESTS / name for name in ("clients_node", "docs", "end_to_end", "examples", "fuzz", "packaging", "soak", "wire")),
)
"""Tests that run without coverage, which would double the time of each call."""


def pytest_sessionstart() -> None:
    """Works around a hang of coverage in Python 3.11."""
    track_greenlets_only_where_they_run()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the flag for tests that need a real AWS account."""
    parser.addoption("--run-aws", action="store_true", help="run the tests that need a real AWS account")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks heavy tests, groups floods, and deselects tests that need a real AWS account, unless --run-aws is set."""
    for item in items:
        if any(item.path.is_relative_to(path) for path in HEAVY):
            item.add_marker("heavy")
        # Floods are not run at the same time, because each of them takes a processor.
        if any(item.path.is_relative_to(path) for path in FLOODS):
            item.add_marker(pytest.mark.xdist_group("floods"))
    if config.getoption("--run-aws"):
        return
    selected = [item for item in items if not item.get_closest_marker("aws")]
    deselected = [item for item in items if item.get_closest_marker("aws")]
    config.hook.pytest_deselected(items=deselected)
    items[:] = selected


@pytest.fixture(autouse=True)
def unmeasured_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts the processes of the fault tests without coverage, because these tests measure time."""
    if request.path.is_relative_to(TESTS / "faults"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(scope="session")
def facade_process() -> Iterator[FacadeProcess]:
    """A server on the embedded backend, shared by all tests of a worker, so names must be unique."""
    with FacadeProcess(*EMBEDDED) as process:
        yield process


@pytest.fixture
def facade_address(facade_process: FacadeProcess) -> str:
    """The address of that server, HOST:PORT."""
    return facade_process.address


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return PROJECT
