"""Functions that mean harm: each is answered in time, and the server is unharmed."""

import contextlib
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cloudfront_facade_server.function_runtime import Limits, Run, Runner
from function_runtime.running import COULD_NOT_RUN, RUNTIMES, run

LATEST = 2.0
"""Seconds within which each hostile function is answered."""

TIME = "Error: the function exceeded the allowed time, 50 ms of CPU time"
MEMORY = "Error: the function exceeded the allowed memory, 2 MiB"


@pytest.fixture(autouse=True)
def unharmed() -> Iterator[None]:
    """Another thread of this process goes on while the function runs, and no process is left."""
    beats: list[float] = [time.monotonic()]
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.01):
            beats.append(time.monotonic())

    thread = threading.Thread(target=beat)
    before = children()
    thread.start()
    yield
    over.set()
    thread.join()
    assert all(later - earlier < 1 for earlier, later in pairwise(beats))
    assert children() == before


def children() -> set[str]:
    """Gives the process ids of this process's children, those included that have ended and were not waited for."""
    found: set[str] = set()
    for tasks in Path("/proc/self/task").glob("*/children"):
        # A thread may have ended meanwhile.
        with contextlib.suppress(FileNotFoundError):
            found.update(tasks.read_text().split())
    return found


def answered(code: str, runtime: str = RUNTIMES[1]) -> Run:
    start = time.monotonic()
    done = run(code, runtime=runtime, runner=Runner())
    assert time.monotonic() - start < LATEST
    return done


def refusal(code: str, runtime: str = RUNTIMES[1]) -> str:
    done = answered(code, runtime)
    assert done.output is None
    assert done.error_message is not None
    assert done.error_message.startswith(COULD_NOT_RUN)
    return done.error_message.removeprefix(COULD_NOT_RUN)


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
def test_an_endless_loop_ends_with_its_time(code: str, runtime: str) -> None:
    done = answered(code, runtime)
    assert done.error_message == COULD_NOT_RUN + TIME
    assert done.compute_utilization == 100


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
def test_an_endless_wait_ends_with_its_time(code: str) -> None:
    start = time.monotonic()
    done = run(code, key_values={}, runner=Runner())
    assert time.monotonic() - start < LATEST
    assert done.output is None
    assert done.error_message is not None
    assert any(reason in done.error_message for reason in (TIME, "the allowed memory", "out of memory"))


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
def test_a_memory_bomb_ends_with_its_memory(code: str) -> None:
    text = refusal(code)
    assert any(word in text for word in ("memory", "length", "too long", TIME))


@pytest.mark.parametrize("size", [2_200_000, 100_000_000])
def test_one_large_allocation_ends_with_its_memory(size: int) -> None:
    text = refusal(f"function handler(event) {{ var a = new Uint8Array({size}); return event.request; }}")
    assert text == MEMORY


def test_a_function_may_use_what_it_has() -> None:
    code = "function handler(event) { var a = new Uint8Array(1500000); a[0] = 1; return event.request; }"
    assert answered(code).error_message is None


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
    assert refusal(code)


def test_a_function_that_is_nested_too_deeply_is_an_error() -> None:
    code = "function handler(event) {\nreturn " + "(" * 4000 + "1" + ")" * 4000 + "; }"
    assert refusal(code) == "SyntaxError: brackets are nested more than 500 deep in 2"


def test_brackets_may_be_nested_as_deeply_as_is_allowed() -> None:
    code = "function handler(event) { return " + "(" * 499 + "event.request" + ")" * 499 + "; }"
    assert answered(code).error_message is None


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
def test_a_function_without_memory_is_told_so_and_how_much_it_may_have(code: str, limit: int) -> None:
    generous = Runner(Limits(cpu_seconds=0.5, memory_bytes=limit * 1024 * 1024))
    done = run(code, runner=generous)
    assert done.error_message == f"{COULD_NOT_RUN}Error: the function exceeded the allowed memory, {limit} MiB"


