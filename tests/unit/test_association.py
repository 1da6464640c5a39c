"""The reason why a function cannot be associated with its store, according to ListKeyValueStores."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudfront_facade_server.call_context import CallContext
from cloudfront_facade_server.errors.classify import classify
from cloudfront_facade_server.errors.status_error import StatusError
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

    def __init__(
        self, *pages: list[dict[str, str]] | Exception, endless: bool = False, data: dict[str, str] | None = None
    ) -> None:
        self._pages = pages
        self._endless = endless
        self._data = data
        self.requests: list[dict[str, Any]] = []

    def list_key_value_stores(self, **arguments: Any) -> dict[str, Any]:
        self.requests.append(arguments)
        index = int(arguments.get("Marker", 0))
        page = self._pages[0 if self._endless else index]
        if isinstance(page, Exception):
            raise page
        more = {"NextMarker": str(index + 1)} if self._endless or index + 1 < len(self._pages) else {}
        return {"KeyValueStoreList": {"Items": page, **more}}

    def describe_key_value_store_data(self, **arguments: Any) -> dict[str, str]:
        assert arguments == {"KvsARN": STORE_ARN}
        if self._data is None:
            raise create_error("AccessDeniedException")
        return self._data


def failure_of(stores: Stores, error: ClientError, sent: Any = SENT, deadline: float = 10) -> StatusError | None:
    limiter, timeouts = ConcurrencyLimiter(1, 0.5), SettleTimeouts(total=0.0, longest_send=0.0, lag=0.0)
    client = UpstreamClient(stores, limiter, timeouts)  # type: ignore[arg-type]
    call = CallContext("CreateFunction", "test", deadline=deadline, clock=lambda: len(stores.requests))
    return association.explain(client, call, sent, classify(error))


def explain(stores: Stores, code: str = "InvalidArgument", sent: Any = SENT) -> str | None:
    error = failure_of(stores, create_error(code), sent)
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


TOO_EARLY = client_error(
    "InvalidArgument",
    400,
    f"KeyValueStore {STORE_ARN} cannot be associated before the resource is provisioned.",
    operation="CreateFunction",
)


@pytest.mark.parametrize(
    ("stores", "deadline"),
    [
        (Stores([{"ARN": STORE_ARN, "Status": "READY"}], data={"Status": "READY"}), 10),
        (Stores([{"ARN": STORE_ARN, "Status": "PROVISIONING"}]), 10),
        (Stores([]), 10),
        (Stores(create_error("AccessDenied")), 10),
        (Stores([]), 0.4),
    ],
    ids=["READY", "PROVISIONING", "missing", "unreadable", "no time"],
)
def test_an_association_that_is_too_early_can_be_repeated_whatever_the_reads_say(
    stores: Stores, deadline: float
) -> None:
    error = failure_of(stores, TOO_EARLY, deadline=deadline)
    assert error
    assert error.reason == "KEY_VALUE_STORE_NOT_READY"
    assert '"PROVISIONING"' in error.message
    assert error.retry_after


@pytest.mark.parametrize("error", [TOO_EARLY, create_error("InvalidArgument")], ids=["too early", "invalid"])
@pytest.mark.parametrize("status", ["READY", "PROVISIONING"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"Status": "FAILED", "FailureReason": "no such object in imports"}, "no such object in imports"),
        ({"FailureReason": "no such object in imports"}, "no such object in imports"),
        ({"Status": "FAILED"}, "CloudFront states no reason"),
    ],
    ids=["both", "reason", "status"],
)
def test_a_failed_import_explains_a_rejected_association_and_has_no_retry_delay(
    data: dict[str, str], reason: str, status: str, error: ClientError
) -> None:
    failure = failure_of(Stores([{"ARN": STORE_ARN, "Status": status}], data=data), error)
    assert failure
    assert (failure.reason, failure.retry_after) == ("KEY_VALUE_STORE_FAILED", None)
    assert failure.metadata["failure_reason"] == reason
    assert failure.metadata["key_value_store_arn"] == STORE_ARN
    assert reason in failure.message
