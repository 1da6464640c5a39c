"""The examples, run as TestFunction runs them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloudfront_facade_server.backends.embedded.javascript import Runner
from javascript.running import many, request_event, response_event, run

EXAMPLES = Path(__file__).parents[2] / "examples"


def given(name: str, event: dict[str, Any], key_values: dict[str, str] | None = None, runtime: str = "2.0") -> Any:
    """What the example answers, in a process of its own as in TestFunction."""
    code = (EXAMPLES / "functions" / name).read_text(encoding="ascii")
    done = run(code, event, f"cloudfront-js-{runtime}", key_values, runner=Runner())
    assert done.error_message is None
    assert done.logs == []
    assert 1 <= done.compute_utilization <= 100
    assert done.output is not None
    return json.loads(done.output)


def redirects() -> dict[str, str]:
    table = json.loads((EXAMPLES / "key-value-stores" / "redirects.json").read_text(encoding="utf-8"))
    return {pair["key"]: pair["value"] for pair in table["data"]}


@pytest.mark.parametrize("runtime", ["1.0", "2.0"])
@pytest.mark.parametrize(
    ("uri", "rewritten"),
    [("/", "/index.html"), ("/docs/", "/docs/index.html"), ("/docs", "/docs/index.html"), ("/a.css", "/a.css")],
)
def test_a_folder_becomes_its_index(uri: str, rewritten: str, runtime: str) -> None:
    event = request_event(uri, querystring={"q": many("1")})
    assert given("url-rewrite-index.js", event, runtime=runtime) == {
        "request": {
            "headers": {},
            "method": "GET",
            "querystring": {"q": {"value": "1"}},
            "uri": rewritten,
            "cookies": {},
        }
    }


def test_security_headers_are_added_and_those_of_the_origin_stay() -> None:
    headers = {"content-type": many("text/html"), "x-frame-options": many("SAMEORIGIN")}
    answer = given("security-headers.js", response_event(headers=headers))["response"]
    assert answer["statusCode"] == 200
    assert answer["headers"]["x-frame-options"] == {"value": "SAMEORIGIN"}
    assert answer["headers"]["x-content-type-options"] == {"value": "nosniff"}
    assert len(answer["headers"]) == 7


@pytest.mark.parametrize(
    ("querystring", "location"),
    [
        ({}, "/de/shop/cart"),
        ({"q": many("caf%C3%A9+au")}, "/de/shop/cart?q=caf%C3%A9+au"),
        ({"size": many("s", "m"), "sort": many("price")}, "/de/shop/cart?size=s&size=m&sort=price"),
    ],
)
def test_a_viewer_is_sent_to_the_site_of_the_country(querystring: dict[str, Any], location: str) -> None:
    headers = {"cloudfront-viewer-country": many("AT")}
    event = request_event("/shop/cart", headers=headers, querystring=querystring)
    assert given("redirect-by-country.js", event) == {
        "response": {
            "headers": {"cache-control": {"value": "private, no-store"}, "location": {"value": location}},
            "statusDescription": "Found",
            "cookies": {},
            "statusCode": 302,
        }
    }


def test_a_viewer_without_a_country_stays() -> None:
    assert given("redirect-by-country.js", request_event("/shop"))["request"]["uri"] == "/shop"


@pytest.mark.parametrize(("cookie", "uri"), [(many("a"), "/page"), (many("b"), "/b/page"), (many("c", "b"), "/b/page")])
def test_the_cookie_says_which_variant_is_shown(cookie: dict[str, Any], uri: str) -> None:
    event = request_event("/page", cookies={"experiment": cookie})
    assert given("ab-test-by-cookie.js", event)["request"]["uri"] == uri


def test_a_viewer_without_a_cookie_gets_one_that_agrees_with_what_was_shown() -> None:
    shown = given("ab-test-by-cookie.js", request_event("/page"))["request"]["uri"]
    kept = given("ab-test-by-cookie.js", response_event())["response"]["cookies"]["experiment"]
    assert kept["value"] == ("b" if shown == "/b/page" else "a")
    assert "Path=/" in kept["attributes"]


@pytest.mark.parametrize(
    ("uri", "querystring", "location"),
    [
        ("/about-us", {}, "/company/about"),
        ("/about-us/", {}, "/company/about"),
        ("/jobs", {"team": many("edge%20network")}, "https://careers.example.com/?team=edge%20network"),
        ("/pricing-2024", {"seat": many("1", "2")}, "/pricing?plan=all&seat=1&seat=2"),
        ("/support/faq", {"lang": many("de")}, "/help?lang=de#questions"),
    ],
)
def test_a_path_in_the_table_is_redirected(uri: str, querystring: dict[str, Any], location: str) -> None:
    event = request_event(uri, querystring=querystring)
    answer = given("redirect-table-from-key-value-store.js", event, redirects())["response"]
    assert (answer["statusCode"], answer["headers"]) == (301, {"location": {"value": location}})


def test_a_path_that_is_not_in_the_table_goes_to_the_origin() -> None:
    answer = given("redirect-table-from-key-value-store.js", request_event("/company/about"), redirects())
    assert answer["request"]["uri"] == "/company/about"
