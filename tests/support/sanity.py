"""The sanity suite on an embedded backend with a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.sanity.suite import run
from cloudfront_facade_server.settings.client import SanitySettings

ALLOWED: Final = "--i-may-create-and-delete"

Operation = Callable[..., Any]
Fault = Callable[[Operation, dict[str, Any]], Any]
"""Replaces an operation: takes the operation and its arguments, and returns the response."""


class FaultyBackend(EmbeddedBackend):
    """The embedded backend with a fault in one operation."""

    def __init__(self, operation: str, fault: Fault) -> None:
        super().__init__(path=":memory:", s3_dir=None)
        correct = getattr(self, operation)
        setattr(self, operation, lambda **arguments: fault(correct, arguments))


def run_suite(address: str, *without: str) -> tuple[int, list[str]]:
    """Runs the suite without these groups; returns its exit code and its report."""
    lines: list[str] = []
    settings = {"target": address, "i_may_create_and_delete": True, "without": list(without)}
    code = run(SanitySettings.model_validate(settings), lines.append)
    return code, lines


def number_of_resources(backend: EmbeddedBackend) -> tuple[int, int]:
    """Returns the number of functions and of stores."""
    functions = backend.list_functions(Stage="DEVELOPMENT")["FunctionList"]["Quantity"]
    return functions, backend.list_key_value_stores()["KeyValueStoreList"]["Quantity"]