@pytest.mark.parametrize("code", ["function handler(event) { throw null; }", "throw null;"])
def test_a_function_that_may_have_thrown_null_is_told_of_both(code: str) -> None:
    assert refusal(code) == f"{MEMORY}, or threw null"


def test_a_huge_output_is_refused() -> None:
    code = "function handler(event) { return { statusCode: 200, body: 'x'.repeat(400000) }; }"
    assert refusal(code) == "Error: the function exceeded the allowed output, 256 KiB as JSON"


def test_a_huge_output_of_characters_that_json_escapes_is_refused() -> None:
    code = "function handler(event) { return { statusCode: 200, body: '\\u0001'.repeat(300000) }; }"
    assert "Error" in refusal(code)


def test_logs_are_cut_at_ten_kilobytes() -> None:
    code = (
        "function handler(event) { for (var i = 0; i < 2000; i++) { console.log('line ' + i); } return event.request; }"
    )
    done = answered(code)
    assert done.error_message is None
    assert done.logs[:2] == ["line 0", "line 1"]
    assert sum(len(line) + 1 for line in done.logs) in (10 * 1024, 10 * 1024 + 1)


@pytest.mark.parametrize("character", ["x", "\\u20ac", "\\ud83d\\ude00", "\\ud800", "\\u2028"])
def test_one_huge_line_is_cut_at_ten_kilobytes(character: str) -> None:
    code = f"function handler(event) {{ console.log('{character}'.repeat(100000)); return event.request; }}"
    done = answered(code)
    (line,) = done.logs
    assert 10 * 1024 - 4 < len(line.encode()) <= 10 * 1024


def test_lines_of_long_characters_are_cut_too() -> None:
    code = """function handler(event) {
      for (var i = 0; i < 90; i++) { console.log('€'.repeat(100)); }
      return event.request;
    }"""
    assert 10_000 < sum(len(line.encode()) + 1 for line in answered(code).logs) <= 10 * 1024 + 1


def test_empty_lines_count_too() -> None:
    code = "function handler(event) { for (var i = 0; i < 30000; i++) { console.log(''); } return event.request; }"
    assert len(answered(code).logs) <= 10 * 1024


def test_what_was_logged_before_the_time_was_over_is_kept() -> None:
    assert answered("function handler(event) { console.log('here'); for (;;) {} }").logs == ["here"]


@pytest.mark.parametrize("waiting", ["1", "kvs.count()", "kvs.get('a')"])
def test_what_was_logged_before_an_endless_wait_is_kept(waiting: str) -> None:
    code = f"""import cf from 'cloudfront';
    var kvs = cf.kvs();
    async function handler(event) {{ console.log('here'); for (;;) {{ await {waiting}; }} }}"""
    done = run(code, key_values={"a": "b"}, runner=Runner())
    assert (done.error_message, done.logs) == (COULD_NOT_RUN + TIME, ["here"])


TAMPERING = {
    "JSON": "JSON.stringify = JSON.parse = function () { return '{\"statusCode\": 500}'; };",
    "arrays": "['push', 'join', 'map', 'slice', 'forEach'].forEach(function (n) { Array.prototype[n] = null; });",
    "indices": "Object.defineProperty(Array.prototype, '0', { set: function () { throw new Error('set'); } });",
    "strings": "['slice', 'split', 'replace', 'toString'].forEach(function (n) { String.prototype[n] = null; });",
    "promises": "Promise.prototype.then = null; Promise.resolve = null; globalThis.Promise = null;",
    "species": "Promise.prototype.constructor = function () { throw new Error('species'); };",
    "objects": "['get', 'set', 'value', 'state', '1'].forEach(function (n) { "
    "Object.defineProperty(Object.prototype, n, { get: function () { return function () {}; }, set: function () {}, "
    "configurable: true, __proto__: null }); });",
    "errors": "Error.prototype.toString = null; globalThis.Error = null; globalThis.TypeError = null;",
    "functions": "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = null;",
    "iterators": "Array.prototype[Symbol.iterator] = null; String.prototype[Symbol.iterator] = null;",
    "globals": "Object.getOwnPropertyNames(globalThis).forEach("
    "function (n) { try { globalThis[n] = null; } catch (e) {} });",
}


