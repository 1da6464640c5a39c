"""The example `walk_through.py`, run as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cloudfront_facade import connect
from cloudfront_facade.jobs import list_functions, list_key_value_stores
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.facade import running_facade
from support.process import clean_environment

EXAMPLE = Path(__file__).parents[2] / "clients" / "python" / "examples" / "walk_through.py"


def walk(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLE), address],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def remaining_names(address: str) -> list[str]:
    with connect(address) as facade:
        functions = [function.name for function in list_functions(facade.functions)]
        return functions + [store.name for store in list_key_value_stores(facade.key_value_stores)]


def test_the_walk_through_runs_from_create_to_delete() -> None:
    with running_facade(EmbeddedBackend(path=":memory:", s3_dir=None)) as facade:
        completed = walk(facade.address)
        assert completed.returncode == 0, completed.stderr
        assert remaining_names(facade.address) == []
    steps = [line.split()[0] for line in completed.stdout.splitlines()]
    assert steps == [
        "created", "tested", "filled", "tested", "rejected", "LIVE", "tagged", "deleted", "deleted",
    ]  # fmt: skip
    assert '"uri":"/docs/index.html"' in completed.stdout
    assert '"location":{"value":"/documentation/"}' in completed.stdout
    assert "LIVE has the code of the first version" in completed.stdout


@pytest.mark.parametrize("operation", ["create_function", "test_function", "update_keys", "tag_resource"])
def test_the_walk_through_cleans_up_when_a_step_fails(operation: str) -> None:
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)

    def fail(**_arguments: object) -> None:
        raise RuntimeError

    setattr(backend, operation, fail)
    with running_facade(backend) as facade:
        completed = walk(facade.address)
        assert completed.returncode == 1
        assert "INTERNAL" in completed.stderr
        assert remaining_names(facade.address) == []
