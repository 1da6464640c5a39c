"""The language features and built-ins of the two runtimes."""

import pytest

from function_runtime.running import RUNTIMES, error_of, output, run, value_of

RUNTIME_1, RUNTIME_2 = RUNTIMES


@pytest.mark.parametrize(
    "code",
    [
        "function handler(event) { return event.request; }",
        "var handler = function (event) { return event.request; };",
        "var handler = (event) => event.request;",
        "function handler(event) { var o = { class: 1, of: 2, let: 3 }; o.async = o.class; return event.request; }",
        "// let const async\nfunction handler(event) { /* class */ var s = 'await ...x ?. `'; return event.request; }",
        "function handler(event) { var f = (...rest) => rest.length; f(1); return event.request; }",
        "function handler(event) { var s = `a ${`b ${1 + 1} c`} d`; return event.request; }",
        "function handler(event) { var r = /let|[/]const/.test('x') ? 1 / 2 : .5; return event.request; }",
        "function handler(event) { label: for (var k in { a: 1 }) { continue label; } return event.request; }",
        "function handler(event) { for (var of = 0; of < 2; of++) { of / 2; } return event.request; }",
        "function handler(event) { var of = 1; for (of = 0; of < 2; of++) {} isNaN(of); return event.request; }",
        "function handler(event) { var of = {}; for (var x in of) {} for (x = of; !x;) {} return event.request; }",
        "function handler(event) { var o = { in: 4 }; var a = o.in / 2; var b = a / 2; return event.request; }",
        "function handler(event) { var a = `${1}import`; return event.request; }",
        "function handler(event) { /* unfinished: ' */ var a = 1; /**/ a /= 2; return event.request; }",
        "function handler(event) { var n = 2 ** 3, o = { get x() { return 1; } }; return event.request; }",
    ],
)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_syntax_that_both_runtimes_document_works(code: str, runtime: str) -> None:
    assert output(code, None, runtime)["uri"] == "/"


@pytest.mark.parametrize(
    "code",
    [
        "async function handler(event) { return event.request; }",
        "const handler = (event) => event.request;",
        "function handler(event) { let a = 1_000; const b = a; return event.request; }",
        "async function f() { return 1; }\nasync function handler(event) { var a = await f(); return event.request; }",
        "function handler(event) { return Promise.all([event.request]).then((all) => all[0]); }",
        "import cf from 'cloudfront';\nfunction handler(event) { return event.request; }",
        '/* first */ import\ncf\nfrom "cloudfront"\nfunction handler(event) { return event.request; }',
        "async function handler(event) { if (await 1) { return event.request; } }",
        "async function handler(event) { var x = (await 1) + 1; return event.request; }",
    ],
)
def test_runtime_2_supports_more_syntax(code: str) -> None:
    assert output(code)["uri"] == "/"
    assert run(code, runtime=RUNTIME_1).output is None


@pytest.mark.parametrize(
    ("statement", "token"),
    [
        ("let a = 1", "let"),
        ("const a = 1", "const"),
        ("var f = async function () {}", "async"),
    ],
)
def test_runtime_1_rejects_syntax_of_runtime_2(statement: str, token: str) -> None:
    assert error_of(statement, RUNTIME_1) == f'SyntaxError: Token "{token}" not supported in this version in 2'


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("statement", "token"),
    [
        ("class Table {}", "class"),
        ("for (var x of [1]) {}", "of"),
        ("for (var of of [1]) {}", "of"),
        ("var o = {}; for (o.x of [1]) {}", "of"),
        ("var o = {}; for (o['x'] of [1]) {}", "of"),
        ("var o = {}; for (o.in of [1]) {}", "of"),
        ("var x = event?.request", "?."),
        ("var x = null ?? 1", "??"),
        ("var x = null; x ??= 1", "??="),
        ("Math.max(...[1])", "..."),
        ("var x = [...[1]]", "..."),
        ("var x = { ...event }", "..."),
        ("var { uri } = event.request", "{"),
        ("var [a] = [1]", "["),
        ("var f = ({ uri }) => uri", "{"),
        ("var f = ([a]) => a", "["),
        ("function f(a = 1) {}", "="),
        ("var a, b; [a, b] = [1, 2]", "["),
        ("function* f() {}", "*"),
        ("try { f() } catch { g() }", "{"),
        ("var x = 1n", "1n"),
        ("String.raw`x`", "`x"),
        ("debugger", "debugger"),
    ],
)
def test_undocumented_syntax_is_rejected(statement: str, token: str, runtime: str) -> None:
    assert error_of(statement, runtime) == f'SyntaxError: Token "{token}" not supported in this version in 2'


@pytest.mark.parametrize(
    ("statement", "token"),
    [
        ("[1].map(async (x) => x)", "async"),
        ("[1].map(async x => x)", "async"),
        ("var f = async function () {}", "async"),
    ],
)
def test_async_closures_are_rejected(statement: str, token: str) -> None:
    assert error_of(statement) == f'SyntaxError: Token "{token}" not supported in this version in 2'


