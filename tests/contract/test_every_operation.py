"""Every operation of the backends has a test that runs on all of them."""

from __future__ import annotations

import ast
from pathlib import Path

from support.rpcs import BACKEND_OPERATIONS


def test_every_operation_is_called() -> None:
    called = {
        node.attr
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "backend"
    }
    assert set(BACKEND_OPERATIONS) - called == set()
