"""Page tokens, etags and other fields that no honest caller sends: rejected quickly, and nothing is sent upstream."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import grpc
import pytest
from grpc_health.v1.health import SERVICE_NAME as HEALTH

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade_server import page_tokens
from faults.changing import publishing, updating
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing, function
from support.values import STORE_ARN

PAGES: Final[dict[str, Callable[[Facade, str, int], Any]]] = {
    "ListFunctions": lambda facade, token, size: failing(
        facade.functions.ListFunctions, functions.ListFunctionsRequest(page_token=token, page_size=size)
    ),
    "ListKeyValueStores": lambda facade, token, size: failing(
        facade.stores.ListKeyValueStores, stores.ListKeyValueStoresRequest(page_token=token, page_size=size)
    ),
    "ListKeys": lambda facade, token, size: failing(
        facade.key_values.ListKeys, data.ListKeysRequest(kvs_arn=STORE_ARN, page_token=token, page_size=size)
    ),
}
"""For each list, a call that fails."""

ETAGS: Final[dict[str, Callable[[Facade, str], Any]]] = {
    "UpdateFunction": lambda facade, etag: failing(facade.functions.UpdateFunction, updating(etag)),
    "PublishFunction": lambda facade, etag: failing(facade.functions.PublishFunction, publishing(etag)),
    "DeleteKeyValueStore": lambda facade, etag: failing(
        facade.stores.DeleteKeyValueStore, stores.DeleteKeyValueStoreRequest(name="redirects", etag=etag)
    ),
    "PutKey": lambda facade, etag: failing(
        facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v", etag=etag)
    ),
    "ImportKeys": lambda facade, etag: failing(
        facade.key_values.ImportKeys, iter([data.ImportKeysRequest(kvs_arn=STORE_ARN, etag=etag)])
    ),
}
"""For some rpcs of both planes, a call with an etag that fails."""


@pytest.mark.parametrize("operation", PAGES)
@pytest.mark.parametrize(
    ("token", "page_size", "rule"),
    [
        ("garbage", 0, "PAGE_TOKEN_FORM"),
        ("A" * 200_000, 0, "PAGE_TOKEN_FORM"),
        ("[" * 200_000, 0, "PAGE_TOKEN_FORM"),
        (page_tokens.encode("ListDistributions", "m"), 0, "PAGE_TOKEN_FORM"),
        ("", -1, "PAGE_SIZE_RANGE"),
    ],
    ids=["garbage", "200 KB", "200 KB of brackets", "of another list", "negative size"],
)
def test_an_invalid_page_is_rejected_and_nothing_is_sent(
    facade: Facade, cloudfront: CloudFrontDouble, operation: str, token: str, page_size: int, rule: str
) -> None:
    failure = PAGES[operation](facade, token, page_size)

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.reason for violation in failure.violations] == [rule]
    assert len(failure.message) < 300
    assert cloudfront.requests == ()


@pytest.mark.parametrize("operation", ETAGS)
@pytest.mark.parametrize(
    ("etag", "rule"),
    [
        ("E1\r\nX-Injected: 1", "ETAG_CHARACTERS"),
        ('"E1"', "ETAG_CHARACTERS"),
        ("E" * 10_240, "ETAG_LENGTH"),
        ("*", "ETAG_FORM"),
        ("E1,E2", "ETAG_FORM"),
        ("W/E1", "ETAG_FORM"),
    ],
)
def test_an_etag_that_if_match_would_understand_differently_is_rejected_and_nothing_is_sent(
    facade: Facade, cloudfront: CloudFrontDouble, operation: str, etag: str, rule: str
) -> None:
    failure = ETAGS[operation](facade, etag)

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [(violation.field, violation.reason) for violation in failure.violations] == [("etag", rule)]
    assert cloudfront.requests == ()


def test_items_that_come_and_go_between_pages_appear_at_most_once(facade: Facade) -> None:
    etags = {name: facade.functions.CreateFunction(function(name)).etag for name in ("b", "d", "f")}
    request = functions.ListFunctionsRequest(page_size=1)

    page = facade.functions.ListFunctions(request)
    seen = [page.functions[0].name]
    facade.functions.DeleteFunction(functions.DeleteFunctionRequest(name=seen[0], etag=etags[seen[0]]))
    facade.functions.CreateFunction(function("z"))
    while page.next_page_token:
        request.page_token = page.next_page_token
        page = facade.functions.ListFunctions(request)
        seen += [summary.name for summary in page.functions]

    assert len(seen) == len(set(seen))
    assert {"b", "d", "f"} <= set(seen)


def test_a_page_size_of_a_billion_is_the_largest_page(facade: Facade) -> None:
    facade.functions.CreateFunction(function())

    page = facade.functions.ListFunctions(functions.ListFunctionsRequest(page_size=1_000_000_000))

    assert [summary.name for summary in page.functions] == ["rewrite"]


def test_page_tokens_of_megabytes_do_not_delay_health(facade: Facade, cloudfront: CloudFrontDouble) -> None:
    request = data.ListKeysRequest(kvs_arn=STORE_ARN, page_token="W" * (4 * 2**20 - 1000))
    ended = threading.Event()
    codes: list[grpc.StatusCode] = []

    def flood() -> None:
        codes.extend(failing(facade.key_values.ListKeys, request).code for _ in range(10))
        ended.set()

    threading.Thread(target=flood, daemon=True).start()
    delays = []
    while not ended.is_set():
        start = time.monotonic()
        assert facade.channel.unary_unary(f"/{HEALTH}/Check")(b"", timeout=5) == b"\x08\x01"
        delays.append(time.monotonic() - start)

    assert codes == [grpc.StatusCode.INVALID_ARGUMENT] * 10
    assert sorted(delays)[len(delays) // 2] < 0.1
    assert cloudfront.requests == ()
