"""The reason why a function cannot be associated with its store, according to ListKeyValueStores."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.call_context import CallContext
from cloudfront_facade_server.errors.classify import classify
from cloudfront_facade_server.upstream.client import UpstreamClient
from cloudfront_facade_server.upstream.concurrency_limiter import ConcurrencyLimiter
from cloudfront_facade_server.upstream.diagnostics import association
from cloudfront_facade_server.upstream.timeouts import SettleTimeouts
from support.cloudfront.wire import client_error
from support.values import STORE_ARN

SENT = {"FunctionConfig": {"KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]}}}


def create_error(code: str) -> ClientError:
    return client_error(code, 400, operation="CreateFunction")


class Stores:
    """A backend that lists pages of stores, or fails."""

    def __init__(self, *pages: list[dict[str, str]] | Exception, endless: bool = False) -> None:
        self._pages = pages
        self._endless = endless
        self.requests: list[dict[str, Any]] = []

    def list_key_value_stores(self, **arguments: Any) -> dict[str, Any]:
        self.requests.append(arguments)
        index = int(arguments.get("Marker", 0))
        page = self._pages[0 if self._endless else index]
        if isinstance(page, Exception):
            raise page
        more = {"NextMarker": str(index + 1)} if self._endless or index + 1 < len(self._pages) else {}
        return {"KeyValueStoreList": {"Items": page, **more}}


def explain(stores: Stores, code: str = "InvalidArgument", sent: Any = SENT) -> str | None:
    limiter, timeouts = ConcurrencyLimiter(1, 0.0), SettleTimeouts(read=0.0, total=0.0, longest_send=0.0)
    client = UpstreamClient(stores, limiter, timeouts)  # type: ignore[arg-type]
    call = CallContext("CreateFunction", "test", deadline=10, clock=lambda: len(stores.requests))
    error = association.explain(client, call, sent, classify(create_error(code)))
    return error.reason if error else None


def test_stores_are_read_from_every_page() -> None:
    other = {"ARN": "another", "Status": "READY"}
    stores = Stores([other], [other], [{"ARN": STORE_ARN, "Status": "PROVISIONING"}])
    assert explain(stores) == "KEY_VALUE_STORE_NOT_READY"
    assert [request.get("Marker") for request in stores.requests] == [None, "1", "2"]
    assert explain(Stores([other], [other])) == "KEY_VALUE_STORE_NOT_FOUND"


def test_a_ready_store_does_not_explain_the_error() -> None:
    assert explain(Stores([{"ARN": STORE_ARN, "Status": "READY"}])) is None


def test_other_errors_and_functions_without_a_store_cause_no_reads() -> None:
    stores = Stores([])
    assert explain(stores, code="TooManyFunctions") is None
    assert explain(stores, sent={"FunctionConfig": {}}) is None
    assert explain(stores, sent={"Name": "a-store"}) is None
    assert stores.requests == []


@pytest.mark.parametrize("stores", [Stores(create_error("AccessDenied")), Stores([{"ARN": "another"}], endless=True)])
def test_an_incomplete_list_of_stores_does_not_explain_the_error(stores: Stores) -> None:
    assert explain(stores) is None
    assert len(stores.requests) <= 10, "there is no time for more reads"
