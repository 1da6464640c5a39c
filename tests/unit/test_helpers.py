"""Helpers that several test files need are in `tests/support` or a conftest, not copied."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_no_helper_is_defined_twice() -> None:
    files = defaultdict(list)
    for path in TESTS.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("test_"):
                files[node.name, ast.dump(node)].append(path.name)

    assert {name: names for (name, _), names in files.items() if len(names) > 1} == {}
