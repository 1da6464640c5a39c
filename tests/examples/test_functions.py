"""The example functions, run by Node.js: each does what the comment in its first lines describes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cloudfront_facade_server.limits import FUNCTION_CODE_QUOTA, KEY_MAX_BYTES, VALUE_MAX_BYTES
from function_runtime.events import request_event, response_event, values
from support.tools import require_tool

EXAMPLES = Path(__file__).parents[2] / "examples"
FUNCTIONS = sorted((EXAMPLES / "functions").glob("*.js"))
RUNNER = Path(__file__).with_name("run_function.mjs")

# Features that Node.js supports and CloudFront's runtime does not document.
UNDOCUMENTED = {
    "for-of": r"\bfor\s*(await\s*)?\([^;)]*\bof\b",
    "optional chaining": r"\?\.[a-zA-Z_$\[(]",
    "nullish coalescing": r"\?\?",
    "spread": r"[\[(,{]\s*\.\.\.",
    "destructuring": r"\b(const|let|var)\s*[\[{]",
    "class": r"\bclass\s+\w",
    "an async closure": r"\basync\s*(\(|\w+\s*=>)",
    "an awaited argument": r"[(,]\s*await\b",
    "catch without a name": r"\bcatch\s*\{",
}


def run(name: str, *events: dict[str, Any], pairs: dict[str, str] | None = None) -> list[Any]:
    """Returns the results of the function `name`, one for each event."""
    source = (EXAMPLES / "functions" / name).read_text(encoding="ascii")
    completed = subprocess.run(
        [require_tool("node"), str(RUNNER)],
        input=json.dumps({"source": source, "pairs": pairs or {}, "events": events}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert completed.returncode == 0, completed.stderr
    results: list[Any] = json.loads(completed.stdout)
    return results


def redirects() -> dict[str, str]:
    table = json.loads((EXAMPLES / "key-value-stores" / "redirects.json").read_text(encoding="utf-8"))
    return {pair["key"]: pair["value"] for pair in table["data"]}


# --- what CloudFront accepts ------------------------------------------------------------------------------------------


def test_there_are_five_functions() -> None:
    assert len(FUNCTIONS) == 5


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_a_function_is_ascii_and_below_half_the_quota(path: Path) -> None:
    code = path.read_bytes()
    assert code.isascii()
    assert 0 < len(code) <= FUNCTION_CODE_QUOTA // 2


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_the_file_name_is_a_valid_function_name(path: Path) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", path.stem)


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_a_function_begins_with_its_event_type_and_runtime(path: Path) -> None:
    code = path.read_text(encoding="ascii")
    comment = code[: code.index("\n\n")]
    assert all(line.startswith("//") for line in comment.splitlines())
    assert re.search(r"Event type: viewer re(quest|sponse).*Runtime: cloudfront-js-2\.0", comment)


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_a_function_uses_only_documented_features_of_the_runtime(path: Path) -> None:
    code = re.sub(r"//.*", "", path.read_text(encoding="ascii"))
    assert [name for name, pattern in UNDOCUMENTED.items() if re.search(pattern, code)] == []


@pytest.mark.parametrize(
    ("feature", "code"),
    [
        ("for-of", "for (const item of items) {}"),
        ("optional chaining", "headers.host?.value"),
        ("nullish coalescing", "a ?? b"),
        ("spread", "f(...items)"),
        ("destructuring", "const { uri } = request"),
        ("class", "class Table {}"),
        ("an async closure", "keys.map(async (key) => key)"),
        ("an awaited argument", "decode(await kvs.get(key))"),
        ("catch without a name", "try { f() } catch { g() }"),
    ],
)
def test_each_undocumented_feature_is_recognised(feature: str, code: str) -> None:
    assert [name for name, pattern in UNDOCUMENTED.items() if re.search(pattern, code)] == [feature]


def test_the_readme_lists_every_function() -> None:
    table = (EXAMPLES / "functions" / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\S+\.js)` ", table, re.MULTILINE)) == [path.name for path in FUNCTIONS]


def test_the_redirects_are_a_valid_import_file() -> None:
    table = json.loads((EXAMPLES / "key-value-stores" / "redirects.json").read_bytes())
    assert list(table) == ["data"]
    assert all(set(pair) == {"key", "value"} for pair in table["data"])
    keys = [pair["key"] for pair in table["data"]]
    assert len(keys) == len(set(keys)) > 0
    assert all(0 < len(key.encode()) <= KEY_MAX_BYTES for key in keys)
    assert all(0 < len(pair["value"].encode()) <= VALUE_MAX_BYTES for pair in table["data"])


# --- what they do -----------------------------------------------------------------------------------------------------


def test_a_folder_is_rewritten_to_its_index() -> None:
    uris = {
        "/": "/index.html",
        "/docs/": "/docs/index.html",
        "/docs": "/docs/index.html",
        "/v1.2/docs": "/v1.2/docs/index.html",
        "/style.css": "/style.css",
        "/docs/page.html": "/docs/page.html",
    }
    results = run("url-rewrite-index.js", *(request_event(uri, querystring={"q": values("1")}) for uri in uris))
    assert [result["uri"] for result in results] == list(uris.values())
    assert all(result["querystring"] == {"q": {"value": "1"}} for result in results)


def test_security_headers_are_added() -> None:
    (result,) = run("security-headers.js", response_event(headers={"content-type": values("text/html")}))
    assert result["statusCode"] == 200
    assert sorted(result["headers"]) == [
        "content-security-policy",
        "content-type",
        "permissions-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
    ]
    assert result["headers"]["x-content-type-options"] == {"value": "nosniff"}


def test_a_security_header_of_the_origin_is_kept() -> None:
    headers = {"x-frame-options": values("SAMEORIGIN")}
    (result,) = run("security-headers.js", response_event(headers=headers))
    assert result["headers"]["x-frame-options"] == {"value": "SAMEORIGIN"}


@pytest.mark.parametrize(
    ("querystring", "location"),
    [
        ({}, "/de/shop/cart"),
        ({"q": values("caf%C3%A9+au")}, "/de/shop/cart?q=caf%C3%A9+au"),
        ({"size": values("s", "m"), "sort": values("price")}, "/de/shop/cart?size=s&size=m&sort=price"),
        ({"preview": values("")}, "/de/shop/cart?preview="),
    ],
)
def test_a_viewer_is_redirected_to_the_site_of_the_country(querystring: dict[str, Any], location: str) -> None:
    headers = {"cloudfront-viewer-country": values("AT")}
    (result,) = run("redirect-by-country.js", request_event("/shop/cart", headers=headers, querystring=querystring))
    assert (result["statusCode"], result["statusDescription"]) == (302, "Found")
    assert result["headers"]["location"] == {"value": location}
    assert result["headers"]["cache-control"] == {"value": "private, no-store"}


@pytest.mark.parametrize(
    "event",
    [
        request_event("/shop"),
        request_event("/shop", headers={"cloudfront-viewer-country": values("US")}),
        request_event("/de/shop", headers={"cloudfront-viewer-country": values("DE")}),
        request_event("/fr", headers={"cloudfront-viewer-country": values("DE")}),
        request_event("/shop", headers={"cloudfront-viewer-country": values("DE")}, method="POST"),
    ],
    ids=["no country", "no site", "already redirected", "another site selected", "a form"],
)
def test_a_viewer_is_not_redirected_unless_another_site_fits(event: dict[str, Any]) -> None:
    assert run("redirect-by-country.js", event) == [event["request"]]


def test_a_page_with_the_prefix_of_a_site_is_redirected() -> None:
    headers = {"cloudfront-viewer-country": values("DE")}
    (result,) = run("redirect-by-country.js", request_event("/demo", headers=headers))
    assert result["headers"]["location"] == {"value": "/de/demo"}


@pytest.mark.parametrize(
    ("cookie", "uri"),
    [(values("a"), "/page"), (values("b"), "/b/page"), (values("c", "b"), "/b/page")],
    ids=["a", "b", "the first known variant"],
)
def test_the_cookie_selects_the_variant(cookie: dict[str, Any], uri: str) -> None:
    event = request_event("/page", cookies={"experiment": cookie})
    (result,) = run("ab-test-by-cookie.js", event)
    assert result["uri"] == uri


def test_an_existing_cookie_is_not_set_again() -> None:
    event = response_event()
    event["request"]["cookies"] = {"experiment": values("b")}
    assert run("ab-test-by-cookie.js", event) == [event["response"]]


def test_viewers_without_a_cookie_are_split_and_keep_their_variant() -> None:
    addresses = [f"198.51.{i}.{j}" for i in range(10) for j in range(10)]
    requests = [request_event("/page") | {"viewer": {"ip": address}} for address in addresses]
    responses = [response_event() | {"viewer": {"ip": address}} for address in addresses]
    results = run("ab-test-by-cookie.js", *requests, *responses)
    variants = ["b" if result["uri"] == "/b/page" else "a" for result in results[: len(addresses)]]
    cookies = [result["cookies"]["experiment"] for result in results[len(addresses) :]]
    assert [cookie["value"] for cookie in cookies] == variants
    assert all("Path=/" in cookie["attributes"] for cookie in cookies)
    assert 30 <= variants.count("b") <= 70


def test_a_response_without_cookies_gets_its_variant() -> None:
    event = response_event()
    del event["response"]["cookies"]
    (result,) = run("ab-test-by-cookie.js", event)
    assert result["cookies"]["experiment"]["value"] in {"a", "b"}


@pytest.mark.parametrize(
    ("uri", "querystring", "location"),
    [
        ("/about-us", {}, "/company/about"),
        ("/about-us/", {}, "/company/about"),
        ("/jobs", {"team": values("edge%20network")}, "https://careers.example.com/?team=edge%20network"),
        ("/pricing-2024", {}, "/pricing?plan=all"),
        ("/pricing-2024", {"seat": values("1", "2")}, "/pricing?plan=all&seat=1&seat=2"),
        ("/support/faq", {"lang": values("de")}, "/help?lang=de#questions"),
    ],
)
def test_a_path_in_the_table_is_redirected(uri: str, querystring: dict[str, Any], location: str) -> None:
    event = request_event(uri, querystring=querystring)
    (result,) = run("redirect-table-from-key-value-store.js", event, pairs=redirects())
    assert result == {
        "statusCode": 301,
        "statusDescription": "Moved Permanently",
        "headers": {"location": {"value": location}},
    }


@pytest.mark.parametrize("uri", ["/", "/company/about", "/support/faq/more"])
def test_a_path_that_is_not_in_the_table_goes_to_the_origin(uri: str) -> None:
    event = request_event(uri)
    assert run("redirect-table-from-key-value-store.js", event, pairs=redirects()) == [event["request"]]
