"""The modules crypto, querystring and buffer."""

import base64
import hashlib
import hmac
import json
import urllib.parse

import pytest

from function_runtime.running import RUNTIMES, error_of, value_of

RUNTIME_1, _ = RUNTIMES
TEXTS = ["", "abc", "é€😀", "x" * 55, "x" * 56, "x" * 64, "x" * 1000]
CRYPTO = "var crypto = require('crypto');"


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_hashes_match_hashlib(text: str, algorithm: str, runtime: str) -> None:
    digest = hashlib.new(algorithm, text.encode()).digest()
    expected = [digest.hex(), base64.b64encode(digest).decode(), base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    calls = ", ".join(
        f"crypto.createHash('{algorithm}').update({json.dumps(text)}).digest('{encoding}')"
        for encoding in ("hex", "base64", "base64url")
    )
    assert value_of(f"[{calls}]", runtime, setup=CRYPTO) == expected


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("secret", ["", "key", "k" * 64, "k" * 65, "é"], ids=len)
def test_hmacs_match_hmac(secret: str, algorithm: str) -> None:
    call = f"crypto.createHmac('{algorithm}', {json.dumps(secret)}).update('a').update('b').digest('hex')"
    assert value_of(call, setup=CRYPTO) == hmac.new(secret.encode(), b"ab", algorithm).hexdigest()


def test_a_digest_without_an_encoding_is_a_buffer_in_runtime_2_and_a_byte_string_in_runtime_1() -> None:
    call = "crypto.createHash('md5').update('a').digest()"
    digest = hashlib.md5(b"a").digest()  # noqa: S324
    assert value_of(f"Buffer.isBuffer({call}) && {call}.toString('hex')", setup=CRYPTO) == digest.hex()
    assert value_of(call, RUNTIME_1, setup=CRYPTO) == digest.decode("latin-1")


def test_byte_strings_and_buffers_are_hashed_as_bytes() -> None:
    expected = hashlib.sha256(b"\xff\x00\xc3").hexdigest()
    hashed = "crypto.createHash('sha256').update({}).digest('hex')"
    assert value_of(hashed.format("String.bytesFrom([255, 0, 195])"), RUNTIME_1, setup=CRYPTO) == expected
    assert value_of(hashed.format("Buffer.from([255, 0, 195])"), setup=CRYPTO) == expected
    assert value_of(hashed.format("'ff00c3', 'hex'"), setup=CRYPTO) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "crypto.createHash('sha512')",
        "crypto.createHash('toString')",
        "crypto.createHash('md5').update('a').digest('latin1')",
        "var h = crypto.createHash('md5'); h.digest('hex'); h.update('a')",
        "var h = crypto.createHash('md5'); h.digest('hex'); h.digest('hex')",
        "crypto.createHash('md5').update(1)",
        "crypto.randomBytes(1)",
    ],
)
def test_unsupported_uses_of_crypto_are_errors(statement: str) -> None:
    assert "Error" in error_of(statement, setup=CRYPTO)


QUERYSTRING = "var qs = require('querystring');"


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("qs.parse('name=value&abc=xyz&abc=123')", {"name": "value", "abc": ["xyz", "123"]}),
        ("qs.parse('a=1&a=2&a=3&b')", {"a": ["1", "2", "3"], "b": ""}),
        ("qs.parse('a=b=c&&=x')", {"a": "b=c", "": "x"}),
        ("qs.parse('a+b=c%20d%C3%A9')", {"a b": "c dé"}),
        ("qs.parse('a=%FF%41&b=%zz')", {"a": "\ufffdA", "b": "%zz"}),
        ("qs.parse('a:1;b:2', ';', ':')", {"a": "1", "b": "2"}),
        ("qs.parse('a=1&b=2&c=3', null, null, { maxKeys: 2 })", {"a": "1", "b": "2"}),
        ("qs.parse('x=1&'.repeat(2000)).x.length", 1000),
        ("qs.parse('a=1', null, null, { decodeURIComponent: (s) => s + '!' })", {"a!": "1!"}),
        ("qs.parse('__proto__=1&hasOwnProperty=2').hasOwnProperty", "2"),
        ("qs.parse('')", {}),
        ("qs.stringify({ name: 'value', abc: ['xyz', '123'], no: '' })", "name=value&abc=xyz&abc=123&no="),
        ("qs.stringify({ a: 1, b: true, c: null, d: 'é &' }, ';', ':')", "a:1;b:true;c:;d:%C3%A9%20%26"),
        ("qs.stringify({ a: 'x' }, null, null, { encodeURIComponent: (s) => s + '!' })", "a!=x!"),
        ("qs.stringify('text')", ""),
        ("qs.escape('a b&ü\\ud800')", "a%20b%26%C3%BC%EF%BF%BD"),
        ("qs.unescape('a%20b')", "a b"),
        ("qs.decode === qs.parse && qs.encode === qs.stringify", True),
    ],
)  # fmt: skip
def test_querystring_returns_known_results(expression: str, value: object, runtime: str) -> None:
    assert value_of(expression, runtime, setup=QUERYSTRING) == value


