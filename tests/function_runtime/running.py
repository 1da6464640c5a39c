"""Runs functions for these tests, and the events that they are given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import _quickjs

from cloudfront_facade_server.function_runtime import Run, Runner, StoreMetadata, runner
from cloudfront_facade_server.function_runtime.sandbox import worker

RUNTIMES = ("cloudfront-js-1.0", "cloudfront-js-2.0")
COULD_NOT_RUN = "The CloudFront function associated with the CloudFront distribution is invalid or could not run. "
INVALID = "The CloudFront function returned an invalid value: "


class InProcessRunner(Runner):
    """Runs functions in this process: fast, and measured for coverage. For functions that mean well."""

    def _answer(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        return runner._split(worker.answer(request, _quickjs.Context), 100_000)


def request_event(uri: str = "/", **members: Any) -> dict[str, Any]:
    """A viewer-request event; `members` are the request's."""
    request = {"method": "GET", "uri": uri, "querystring": {}, "headers": {}, "cookies": {}} | members
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "198.51.100.11"},
        "request": request,
    }


def response_event(**members: Any) -> dict[str, Any]:
    """A viewer-response event; `members` are the response's."""
    response = {"statusCode": 200, "statusDescription": "OK", "headers": {}, "cookies": {}} | members
    return request_event() | {"context": {"eventType": "viewer-response"}, "response": response}


def many(*values: str) -> dict[str, Any]:
    """A header, cookie or query parameter with these values, as an event has it."""
    return {"value": values[0]} | ({"multiValue": [{"value": value} for value in values]} if len(values) > 1 else {})


def run(
    code: str,
    event: dict[str, Any] | None = None,
    runtime: str = RUNTIMES[1],
    key_values: Mapping[str, str] | None = None,
    *,
    runner: Runner | None = None,
    store: StoreMetadata | None = None,
) -> Run:
    """Runs a function on an event, here in this process where no other runner is given."""
    given = json.dumps(request_event() if event is None else event).encode()
    return (runner or InProcessRunner()).run(code.encode(), runtime, given, key_values, store)


def output(
    code: str,
    event: dict[str, Any] | None = None,
    runtime: str = RUNTIMES[1],
    key_values: Mapping[str, str] | None = None,
) -> Any:
    """What a function returns: its request or response."""
    done = run(code, event, runtime, key_values)
    assert done.error_message is None, done
    assert done.output is not None
    (value,) = json.loads(done.output).values()
    return value


def value_of(
    expression: str, runtime: str = RUNTIMES[1], key_values: Mapping[str, str] | None = None, setup: str = ""
) -> Any:
    """What an expression is worth in a function, by way of JSON."""
    is_async = "async " if "await" in expression else ""
    code = f"""{setup}
    {is_async}function handler(event) {{
      var found = {expression};
      return {{ statusCode: 200, body: JSON.stringify({{ found: found }}) }};
    }}"""
    return json.loads(output(code, None, runtime, key_values)["body"]).get("found")


def error_of(
    statement: str,
    runtime: str = RUNTIMES[1],
    key_values: Mapping[str, str] | None = None,
    setup: str = "",
) -> str:
    """The text of the error that a statement in a function ends with."""
    is_async = "async " if "await" in statement else ""
    done = run(
        f"{setup}\n{is_async}function handler(event) {{ {statement}; return event.request; }}",
        None,
        runtime,
        key_values,
    )
    assert done.output is None, done
    assert done.error_message is not None
    assert done.error_message.startswith(COULD_NOT_RUN)
    return done.error_message.removeprefix(COULD_NOT_RUN)