def test_an_awaited_argument_is_rejected() -> None:
    assert error_of("decodeURIComponent(\nawait 1)") == "SyntaxError: await in arguments not supported in 3"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("export function handler(e) {}", "SyntaxError: Illegal export statement in 1"),
        ("import { kvs } from 'cloudfront';", "SyntaxError: Non-default import is not supported in 1"),
        ("\nimport fs from 'fs';", 'SyntaxError: Cannot find module "fs" in 2'),
        ("import cf from", "SyntaxError: Illegal import statement in 1"),
    ],
)
def test_other_imports_and_exports_are_rejected(code: str, text: str) -> None:
    assert (run(code).error_message or "").endswith(text)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    "expression",
    [
        "[3, 1].toSorted()", "[1].flat()", "[1].at(0)", "Array.from([1])", "new Map()", "new Set()",
        "Object.fromEntries([])",
        "'a'.matchAll(/a/g)", "'a'.at(0)", "Number.prototype.x.y", "Promise.withResolvers()", "structuredClone(1)",
        "new URL('http://x')", "BigInt(1)", "escape('x')", "console.error('x')", "console.warn('x')",
        "console.info('x')",
    ],
)  # fmt: skip
def test_undocumented_built_ins_are_absent(expression: str, runtime: str) -> None:
    assert error_of(f"var x = {expression}", runtime).startswith(("TypeError", "ReferenceError"))


@pytest.mark.parametrize(
    "expression",
    ["Buffer.from('x')", "new TextEncoder()", "atob('eA==')", "'aa'.replaceAll('a', 'b')", "Promise.all([])",
     "new DataView(new ArrayBuffer(1))", "Symbol.for('x')", "require('buffer')", "Uint8Array.of(1)"],
)  # fmt: skip
def test_built_ins_of_runtime_2_are_absent_in_runtime_1(expression: str) -> None:
    assert error_of(f"var x = {expression}", RUNTIME_1).startswith(
        ("TypeError", "ReferenceError", "Error: Cannot find module")
    )
    assert run(f"function handler(event) {{ var x = {expression}; return event.request; }}").error_message is None


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[1, 2, 3].includes(2) && [1].find((x) => x) === 1", True),
        ("Object.entries({ a: 1 })", [["a", 1]]),
        ("Object.assign({}, { a: 1 })", {"a": 1}),
        ("'abc'.padStart(5, '-') + 'x'.repeat(2)", "--abcxx"),
        ("'a-b'.replace(/(?<first>a)/, '$<first>$<first>')", "aa-b"),
        ("'ab'.charCodeAt(1) + Math.trunc(1.5) + Number.parseInt('7')", 106),
        ("(function () { return this === undefined; })()", True),
        ("encodeURIComponent('ä b') + decodeURIComponent('%C3%A4')", "%C3%A4%20bä"),
        ("JSON.stringify(JSON.parse('{\"a\":[1]}'))", '{"a":[1]}'),
        ("new Uint8Array([1, 2]).subarray(1)[0]", 2),
        ("typeof globalThis", "object"),
    ],
)
def test_documented_built_ins_work(expression: str, value: object, runtime: str) -> None:
    assert value_of(expression, runtime) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("String.bytesFrom([72, 105])", "Hi"),
        ("String.bytesFrom('aGk', 'base64url') + String.bytesFrom('6869', 'hex')", "hihi"),
        ("'€'.toUTF8().length", 3),
        ("'€'.toUTF8().fromUTF8()", "€"),
        ("String.bytesFrom([255]).fromUTF8()", None),
        ("'€'.toBytes()", None),
        ("'é'.toBytes().fromBytes()", "é"),
    ],
)
def test_byte_strings_of_runtime_1(expression: str, value: object) -> None:
    assert value_of(expression, RUNTIME_1) == value
    assert error_of(f"var x = {expression}", RUNTIME_2).startswith("TypeError")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_time_is_constant_during_a_run(runtime: str) -> None:
    code = """var before = Date.now();
    function handler(event) {
      for (var i = 0; i < 20000; i++) {}
      var same = before === Date.now() && before === new Date().getTime() && new Date() instanceof Date;
      return { statusCode: same && before > 1600000000000 ? 200 : 500 };
    }"""
    assert output(code, None, runtime)["statusCode"] == 200


def test_other_dates_can_be_created() -> None:
    assert value_of("new Date(Date.UTC(2024, 0, 2)).toISOString() + typeof Date()") == "2024-01-02T00:00:00.000Zstring"


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("'text'", "text"),
        ("1.5", "1.5"),
        ("null", "null"),
        ("undefined", "undefined"),
        ("{ a: 1, b: ['x', { c: true }] }", "{a:1,b:['x',{c:true}]}"),
        ("[]", "[]"),
        ("new TypeError('bad')", "TypeError: bad"),
        ("/a/g", "/a/g"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("function f() {}", "[Function]"),
        ("'\\u20ac\\n\\ud83d\\ude00\\ud800'", "€\n😀\ufffd"),
    ],
)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_console_log_writes_a_line(argument: str, line: str, runtime: str) -> None:
    result = run(f"function handler(event) {{ console.log({argument}); return event.request; }}", runtime=runtime)
    assert (result.error_message, result.logs) == (None, [line])


def test_console_log_logs_one_argument_and_a_warning() -> None:
    first, second = run("function handler(event) { console.log('a', 'b'); return event.request; }").logs
    assert first == "a"
    assert "comma syntax" in second


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("if (true) /a#b/.test('a#b') && (found = 1);", 1),
        ("for (var i = 0; i < 2; i++) /#/.test('#') && found++;", 2),
        ("while (!found) /[/]#/.test('/#') && found++;", 1),
        ("var x = (4) / 2; found = x / 1;", 2),
        ("var f = { if: function (n) { return n; } }; found = f.if(8) / 2 / 2;", 2),
    ],
)
def test_a_slash_is_a_division_or_begins_a_regular_expression(statement: str, value: int, runtime: str) -> None:
    code = f"(function () {{ var found = 0; {statement} return found; }})()"
    assert value_of(code, runtime) == value
