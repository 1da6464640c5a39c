"""Events, returned values, and errors in CloudFront's wording."""

import json
from typing import Any

import pytest

from cloudfront_facade_server.function_runtime import InvalidEventError
from function_runtime.events import request_event, response_event, values
from function_runtime.running import (
    COULD_NOT_RUN,
    INVALID,
    RUNTIMES,
    UNCHANGED,
    InProcessRunner,
    output,
    run,
)

UNCHANGED_RESPONSE = "function handler(event) { return event.response; }"


def invalid(code: str, event: dict[str, Any] | None = None) -> str:
    """Returns the rule that the function's value violates."""
    result = run(code, event)
    assert result.output is None
    assert result.error_message is not None
    assert result.error_message.startswith(INVALID), result.error_message
    return result.error_message.removeprefix(INVALID)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": "2.0"}, 'version must be "1.0".'),
        ({"context": {}}, 'context.eventType must be "viewer-request" or "viewer-response".'),
        ({"context": {"eventType": "origin-request"}}, 'context.eventType must be "viewer-request" or'),
        ({"context": {"eventType": "viewer-request", "requestId": 1}}, "context.requestId must be a string."),
        ({"context": {"eventType": "viewer-response"}}, "response must be an object."),
        ({"viewer": {}}, "viewer.ip must be a string."),
        ({"viewer": {"ip": "1.2.3"}}, "viewer.ip must be an IP address."),
        ({"request": None}, "request must be an object."),
        ({"request": {"uri": "/"}}, "request.method must be a string."),
        ({"request": {"method": "", "uri": "/"}}, "request.method must be one of GET, HEAD,"),
        ({"request": {"method": "get", "uri": "/"}}, "request.method must be one of GET, HEAD,"),
        ({"request": {"method": "GET", "uri": "x"}}, 'request.uri must begin with "/".'),
        ({"request": {"method": "GET", "uri": "/", "headers": {"Host": values("x")}}}, "header names in lower case."),
        ({"request": {"method": "GET", "uri": "/", "headers": {"host": "x"}}}, "headers.host must be an object."),
        ({"request": {"method": "GET", "uri": "/", "headers": {"host": {}}}}, "headers.host must have a value."),
        ({"request": {"method": "GET", "uri": "/", "cookies": {"a": {"value": 1}}}}, "a.value must be a string."),
        ({"request": {"method": "GET", "uri": "/", "querystring": {"a": {"multiValue": []}}}}, "array of values."),
        ({"request": {"method": "GET", "uri": "/" + "x" * 8191}}, "request.uri with its query string must have"),
        (
            {"request": {"method": "GET", "uri": "/", "querystring": {"q": values("x" * 8190)}}},
            "request.uri with its query string must have at most 8191 characters.",
        ),
    ],
)  # fmt: skip
def test_an_event_that_cloudfront_cannot_send_is_rejected(change: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidEventError, match="The event object is not valid") as rejected:
        run(UNCHANGED, request_event() | change)
    assert text in str(rejected.value)


@pytest.mark.parametrize("event", [b"", b"{", b"\xff", b"[" * 100_000, b"NaN,"])
def test_an_event_that_is_not_json_is_rejected(event: bytes) -> None:
    with pytest.raises(InvalidEventError, match="not JSON"):
        InProcessRunner().run(UNCHANGED.encode(), "cloudfront-js-2.0", event, None)


@pytest.mark.parametrize("event", [b"[]", b"1", b'"x"', b"null"])
def test_an_event_that_is_not_an_object_is_rejected(event: bytes) -> None:
    with pytest.raises(InvalidEventError, match="must be an object"):
        InProcessRunner().run(UNCHANGED.encode(), "cloudfront-js-2.0", event, None)


@pytest.mark.parametrize("status", ["200", 200.5, True, None])
def test_the_status_of_a_response_must_be_an_integer(status: Any) -> None:
    with pytest.raises(InvalidEventError, match="statusCode must be an integer"):
        run(UNCHANGED_RESPONSE, response_event(statusCode=status))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"statusCode": 999}, "response.statusCode must be from 200 to 599."),
        ({"body": {"encoding": "rot13", "data": ""}}, 'response.body.encoding must be "text" or "base64".'),
        ({"body": {"encoding": "base64", "data": "*"}}, "response.body.data must be valid Base64."),
    ],
)
def test_an_invalid_response_in_the_event_is_not_an_error_of_the_function(change: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidEventError, match=text):
        run(UNCHANGED_RESPONSE, response_event(**change))


