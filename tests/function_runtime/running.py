"""Runs functions for these tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import _quickjs

from cloudfront_facade_server.function_runtime import Run, Runner, StoreMetadata, runner
from cloudfront_facade_server.function_runtime.sandbox import RUNTIME_1, RUNTIME_2, worker
from function_runtime.events import request_event

RUNTIMES = (RUNTIME_1, RUNTIME_2)
COULD_NOT_RUN = "The CloudFront function associated with the CloudFront distribution is invalid or could not run. "
INVALID = "The CloudFront function returned an invalid value: "
UNCHANGED = "function handler(event) { return event.request; }"
"""A function that returns the request that it receives."""


class InProcessRunner(Runner):
    """Runs harmless functions in this process, which is fast and measured for coverage."""

    def _call_worker(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        return runner._parse_response(worker.handle(request, _quickjs.Context), 100_000)


def run(
    code: str,
    event: dict[str, Any] | None = None,
    runtime: str = RUNTIME_2,
    key_values: Mapping[str, str] | None = None,
    *,
    runner: Runner | None = None,
    store: StoreMetadata | None = None,
) -> Run:
    """Runs a function on an event, in this process unless a runner is passed."""
    event_json = json.dumps(request_event() if event is None else event).encode()
    return (runner or InProcessRunner()).run(code.encode(), runtime, event_json, key_values, store)


def output(
    code: str,
    event: dict[str, Any] | None = None,
    runtime: str = RUNTIME_2,
    key_values: Mapping[str, str] | None = None,
) -> Any:
    """Returns the request or response that a function returns."""
    result = run(code, event, runtime, key_values)
    assert result.error_message is None, result
    assert result.output is not None
    (value,) = json.loads(result.output).values()
    return value


def value_of(
    expression: str, runtime: str = RUNTIME_2, key_values: Mapping[str, str] | None = None, setup: str = ""
) -> Any:
    """Returns the value of an expression in a function, converted by JSON."""
    is_async = "async " if "await" in expression else ""
    code = f"""{setup}
    {is_async}function handler(event) {{
      var value = {expression};
      return {{ statusCode: 200, body: JSON.stringify({{ value: value }}) }};
    }}"""
    return json.loads(output(code, None, runtime, key_values)["body"]).get("value")


def error_of(
    statement: str,
    runtime: str = RUNTIME_2,
    key_values: Mapping[str, str] | None = None,
    setup: str = "",
) -> str:
    """Returns the error that a statement in a function throws."""
    is_async = "async " if "await" in statement else ""
    code = f"{setup}\n{is_async}function handler(event) {{ {statement}; return event.request; }}"
    return error_in(run(code, None, runtime, key_values))


def error_in(result: Run) -> str:
    """Returns the error of a run that could not complete, without CloudFront's prefix."""
    assert result.output is None, result
    assert result.error_message is not None
    assert result.error_message.startswith(COULD_NOT_RUN)
    return result.error_message.removeprefix(COULD_NOT_RUN)
