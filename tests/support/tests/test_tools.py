"""A missing program or module skips a test, but fails it if CI is set."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from support.tools import require_module, require_tool

MISSING: list[Callable[[], object]] = [
    lambda: require_tool("a-program-that-does-not-exist"),
    lambda: require_module("a_module_that_does_not_exist"),
]


@pytest.mark.parametrize("require", MISSING, ids=["program", "module"])
def test_a_missing_dependency_skips_the_test(monkeypatch: pytest.MonkeyPatch, require: Callable[[], object]) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="is not installed"):
        require()


@pytest.mark.parametrize("require", MISSING, ids=["program", "module"])
def test_a_missing_dependency_fails_the_test_if_ci_is_set(
    monkeypatch: pytest.MonkeyPatch, require: Callable[[], object]
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="is not installed, but CI must run this test"):
        require()


def test_programs_of_the_test_environment_are_found_without_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert require_tool("pytest").startswith(sys.prefix)
    assert require_module("json").loads("1") == 1