def test_the_message_of_an_invalid_event_is_short_and_printable() -> None:
    with pytest.raises(InvalidEventError) as rejected:
        run(UNCHANGED, request_event(cookies={"\ud800" + "x" * 30_000: 1}))
    assert len(str(rejected.value).encode()) < 1100


def test_members_missing_from_the_event_are_empty_objects() -> None:
    event = request_event()
    event["request"] = {"method": "GET", "uri": "/"}
    code = """function handler(event) {
      console.log(JSON.stringify([event.request.querystring, event.request.headers, event.request.cookies]));
      return event.request;
    }"""
    assert run(code, event).logs == ["[{},{},{}]"]


def test_a_request_is_returned_in_cloudfronts_format() -> None:
    headers = {"host": values("example.org"), "accept": values("a", "b")}
    event = request_event("/p", headers=headers, querystring={"q": values("1", "2")}, cookies={"c": values("d")})
    assert list(json.loads(run(UNCHANGED, event).output or "")["request"].items()) == [
        ("headers", headers),
        ("method", "GET"),
        ("querystring", {"q": values("1", "2")}),
        ("uri", "/p"),
        ("cookies", {"c": values("d")}),
    ]


def test_a_response_is_returned_in_cloudfronts_format() -> None:
    result = run("function handler(event) { return { statusCode: 204 }; }")
    assert result.output == '{"response":{"headers":{},"cookies":{},"statusCode":204}}'


@pytest.mark.parametrize(
    "value",
    ["undefined", "null", "5", "'text'", "[]", "true", "event", "{}", "function () {}", "{ headers: {} }"],
)
def test_a_value_that_is_neither_a_request_nor_a_response_is_invalid(value: str) -> None:
    assert invalid(f"function handler(event) {{ return {value}; }}") == (
        "a function must return a request or a response object."
    )


def test_a_viewer_response_function_must_return_a_response() -> None:
    assert "must return a response object" in invalid(UNCHANGED, response_event())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("r.method = 'POST'", "request.method is read-only."),
        ("r.uri = 'x'", 'request.uri must begin with "/".'),
        ("r.uri = 5", "request.uri must be a string."),
        ("r.uri = '/a b'", 'request.uri must not have spaces or "#".'),
        ("r.uri = '/a\\n'", "request.uri must not have control characters."),
        ("r.uri = '/' + 'x'.repeat(8191)", "request.uri with its query string must have at most 8191 characters."),
        ("r.querystring.q = { value: 'x'.repeat(8190) }", "request.uri with its query string must have at most"),
        ("r.querystring.q = { value: 'a b' }", "request.querystring must not have spaces"),
        ("r.querystring['#'] = { value: '' }", "request.querystring must not have spaces"),
        ("r.headers['X-Own'] = { value: 'x' }", "request.headers must have header names in lower case."),
        ("r.headers['x y'] = { value: 'x' }", "request.headers must have header names that are valid in HTTP."),
        ("r.headers.x = 'x'", "request.headers.x must be an object."),
        ("r.headers.x = { value: 1 }", "request.headers.x.value must be a string."),
        ("r.headers.x = { value: undefined }", "request.headers.x must have a value."),
        ("r.headers.x = { value: 'a\\r\\nb: c' }", "request.headers.x.value must not have control characters."),
        ("r.headers.x = { value: 'a', multiValue: 'b' }", "request.headers.x.multiValue must be an array of values."),
        ("r.headers.x = { multiValue: [{}] }", "request.headers.x.multiValue[0].value must be a string."),
        ("r.headers.host.value = 'other'", "must not add, change or remove the read-only header host."),
        ("delete r.headers.host", "must not add, change or remove the read-only header host."),
        ("r.headers.via = { value: 'x' }", "must not add, change or remove the read-only header via."),
        ("r.headers.connection = { value: 'x' }", "must not have the disallowed header connection."),
        ("r.headers['x-edge-any'] = { value: 'x' }", "must not have the disallowed header x-edge-any."),
        ("r.headers = null", "request.headers must be an object."),
        ("r.cookies = { a: 1 }", "request.cookies.a must be an object."),
    ],
)
def test_a_request_that_cloudfront_would_reject_is_invalid(change: str, text: str) -> None:
    code = f"function handler(event) {{ var r = event.request; {change}; return r; }}"
    assert text in invalid(code, request_event(headers={"host": values("example.org")}))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("r.statusCode = '200'", "response.statusCode must be an integer."),
        ("r.statusCode = 200.5", "response.statusCode must be an integer."),
        ("r.statusCode = true", "response.statusCode must be an integer."),
        ("r.statusCode = NaN", "response.statusCode must be an integer."),
        ("r.statusCode = 199", "response.statusCode must be from 200 to 599."),
        ("r.statusCode = 600", "response.statusCode must be from 200 to 599."),
        ("r.statusDescription = 1", "response.statusDescription must be a string."),
        ("r.headers['X-Own'] = { value: 'x' }", "response.headers must have header names in lower case."),
        ("r.headers.warning = { value: 'x' }", "must not add, change or remove the read-only header warning."),
        ("delete r.headers.via", "must not add, change or remove the read-only header via."),
        ("r.headers['x-cache'] = { value: 'x' }", "must not have the disallowed header x-cache."),
        ("r.cookies.a = { value: 'x', attributes: 1 }", "response.cookies.a.attributes must be a string."),
        ("r.body = 5", "response.body must be an object."),
        ("r.body = { encoding: 'gzip', data: '' }", 'response.body.encoding must be "text" or "base64".'),
        ("r.body = { encoding: 'text' }", "response.body.data must be a string."),
        ("r.body = { encoding: 'base64', data: '*' }", "response.body.data must be valid Base64."),
    ],
)
def test_a_response_that_cloudfront_would_reject_is_invalid(change: str, text: str) -> None:
    code = f"function handler(event) {{ var r = event.response; {change}; return r; }}"
    assert text in invalid(code, response_event(headers={"via": values("1.1 x")}))


