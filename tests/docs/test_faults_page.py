"""The table of faults names tests that exist, and its page is current."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from support.markdown import PROJECT

TESTS = PROJECT / "tests"

NUMBERS = [*sorted({*range(1, 81)} - {44, 45, 46, 47, 58}), 82, 83, *range(89, 94)]
"""The faults that the service must survive. It does not promise to survive those with other numbers."""


@pytest.fixture(scope="module")
def faults() -> ModuleType:
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("faults_script", PROJECT / "scripts" / "faults.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Returns the names of the functions of a file."""
    if not path.exists():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_row_names_tests_that_exist(faults: ModuleType) -> None:
    rows = [row for section in faults.sections() for row in section["row"]]
    assert [row["number"] for row in rows if not row["tests"]] == []
    missing = [
        (row["number"], test)
        for row in rows
        for test in row["tests"]
        if test.partition("::")[2] not in functions_of(TESTS / test.partition("::")[0])
    ]
    assert missing == []


def test_every_fault_has_one_row(faults: ModuleType) -> None:
    numbers: list[int] = []
    for section in faults.sections():
        for row in section["row"]:
            first, _, last = row["number"].partition("-")
            numbers += range(int(first), int(last or first) + 1)
    assert sorted(numbers) == NUMBERS


def test_the_page_is_current_and_no_row_failed(faults: ModuleType) -> None:
    table = faults.sections()
    written = faults.PAGE.read_text()
    assert "| failed |" not in written
    passed = dict.fromkeys(faults.tests(table), "passed")
    assert re.sub(r"\| skipped \|$", "| passed |", written, flags=re.MULTILINE) == faults.page(table, passed), (
        "run `make faults`"
    )


def test_the_worst_result_of_a_test_counts(faults: ModuleType) -> None:
    report = """<testsuites><testsuite>
      <testcase classname="tests.unit.test_a" name="test_x[1]"/>
      <testcase classname="tests.unit.test_a" name="test_x[2]"><skipped/></testcase>
      <testcase classname="tests.unit.test_a" name="test_y"><failure/></testcase>
      <testcase classname="tests.unit.test_a" name="test_z"/>
    </testsuite></testsuites>"""
    assert faults.results_of(report) == {
        "unit/test_a.py::test_x": "skipped",
        "unit/test_a.py::test_y": "failed",
        "unit/test_a.py::test_z": "passed",
    }
