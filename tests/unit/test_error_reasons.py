"""The reasons in the code of the server are those that the contract publishes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import cloudfront_facade_server
from cloudfront_facade.v1.error_reason_pb2 import ErrorReason


def test_the_enum_lists_exactly_the_reasons_that_the_code_returns() -> None:
    published = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    package = Path(cloudfront_facade_server.__file__).parent

    returned = {reason for path in package.rglob("*.py") for reason in reasons_in(ast.parse(path.read_text()))}

    # A caller that disconnected receives no status; the empty reason is only for the log.
    assert returned - {""} == published
    assert all(reason.isupper() and len(reason) <= 63 for reason in published)


def reasons_in(module: ast.Module) -> Iterator[str]:
    """Yields the reason of each status and row in a module; it must be a literal or come from a row."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    positions = {"StatusError": 1, "ErrorMapping": 1}
    # A function that takes a reason and passes it on to a status has the reasons of its callers.
    for function in functions:
        names = [argument.arg for argument in function.args.args]
        if "reason" in names and positions.keys() & {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name)
        }:
            positions[function.name] = names.index("reason")
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in positions:
            continue
        reason = reason_of(node, positions[node.func.id])
        match reason:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Attribute(value=ast.Name(id="mapping"), attr="reason"):
                continue
            case ast.Name(id="reason"):
                assert any(node in ast.walk(function) for function in functions if function.name in positions)
            case _:
                raise AssertionError(f"line {node.lineno}: the reason is not a literal")


def reason_of(call: ast.Call, index: int) -> ast.expr:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    return named[0] if named else call.args[index]