@pytest.mark.parametrize("tampering", TAMPERING.values(), ids=TAMPERING)
def test_a_function_that_overwrites_built_ins_changes_nothing_but_itself(tampering: str) -> None:
    code = f"""var log = console.log;
    function handler(event) {{ log('one'); {tampering} log('two'); return event.request; }}"""
    done = answered(code)
    # The engine's own serializer meets the setter of an index; the damage is the function's.
    assert done.error_message in (None, COULD_NOT_RUN + "Error: set")
    assert done.output is None or '"uri":"/"' in done.output
    assert done.logs == ["one", "two"]


@pytest.mark.parametrize("tampering", TAMPERING.values(), ids=TAMPERING)
def test_tampering_on_loading_changes_nothing_either(tampering: str) -> None:
    code = f"{tampering}\nasync function handler(event) {{ await 1; throw 'mine'; }}"
    assert refusal(code) in ("mine", "Error: species")


@pytest.mark.parametrize(
    "value", ["{ toJSON: function () { return 5; } }", "Object.prototype", "globalThis", "handler"]
)
def test_what_is_returned_is_read_as_data_only(value: str) -> None:
    done = answered(f"function handler(event) {{ return {value}; }}")
    assert done.output is None
    assert done.error_message is not None


def test_a_function_that_forges_the_workers_answer_has_only_written_a_log() -> None:
    forged = '{"state": "done", "text": "{\\\\"statusCode\\\\": 500}"}'
    done = answered(f"function handler(event) {{ console.log('\\n{forged}\\n'); return event.request; }}")
    assert done.output is not None
    assert "500" not in done.output
    assert len(done.logs) == 1


@pytest.mark.parametrize(
    "expression",
    [
        "eval('1')",
        "globalThis.eval('1')",
        "(0, eval)('1')",
        "new Function('return 1')()",
        "(function () {}).constructor('return 1')()",
        "(() => 1).constructor('return 1')()",
        "handler.constructor('return 1')()",
        "Object.getPrototypeOf(handler).constructor('return 1')()",
        "Object.getPrototypeOf(Object.getPrototypeOf(waiter)).constructor.constructor('return 1')()",
        "waiter.constructor('return 1')()",
        "Date.constructor('return 1')()",
        "require.constructor('return 1')()",
        "JSON.parse.constructor('return 1')()",
        "setTimeout(handler, 1)",
        "setInterval(handler, 1)",
        "setImmediate(handler)",
        "fetch('http://127.0.0.1/')",
        "new XMLHttpRequest()",
        "new WebSocket('ws://127.0.0.1/')",
        "process.exit(1)",
        "require('fs')",
        "require('std')",
        "require('os')",
        "require('process')",
        "require('toString')",
        "require('__proto__').x",
        "std.exit(1)",
        "os.exec(['id'])",
        "new Worker('x')",
        "Reflect.ownKeys({})",
        "new Proxy({}, {})",
        "new WeakRef({})",
        "new SharedArrayBuffer(1)",
        "performance.now()",
        "queueMicrotask(handler)",
        "Error.captureStackTrace({})",
    ],
)
def test_there_is_no_way_out(expression: str) -> None:
    code = f"""async function waiter() {{}}
    function handler(event) {{ console.log('got ' + {expression}); return event.request; }}"""
    done = answered(code)
    assert done.error_message is not None
    assert done.logs == []


def test_the_stack_of_an_error_shows_no_objects_of_the_hosts() -> None:
    code = """
    Error.prepareStackTrace = function (error, sites) { return sites; };
    function handler(event) {
      var stack = new Error('x').stack;
      console.log(typeof stack);
      return event.request;
    }"""
    done = answered(code)
    assert done.logs in (["string"], ["undefined"])


def test_a_dynamic_import_loads_nothing() -> None:
    assert "import" in refusal("function handler(event) { return import('cloudfront'); }")