@pytest.mark.parametrize(
    "body",
    ["text", {"encoding": "text", "data": "é"}, {"encoding": "base64", "data": "aGk="}],
    ids=["short", "text", "b64"],
)
def test_a_body_is_returned_unchanged(body: Any) -> None:
    code = f"function handler(event) {{ event.response.body = {json.dumps(body)}; return event.response; }}"
    assert output(code, response_event())["body"] == body


def test_restricted_headers_of_the_event_may_be_returned_unchanged() -> None:
    headers = {"via": values("1.1 x"), "x-cache": values("Hit"), "warning": values("x")}
    assert output(UNCHANGED_RESPONSE, response_event(headers=headers))["headers"] == headers


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("", 'ReferenceError: "handler" is not defined or is not a function'),
        ("var handler = 5;", 'ReferenceError: "handler" is not defined or is not a function'),
        ("function handler(event) {", "SyntaxError: "),
        ("\n\nvar x = ;", "SyntaxError: unexpected token in expression: ';' in 3"),
        ("function handler(event) { return event.nothing.value; }", "TypeError: "),
        ("function handler(event) { throw new RangeError('bad'); }", "RangeError: bad"),
        ("function handler(event) { throw 'text'; }", "text"),
        ("function handler(event) { throw undefined; }", "undefined"),
        (
            "function handler(event) { throw { toString: function () { throw 1; } }; }",
            "the thrown value cannot be converted to a string",
        ),
        ("async function handler(event) { throw new Error('rejected'); }", "Error: rejected"),
        ("function handler(event) { return Promise.reject(new Error('rejected')); }", "Error: rejected"),
        ("async function handler(event) { await new Promise(() => 1); }", "a promise that never settles"),
        ("function handler(event) { undeclared = 1; }", "ReferenceError: "),
        ("var a = 1;\0", "SyntaxError: "),
        ("throw new Error('on loading');", "Error: on loading"),
    ],
)  # fmt: skip
def test_an_error_in_a_function_is_reported_in_cloudfronts_wording(code: str, text: str) -> None:
    result = run(code)
    assert result.output is None
    assert result.error_message is not None
    assert result.error_message.startswith(COULD_NOT_RUN)
    assert text in result.error_message


def test_a_query_string_can_be_returned_as_text() -> None:
    code = """var query = require('querystring');
    function handler(event) {
      event.request.querystring = Object.keys(event.request.querystring).sort().join('&');
      return event.request;
    }"""
    event = request_event(querystring={"b": values("2"), "a": values("1")})
    for runtime in RUNTIMES:
        assert output(code, event, runtime)["querystring"] == "a&b"


@pytest.mark.parametrize(
    ("text", "message"),
    [("'a b'", 'must not have spaces, control characters or "#"'), ("'a'.repeat(8192)", "at most 8191 characters")],
)
def test_a_query_string_as_text_must_be_valid_in_a_url(text: str, message: str) -> None:
    result = run(f"function handler(event) {{ event.request.querystring = {text}; return event.request; }}")
    assert message in (result.error_message or "")