def test_querystring_matches_urllib() -> None:
    pairs = {"a": "1 2", "ü": "€/?", "e": ""}
    query = value_of(f"qs.stringify({json.dumps(pairs)})", setup=QUERYSTRING)
    assert dict(urllib.parse.parse_qsl(query, keep_blank_values=True)) == pairs


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("Buffer.from('é€😀').toString('hex')", "é€😀".encode().hex()),
        ("Buffer.from('68c3a9', 'hex').toString()", "hé"),
        ("Buffer.from('aGk=', 'base64').toString() + Buffer.from('-_8', 'base64url').toString('base64')", "hi+/8="),
        ("Buffer.from([251, 255, 1]).toString('base64url')", "-_8B"),
        ("Buffer.from([0xff, 0x41, 0xe2, 0x82, 0xc3]).toString()", "\ufffdA\ufffd\ufffd"),
        ("Buffer.from(new Uint8Array([1, 2]).buffer, 1)", {"type": "Buffer", "data": [2]}),
        ("Buffer.from(Buffer.from('ab')).toString()", "ab"),
        ("Buffer.from({ type: 'Buffer', data: [97] }).toString()", "a"),
        ("Buffer.from(new String('ab')).toString()", "ab"),
        ("Buffer.alloc(3, 'ab').toString()", "aba"),
        ("Buffer.alloc(2)", {"type": "Buffer", "data": [0, 0]}),
        ("Buffer.concat([Buffer.from('ab'), Buffer.from('cd')], 3).toString()", "abc"),
        ("Buffer.byteLength('é') + Buffer.byteLength('ffff', 'hex')", 4),
        ("[Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.from('b').compare(Buffer.from('a'))]", [-1, 1]),
        ("Buffer.isBuffer(Buffer.from('')) && !Buffer.isBuffer(new Uint8Array(1))", True),
        ("[Buffer.isEncoding('hex'), Buffer.isEncoding('latin1')]", [True, False]),
        ("Buffer.from('hello').slice(1, 3).toString() + Buffer.from('hello').subarray(-2).toString()", "ello"),
        ("Buffer.from('abcabc').indexOf('ca') * 10 + Buffer.from('abcabc').lastIndexOf('abc')", 23),
        ("Buffer.from('abc').includes(98) && !Buffer.from('abc').includes('x')", True),
        ("Buffer.from('a').equals(Buffer.from('a'))", True),
        ("Buffer.from([1, 2, 3, 4]).swap16().toString('hex')", "02010403"),
        ("Buffer.from([1, 2, 3, 4]).swap32().toString('hex')", "04030201"),
        ("[Buffer.from([255, 254]).readInt16BE(0), Buffer.from([255, 254]).readUInt16LE(0)]", [-2, 65279]),
        ("Buffer.from([1, 2, 3, 4, 5, 6]).readUIntBE(0, 6)", 0x010203040506),
        ("Buffer.from([255, 255, 255]).readIntLE(0, 3)", -1),
        ("(function () { var b = Buffer.alloc(4); b.writeInt32BE(-2, 0); return b.toString('hex'); })()", "fffffffe"),
        ("(function () { var b = Buffer.alloc(3); b.writeIntLE(-2, 0, 3); return b.toString('hex'); })()", "feffff"),
        ("(function () { var b = Buffer.alloc(8); b.writeDoubleBE(1.5, 0); return b.readDoubleBE(0); })()", 1.5),
        ("(function () { var b = Buffer.alloc(5); return [b.write('a€€'), b.toString('hex')]; })()", [4, "61e282ac00"]),
        ("(function (b) { return [Buffer.from('ab').copy(b, 1), b.toString('hex')]; })(Buffer.alloc(2))", [1, "0061"]),
        ("require('buffer').Buffer === Buffer", True),
        ("Buffer.from('abc')[1]", 98),
        ("btoa('hi') + atob('aGk=')", "aGk=hi"),
        ("new TextDecoder().decode(new TextEncoder().encode('é€😀'))", "é€😀"),
        ("new TextEncoder().encodeInto('é€', new Uint8Array(4))", {"read": 1, "written": 2}),
        ("new TextDecoder('utf-8', { fatal: true }).fatal", True),
    ],
)  # fmt: skip
def test_buffers_and_text_return_known_results(expression: str, value: object) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    "statement",
    [
        "Buffer.from('x', 'latin1')",
        "Buffer.from('x').toString('ascii')",
        "Buffer.from(5)",
        "Buffer.from([1]).readInt32BE(0)",
        "Buffer.alloc(1).writeInt8(200, 0)",
        "Buffer.alloc(3).swap16()",
        "Buffer.concat('x')",
        "Buffer.from([1]).readUIntBE(0, 7)",
        "new TextDecoder('utf-16le')",
        "new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))",
    ],
)
def test_unsupported_uses_of_buffer_are_errors(statement: str) -> None:
    assert "Error" in error_of(statement)


@pytest.mark.parametrize("module", ["crypto", "querystring"])
def test_modules_can_be_imported_or_required_in_runtime_2(module: str) -> None:
    assert value_of(f"{module} === require('{module}')", setup=f"import {module} from '{module}';") is True


def test_copying_past_the_end_copies_nothing() -> None:
    assert value_of("Buffer.from('abc').copy(Buffer.alloc(2), 3)") == 0
