"""The names of the rules, the page that lists them, and the code that uses them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cloudfront_facade_server import validation
from cloudfront_facade_server.validation.rule_names import Rule, table

PAGE = Path(__file__).parents[2] / "docs/reference/rules.md"
SOURCES = sorted(Path(validation.__file__).parent.glob("*.py"))


def used_rules(path: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Rule"
    }


def test_the_page_lists_every_rule_as_the_code_describes_it() -> None:
    assert table() in PAGE.read_text(), f"replace the table in {PAGE.name} with this one:\n{table()}"


def test_the_text_of_a_rule_is_its_name() -> None:
    assert {rule.name: str(rule) for rule in Rule} == {rule.name: rule.name for rule in Rule}


def test_every_rule_is_used_by_a_check() -> None:
    assert set().union(*map(used_rules, SOURCES)) == {rule.name for rule in Rule}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_violation_names_its_rule_by_the_enum(path: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation"
    ]
    # `rule` is a parameter, whose type mypy checks.
    assert {ast.unparse(call.args[1]) for call in calls} <= {f"Rule.{rule.name}" for rule in Rule} | {"rule"}
