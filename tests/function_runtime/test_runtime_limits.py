"""Functions that exceed a limit: each ends in time with an error that names the limit, and the server is unharmed."""

from __future__ import annotations

import pytest

from cloudfront_facade_server.function_runtime import Limits, Runner
from function_runtime.hostile import error, run_alone
from function_runtime.running import COULD_NOT_RUN, RUNTIMES, run

TIME = "Error: the function exceeded the allowed time, 50 ms of CPU time"
MEMORY = "Error: the function exceeded the allowed memory, 2 MiB"

pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    "code",
    [
        "function handler(event) { for (;;) {} }",
        "for (;;) {}",
        "function handler(event) { try { for (;;) {} } catch (e) { for (;;) {} } finally { for (;;) {} } }",
        "function handler(event) { return /^(a+)+$/.test('a'.repeat(60) + 'b'); }",
        "function handler(event) { return { toJSON: function () { for (;;) {} } }; }",
        "function handler(event) { throw { toString: function () { for (;;) {} } }; }",
    ],
    ids=["in the handler", "on loading", "caught", "a regular expression", "in toJSON", "in toString"],
)
def test_an_endless_loop_ends_at_the_time_limit(code: str, runtime: str) -> None:
    result = run_alone(code, runtime)
    assert result.error_message == COULD_NOT_RUN + TIME
    assert result.compute_utilization == 100


@pytest.mark.parametrize(
    "code",
    [
        "async function handler(event) { for (;;) { await 1; } }",
        "function handler() { return Promise.resolve().then(function f() { return Promise.resolve().then(f) }); }",
        "import cf from 'cloudfront';\nasync function handler() { var k = cf.kvs(); for (;;) { await k.count(); } }",
        "function handler(event) { return { then: function () { for (;;) {} } }; }",
        "function handler(event) { return Array.prototype.indexOf.call({ length: 9007199254740991 }, 1); }",
        "function handler(event) { return Array.prototype.fill.call({ length: 9007199254740991 }, 1); }",
    ],
    ids=["awaiting", "promises", "the store", "a thenable", "a native search", "a native fill"],
)
def test_an_endless_wait_ends_at_a_limit(code: str) -> None:
    result = run_alone(code, key_values={})
    assert result.output is None
    assert result.error_message is not None
    assert any(reason in result.error_message for reason in (TIME, "the allowed memory", "out of memory"))


@pytest.mark.parametrize(
    "code",
    [
        "function handler(event) { var a = []; for (;;) { a.push('x'.repeat(1000) + a.length); } }",
        "function handler(event) { var s = 'x'; for (;;) { s += s; } }",
        "function handler(event) { return new Uint8Array(3000000); }",
        "function handler(event) { return Buffer.alloc(1e9); }",
        "function handler(event) { var o = {}; for (var i = 0; ; i++) { o['k' + i] = i; } }",
        "var a = []; for (;;) { a.push(new Array(1000).fill(0)); }",
        "function handler(event) { return 'x'.padStart(1e9); }",
    ],
    ids=["an array", "a string", "typed", "a buffer", "an object", "on loading", "padding"],
)
def test_a_memory_bomb_ends_at_a_limit(code: str) -> None:
    text = error(code)
    assert any(word in text for word in ("memory", "length", "too long", TIME))


@pytest.mark.parametrize("size", [2_200_000, 100_000_000])
def test_one_large_allocation_ends_at_the_memory_limit(size: int) -> None:
    text = error(f"function handler(event) {{ var a = new Uint8Array({size}); return event.request; }}")
    assert text == MEMORY


def test_memory_below_the_limit_may_be_used() -> None:
    code = "function handler(event) { var a = new Uint8Array(1500000); a[0] = 1; return event.request; }"
    assert run_alone(code).error_message is None


@pytest.mark.parametrize(
    "code",
    [
        "function handler(event) { return handler(event); }",
        "function f() { return { toString: f } + ''; }\nfunction handler(event) { return f(); }",
        "function handler(event) { var a = []; for (var i = 0; i < 20000; i++) { a = [a]; } return a; }",
        "function handler(event) { return new RegExp('('.repeat(9000) + ')'.repeat(9000)); }",
        "function handler(event) { return JSON.parse('['.repeat(50000)); }",
    ],
    ids=["calls", "conversions", "a nested array", "a nested expression", "nested JSON"],
)
def test_deep_recursion_is_an_error(code: str) -> None:
    assert error(code)


