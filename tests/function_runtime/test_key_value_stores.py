"""The key value store as a function sees it."""

from typing import Any

import pytest

from cloudfront_facade_server.function_runtime import StoreMetadata
from function_runtime.running import error_of, run, value_of

SETUP = "import cf from 'cloudfront';\nconst kvs = cf.kvs();"
PAIRS = {"a": "1", "json": '{"x": [1]}', "text": "é€😀", "nul": "a\0b", "__proto__": "p", "é\u2028": "k"}
METADATA = StoreMetadata("11111111-2222-3333-4444-555555555555", "2024-01-02T03:04:05.678Z", "2024-02-02T03:04:05.678Z")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("await kvs.get('a')", "1"),
        ("await kvs.get('text', { format: 'string' })", "é€😀"),
        ("await kvs.get('nul')", "a\0b"),
        ("await kvs.get('__proto__')", "p"),
        ("await kvs.get('é\\u2028')", "k"),
        ("await kvs.get('json', { format: 'json' })", {"x": [1]}),
        ("await kvs.get('text', { format: 'bytes' })", {"type": "Buffer", "data": list("é€😀".encode())}),
        ("await kvs.exists('a')", True),
        ("await kvs.exists('toString')", False),
        ("await kvs.count()", len(PAIRS)),
        ("await Promise.all([kvs.get('a'), kvs.exists('b')])", ["1", False]),
        ("(await cf.kvs('any id').get('a'))", "1"),
    ],
)
def test_a_store_is_read(expression: str, value: Any) -> None:
    assert value_of(expression, key_values=PAIRS, setup=SETUP) == value


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("await kvs.get('b')", "Error: KeyNotFound: the key is not in the key value store"),
        ("await kvs.get('\\ud800')", "Error: KeyNotFound: the key is not in the key value store"),
        ("await kvs.get(5)", "TypeError: the key must be a string"),
        ("await kvs.get('a', { format: 'xml' })", 'TypeError: format must be "string", "json" or "bytes"'),
        (
            "await kvs.meta()",
            "Error: meta() is not available: the times of the key value store are not known",
        ),
    ],
)
def test_an_unreadable_key_rejects_the_promise(statement: str, text: str) -> None:
    assert error_of(statement, key_values=PAIRS, setup=SETUP) == text


def test_a_value_that_is_not_json_rejects_the_promise() -> None:
    assert error_of("await kvs.get('text', { format: 'json' })", key_values=PAIRS, setup=SETUP).startswith(
        "SyntaxError"
    )


def test_a_missing_key_can_be_caught() -> None:
    code = f"""{SETUP}
    async function handler(event) {{
      try {{ await kvs.get('b'); }} catch (error) {{ console.log('caught'); }}
      return event.request;
    }}"""
    assert run(code, key_values=PAIRS).logs == ["caught"]


def test_using_kvs_without_a_store_is_an_error() -> None:
    assert error_of("", setup=SETUP) == "Error: no key value store is associated with the function"


def test_a_store_may_be_empty() -> None:
    assert value_of("await kvs.count()", key_values={}, setup=SETUP) == 0


@pytest.mark.parametrize("name", [METADATA.id, "another"])
def test_meta_returns_the_metadata_of_the_store(name: str) -> None:
    code = f"""import cf from 'cloudfront';
    async function handler(event) {{
      var meta = await cf.kvs('{name}').meta();
      console.log(JSON.stringify(meta));
      return event.request;
    }}"""
    result = run(code, key_values=PAIRS, store=METADATA)
    if name == METADATA.id:
        assert result.logs == [
            f'{{"creationDateTime":"{METADATA.creation_date_time}",'
            f'"lastUpdatedDateTime":"{METADATA.last_updated_date_time}","keyCount":{len(PAIRS)}}}'
        ]
    else:
        assert (result.error_message or "").endswith("the key value store is not associated with the function")


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("cf.edgeLocation", "not available in a test"),
        ("cf.cwt", "not supported by this function runner"),
        ("cf.logCustomData({})", "takes one string"),
        ("cf.updateRequestOrigin()", "needs an argument"),
        ("event.request.rawQueryString()", "not available in a test"),
    ],
)
def test_features_that_a_test_cannot_provide_are_errors(statement: str, text: str) -> None:
    assert text in error_of(statement, setup="import cf from 'cloudfront';")


def test_helpers_without_a_visible_effect_are_accepted() -> None:
    code = """import cf from 'cloudfront';
    function handler(event) {
      cf.updateRequestOrigin({ domainName: 'example.org' });
      cf.selectRequestOriginById('one');
      cf.logCustomData('x');
      return event.request;
    }"""
    assert run(code).error_message is None
