"""Every method of the backend protocol has a contract test, which runs on every backend."""

from __future__ import annotations

import ast
from pathlib import Path

from support.rpcs import BACKEND_METHODS


def test_every_method_of_the_protocol_is_called_by_a_contract_test() -> None:
    called = {
        node.attr
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "backend"
    }
    assert set(BACKEND_METHODS) - called == set()
