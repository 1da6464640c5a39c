"""The example functions, run by TestFunction on the embedded backend."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from cloudfront_facade.v1 import function_service_pb2
from cloudfront_facade.v1.function_service_pb2 import (
    DeleteFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2 import KeyChange, KeyValue, UpdateKeysRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from function_runtime.events import request_event, response_event, values
from support.facade import Facade, function, running_facade

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
REDIRECTS: Final = "redirect-table-from-key-value-store.js"
RUNTIMES: Final = {
    "1.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
    "2.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
}


class Examples:
    """The examples on a separate server, with a store that contains the redirects."""

    def __init__(self, facade: Facade) -> None:
        self._facade = facade
        store = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        self._store_arn = store.key_value_store.arn
        table = json.loads((EXAMPLES / "key-value-stores" / "redirects.json").read_text(encoding="utf-8"))
        facade.key_values.UpdateKeys(
            UpdateKeysRequest(
                kvs_arn=self._store_arn,
                changes=[KeyChange(put=KeyValue(key=pair["key"], value=pair["value"])) for pair in table["data"]],
            )
        )

    def test(self, name: str, event: Mapping[str, Any], runtime: str = "2.0") -> Any:
        """Creates an example, tests it with an event, and returns its output."""
        stores = [KeyValueStoreAssociation(key_value_store_arn=self._store_arn)] if name == REDIRECTS else []
        config = FunctionConfig(runtime=RUNTIMES[runtime], key_value_store_associations=stores)
        code = (EXAMPLES / "functions" / name).read_bytes()
        etag = self._facade.functions.CreateFunction(
            function("example", function_config=config, function_code=code)
        ).etag
        try:
            result = self._facade.functions.TestFunction(
                function_service_pb2.TestFunctionRequest(
                    name="example", etag=etag, event_object=json.dumps(event).encode()
                )
            ).test_result
        finally:
            self._facade.functions.DeleteFunction(DeleteFunctionRequest(name="example", etag=etag))
        assert not result.function_error_message
        assert list(result.function_execution_logs) == []
        assert 1 <= result.compute_utilization <= 100
        assert result.function_summary.name == "example"
        return json.loads(result.function_output)


@pytest.fixture(scope="module")
def examples() -> Iterator[Examples]:
    with running_facade(EmbeddedBackend(path=":memory:", s3_dir=None)) as facade:
        yield Examples(facade)


@pytest.mark.parametrize("runtime", ["1.0", "2.0"])
@pytest.mark.parametrize(
    ("uri", "rewritten"),
    [("/", "/index.html"), ("/docs/", "/docs/index.html"), ("/docs", "/docs/index.html"), ("/a.css", "/a.css")],
)
def test_a_folder_is_rewritten_to_its_index(examples: Examples, uri: str, rewritten: str, runtime: str) -> None:
    event = request_event(uri, querystring={"q": values("1")})
    assert examples.test("url-rewrite-index.js", event, runtime=runtime) == {
        "request": {
            "headers": {},
            "method": "GET",
            "querystring": {"q": {"value": "1"}},
            "uri": rewritten,
            "cookies": {},
        }
    }


def test_security_headers_are_added_and_those_of_the_origin_are_kept(examples: Examples) -> None:
    headers = {"content-type": values("text/html"), "x-frame-options": values("SAMEORIGIN")}
    output = examples.test("security-headers.js", response_event(headers=headers))["response"]
    assert output["statusCode"] == 200
    assert output["headers"]["x-frame-options"] == {"value": "SAMEORIGIN"}
    assert output["headers"]["x-content-type-options"] == {"value": "nosniff"}
    assert len(output["headers"]) == 7


@pytest.mark.parametrize(
    ("querystring", "location"),
    [
        ({}, "/de/shop/cart"),
        ({"q": values("caf%C3%A9+au")}, "/de/shop/cart?q=caf%C3%A9+au"),
        ({"size": values("s", "m"), "sort": values("price")}, "/de/shop/cart?size=s&size=m&sort=price"),
    ],
)
def test_a_viewer_is_redirected_to_the_site_of_the_country(
    examples: Examples, querystring: dict[str, Any], location: str
) -> None:
    headers = {"cloudfront-viewer-country": values("AT")}
    event = request_event("/shop/cart", headers=headers, querystring=querystring)
    assert examples.test("redirect-by-country.js", event) == {
        "response": {
            "headers": {"cache-control": {"value": "private, no-store"}, "location": {"value": location}},
            "statusDescription": "Found",
            "cookies": {},
            "statusCode": 302,
        }
    }


def test_a_viewer_without_a_country_is_not_redirected(examples: Examples) -> None:
    assert examples.test("redirect-by-country.js", request_event("/shop"))["request"]["uri"] == "/shop"


@pytest.mark.parametrize(
    ("cookie", "uri"), [(values("a"), "/page"), (values("b"), "/b/page"), (values("c", "b"), "/b/page")]
)
def test_the_cookie_selects_the_variant(examples: Examples, cookie: dict[str, Any], uri: str) -> None:
    event = request_event("/page", cookies={"experiment": cookie})
    assert examples.test("ab-test-by-cookie.js", event)["request"]["uri"] == uri


def test_a_viewer_without_a_cookie_gets_one_for_the_variant_shown(examples: Examples) -> None:
    uri = examples.test("ab-test-by-cookie.js", request_event("/page"))["request"]["uri"]
    cookie = examples.test("ab-test-by-cookie.js", response_event())["response"]["cookies"]["experiment"]
    assert cookie["value"] == ("b" if uri == "/b/page" else "a")
    assert "Path=/" in cookie["attributes"]


@pytest.mark.parametrize(
    ("uri", "querystring", "location"),
    [
        ("/about-us", {}, "/company/about"),
        ("/about-us/", {}, "/company/about"),
        ("/jobs", {"team": values("edge%20network")}, "https://careers.example.com/?team=edge%20network"),
        ("/pricing-2024", {"seat": values("1", "2")}, "/pricing?plan=all&seat=1&seat=2"),
        ("/support/faq", {"lang": values("de")}, "/help?lang=de#questions"),
    ],
)
def test_a_path_in_the_table_is_redirected(
    examples: Examples, uri: str, querystring: dict[str, Any], location: str
) -> None:
    event = request_event(uri, querystring=querystring)
    output = examples.test(REDIRECTS, event)["response"]
    assert (output["statusCode"], output["headers"]) == (301, {"location": {"value": location}})


def test_a_path_that_is_not_in_the_table_goes_to_the_origin(examples: Examples) -> None:
    output = examples.test(REDIRECTS, request_event("/company/about"))
    assert output["request"]["uri"] == "/company/about"
