"""The layers that `make lint` enforces with import-linter."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from support.tools import require_tool

PACKAGE = "server/cloudfront_facade_server"


@pytest.fixture
def checkout(project: Path, tmp_path: Path) -> Path:
    """A copy of the packages and of the contracts."""
    for name in ("server", "clients/python"):
        shutil.copytree(project / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(project / ".importlinter", tmp_path)
    return tmp_path


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Runs import-linter on a checkout."""
    return subprocess.run(
        [require_tool("lint-imports"), "--no-cache", "--no-logo"],
        cwd=checkout,
        env={"PYTHONPATH": f"{checkout}/server:{checkout}/clients/python", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_code_respects_the_layers(checkout: Path) -> None:
    completed = lint(checkout)

    assert completed.returncode == 0, completed.stdout


@pytest.mark.parametrize("name", ["unlisted.py", "unlisted/__init__.py"])
def test_a_module_that_no_layer_lists_fails(checkout: Path, name: str) -> None:
    added = checkout / PACKAGE / name
    added.parent.mkdir(exist_ok=True)
    added.write_text("")

    completed = lint(checkout)

    assert completed.returncode == 1
    assert "- cloudfront_facade_server.unlisted" in completed.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("services/tag_service.py", "from ..grpc_server import dispatcher"),
        ("translation/common.py", "import grpc"),
        ("backends/embedded/tags.py", "from cloudfront_facade.v1 import tag_pb2"),
        ("backends/aws/backend.py", "from ..embedded import EmbeddedBackend"),
        ("function_runtime/model.py", "from .. import limits"),
        ("sanity/tags.py", "from ..errors import status_error"),
    ],
)
def test_an_import_of_a_higher_layer_fails(checkout: Path, module: str, line: str) -> None:
    path = checkout / PACKAGE / module
    path.write_text(path.read_text().replace("from __future__ import annotations\n", f"\n{line}\n", 1))

    completed = lint(checkout)

    assert completed.returncode == 1
    assert "BROKEN" in completed.stdout