def test_brackets_nested_too_deeply_are_an_error() -> None:
    code = "function handler(event) {\nreturn " + "(" * 4000 + "1" + ")" * 4000 + "; }"
    assert error(code) == "SyntaxError: brackets are nested more than 500 deep in 2"


def test_brackets_may_be_nested_up_to_the_limit() -> None:
    code = "function handler(event) { return " + "(" * 499 + "event.request" + ")" * 499 + "; }"
    assert run_alone(code).error_message is None


@pytest.mark.parametrize(
    "code",
    [
        "function handler(event) { var a = []; for (;;) { a.push({}); } }",
        "var a = {}; for (var i = 0; ; i++) { a['k' + i] = []; }",
        "function handler(event) { var a = []; for (;;) { a.push('x'.repeat(1000) + a.length); } }",
        "async function handler(event) { var a = []; for (;;) { a.push({}); } }",
    ],
    ids=["in the handler", "on loading", "strings", "async"],
)
@pytest.mark.parametrize("limit", [2, 1])
def test_running_out_of_memory_is_an_error_that_names_the_limit(code: str, limit: int) -> None:
    generous = Runner(Limits(cpu_seconds=0.5, memory_bytes=limit * 1024 * 1024))
    result = run(code, runner=generous)
    assert result.error_message == f"{COULD_NOT_RUN}Error: the function exceeded the allowed memory, {limit} MiB"


@pytest.mark.parametrize("code", ["function handler(event) { throw null; }", "throw null;"])
def test_throwing_null_is_an_error_that_names_both_possible_causes(code: str) -> None:
    assert error(code) == f"{MEMORY}, or threw null"


def test_output_above_the_limit_is_an_error() -> None:
    code = "function handler(event) { return { statusCode: 200, body: 'x'.repeat(400000) }; }"
    assert error(code) == "Error: the function exceeded the allowed output, 256 KiB as JSON"


def test_output_whose_escapes_are_above_the_limit_is_an_error() -> None:
    code = "function handler(event) { return { statusCode: 200, body: '\\u0001'.repeat(300000) }; }"
    assert "Error" in error(code)


def test_logs_are_truncated_at_ten_kilobytes() -> None:
    code = (
        "function handler(event) { for (var i = 0; i < 2000; i++) { console.log('line ' + i); } return event.request; }"
    )
    result = run_alone(code)
    assert result.error_message is None
    assert result.logs[:2] == ["line 0", "line 1"]
    assert sum(len(line) + 1 for line in result.logs) in (10 * 1024, 10 * 1024 + 1)


@pytest.mark.parametrize("character", ["x", "\\u20ac", "\\ud83d\\ude00", "\\ud800", "\\u2028"])
def test_one_long_log_line_is_truncated_at_ten_kilobytes(character: str) -> None:
    code = f"function handler(event) {{ console.log('{character}'.repeat(100000)); return event.request; }}"
    result = run_alone(code)
    (line,) = result.logs
    assert 10 * 1024 - 4 < len(line.encode()) <= 10 * 1024


def test_logs_are_measured_in_utf_8() -> None:
    code = """function handler(event) {
      for (var i = 0; i < 90; i++) { console.log('€'.repeat(100)); }
      return event.request;
    }"""
    assert 10_000 < sum(len(line.encode()) + 1 for line in run_alone(code).logs) <= 10 * 1024 + 1


def test_empty_log_lines_count_towards_the_limit() -> None:
    code = "function handler(event) { for (var i = 0; i < 30000; i++) { console.log(''); } return event.request; }"
    assert len(run_alone(code).logs) <= 10 * 1024


def test_logs_from_before_the_time_limit_are_kept() -> None:
    assert run_alone("function handler(event) { console.log('here'); for (;;) {} }").logs == ["here"]


@pytest.mark.parametrize("waiting", ["1", "kvs.count()", "kvs.get('a')"])
def test_logs_from_before_an_endless_wait_are_kept(waiting: str) -> None:
    code = f"""import cf from 'cloudfront';
    var kvs = cf.kvs();
    async function handler(event) {{ console.log('here'); for (;;) {{ await {waiting}; }} }}"""
    result = run_alone(code, key_values={"a": "b"})
    assert (result.error_message, result.logs) == (COULD_NOT_RUN + TIME, ["here"])
