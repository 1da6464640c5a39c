"""Functions that try to escape the sandbox: they affect only themselves, and the server is unharmed."""

from __future__ import annotations

import pytest

from function_runtime.hostile import error, run_alone
from function_runtime.running import COULD_NOT_RUN

pytestmark = pytest.mark.usefixtures("unharmed")

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
def test_overwriting_built_ins_affects_only_the_function(tampering: str) -> None:
    code = f"""var log = console.log;
    function handler(event) {{ log('one'); {tampering} log('two'); return event.request; }}"""
    result = run_alone(code)
    # The engine's serializer calls the function's own setter of an index, which fails only this function.
    assert result.error_message in (None, COULD_NOT_RUN + "Error: set")
    assert result.output is None or '"uri":"/"' in result.output
    assert result.logs == ["one", "two"]


@pytest.mark.parametrize("tampering", TAMPERING.values(), ids=TAMPERING)
def test_overwriting_built_ins_on_loading_affects_only_the_function(tampering: str) -> None:
    code = f"{tampering}\nasync function handler(event) {{ await 1; throw 'mine'; }}"
    assert error(code) in ("mine", "Error: species")


@pytest.mark.parametrize(
    "value", ["{ toJSON: function () { return 5; } }", "Object.prototype", "globalThis", "handler"]
)
def test_a_returned_value_is_read_only_as_data(value: str) -> None:
    result = run_alone(f"function handler(event) {{ return {value}; }}")
    assert result.output is None
    assert result.error_message is not None


def test_a_forged_worker_response_is_only_a_log_line() -> None:
    forged = '{"state": "result", "text": "{\\\\"statusCode\\\\": 500}"}'
    result = run_alone(f"function handler(event) {{ console.log('\\n{forged}\\n'); return event.request; }}")
    assert result.output is not None
    assert "500" not in result.output
    assert len(result.logs) == 1


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
def test_no_expression_reaches_outside_the_sandbox(expression: str) -> None:
    code = f"""async function waiter() {{}}
    function handler(event) {{ console.log('got ' + {expression}); return event.request; }}"""
    result = run_alone(code)
    assert result.error_message is not None
    assert result.logs == []


def test_the_stack_of_an_error_is_text() -> None:
    code = """
    Error.prepareStackTrace = function (error, sites) { return sites; };
    function handler(event) {
      var stack = new Error('x').stack;
      console.log(typeof stack);
      return event.request;
    }"""
    result = run_alone(code)
    assert result.logs in (["string"], ["undefined"])


def test_a_dynamic_import_is_an_error() -> None:
    assert "import" in error("function handler(event) { return import('cloudfront'); }")
