"""Cases of TestFunction."""

from __future__ import annotations

import json
from typing import Final

import grpc

from cloudfront_facade.v1 import function_service_pb2 as functions

from .expectations import check, check_equal, check_fails
from .facade import DEVELOPMENT, LIVE, Facade
from .functions import describe, update
from .registry import CaseRegistry

case: Final = CaseRegistry("test")

_REWRITE: Final = b"""
function handler(event) {
    var request = event.request;
    console.log('uri ' + request.uri);
    if (request.uri.endsWith('/')) request.uri += 'index.html';
    return request;
}
"""

_LOGGING: Final = b"function handler(event) { console.log('this is %s'); return event.request; }"


def run(facade: Facade, created: functions.CreateFunctionResponse) -> functions.TestResult:
    """Tests a function that was just created."""
    return run_version(facade, created.function_summary.name, created.etag)


def run_version(facade: Facade, name: str, etag: str, stage: int = 0, *, uri: str = "/docs/") -> functions.TestResult:
    """Tests the stage of a function that has this etag, with a viewer-request event for a URI."""
    event = {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "198.51.100.1"},
        "request": {"method": "GET", "uri": uri, "querystring": {}, "headers": {}, "cookies": {}},
    }
    request = functions.TestFunctionRequest(
        name=name,
        etag=etag,
        stage=functions.FunctionStage.ValueType(stage),
        event_object=json.dumps(event).encode(),
    )
    return facade.functions.TestFunction(request).test_result


@case("functions")
def output(facade: Facade) -> None:
    """Should run a function, and return its output, its logs and its compute utilization."""
    result = run(facade, facade.create_function(_REWRITE))
    check_equal(result.function_error_message, "", "the error message")
    output_object = json.loads(result.function_output)
    check_equal(output_object.get("request", {}).get("uri"), "/docs/index.html", "the URI of the returned request")
    check(
        any("uri /docs/" in line for line in result.function_execution_logs),
        "the message that the function logged is not in the logs",
    )
    check(0 <= result.compute_utilization <= 100, f"the utilization is {result.compute_utilization}")


@case("functions")
def throwing(facade: Facade) -> None:
    """Should return OK and the error message if a function throws."""
    result = run(facade, facade.create_function(b"function handler(event) { throw new Error('no luck'); }"))
    check("no luck" in result.function_error_message, f"the error message is {result.function_error_message!a}")
    check_equal(result.function_output, "", "the output")


@case("functions")
def bad_event(facade: Facade) -> None:
    """Should reject an event that is not JSON."""
    created = facade.create_function()
    request = functions.TestFunctionRequest(name=created.function_summary.name, etag=created.etag, event_object=b"{")
    check_fails(lambda: facade.functions.TestFunction(request), grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")


@case("functions", "update", "publish")
def stages(facade: Facade) -> None:
    """Should run the requested stage, and reject an etag that is outdated."""
    created = facade.create_function(_LOGGING % b"live")
    name = created.function_summary.name
    facade.functions.PublishFunction(functions.PublishFunctionRequest(name=name, etag=created.etag))
    update(facade, name, describe(facade, name).etag, _LOGGING % b"development")
    versions = {stage: describe(facade, name, stage).etag for stage in (DEVELOPMENT, LIVE)}
    for stage, name_in_log in ((DEVELOPMENT, "development"), (LIVE, "live")):
        result = run_version(facade, name, versions[stage], stage)
        check(
            f"this is {name_in_log}" in "".join(result.function_execution_logs),
            f"the stage that ran is not {name_in_log}",
        )
    check_fails(lambda: run_version(facade, name, created.etag), grpc.StatusCode.INVALID_ARGUMENT, "ETAG_INVALID")
