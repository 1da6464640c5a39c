"""Both distributions, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.distributions import Built, build


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Built:
    """The distribution cloudfront-facade."""
    return build(project / "clients" / "python", "cloudfront_facade", tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Built:
    """The distribution cloudfront-facade-server."""
    return build(project / "server", "cloudfront_facade_server", tmp_path_factory.mktemp("server"))


@pytest.fixture(params=["client", "server"])
def built(request: pytest.FixtureRequest) -> Built:
    """Each of the two distributions."""
    distribution: Built = request.getfixturevalue(request.param)
    return distribution
