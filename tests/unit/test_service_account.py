"""How the account of the service is learned."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from botocore import exceptions as boto
from structlog.testing import capture_logs

from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.upstream.service_account import ServiceAccount
from support.cloudfront.wire import client_error
from support.event_loop import event_loop, in_loop
from support.rules import FUNCTION_ARN
from support.values import STORE_ARN

OWN = "123456789012"


class Lists:
    """A backend with lists, which counts its calls."""

    def __init__(self, stores: list[str], functions: list[str]) -> None:
        self.stores = [{"ARN": arn} for arn in stores]
        self.functions = [{"FunctionMetadata": {"FunctionARN": arn}} for arn in functions]
        self.calls: list[str] = []
        self.error: Exception | None = None

    def list_key_value_stores(self, **_arguments: Any) -> Any:
        return self._list("stores", {"KeyValueStoreList": {"Items": self.stores}})

    def list_functions(self, **_arguments: Any) -> Any:
        return self._list("functions", {"FunctionList": {"Items": self.functions}})

    def _list(self, name: str, response: Any) -> Any:
        self.calls.append(name)
        if self.error:
            raise self.error
        return response


class Time:
    """A monotonic clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def no_sts() -> str:
    raise boto.EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com")


def new_account(find: Any, backend: Lists, clock: Time | None = None) -> ServiceAccount:
    clock = clock or Time()
    return ServiceAccount(find, backend, clock, clock.sleep)  # type: ignore[arg-type]


def test_sts_is_asked_once_and_nothing_is_listed() -> None:
    backend, asked = Lists([], []), []

    def find() -> str:
        asked.append(1)
        return OWN

    account = new_account(find, backend)

    assert in_loop(account.allowed) == (OWN,)
    assert in_loop(account.allowed) == (OWN,)
    assert (asked, backend.calls) == ([1], [])


def test_it_is_learned_in_the_background() -> None:
    learned = threading.Event()
    account = new_account(lambda: OWN, Lists([], []))

    async def learn() -> None:
        await account.learn()
        learned.set()

    asyncio.run_coroutine_threadsafe(learn(), event_loop())
    assert learned.wait(5)
    assert account.allowed() == (OWN,), "a call does not wait, so it needs no greenlet"


@pytest.mark.parametrize(
    ("stores", "functions", "calls"),
    [([STORE_ARN], [], ["stores"]), ([], [FUNCTION_ARN], ["stores", "functions"])],
)
def test_without_sts_the_lists_show_the_account(stores: list[str], functions: list[str], calls: list[str]) -> None:
    backend = Lists(stores, functions)
    account = new_account(no_sts, backend)

    assert in_loop(account.allowed) == (OWN,)
    assert in_loop(account.allowed) == (OWN,)
    assert backend.calls == calls


def test_an_account_without_resources_is_looked_up_again_after_some_seconds_and_logged_once() -> None:
    backend, clock = Lists([], []), Time()
    account = new_account(no_sts, backend, clock)
    with capture_logs() as lines:
        assert in_loop(account.allowed) == ()
        assert in_loop(account.allowed) == ()
        assert backend.calls == ["stores", "functions"]
        backend.stores = [{"ARN": STORE_ARN}]
        clock.now = 5.0
        assert in_loop(account.allowed) == (OWN,)

    assert [line["reason"] for line in lines] == [
        "no response from sts.us-east-1.amazonaws.com (EndpointConnectionError)"
    ]


def test_an_account_is_known_to_a_call_that_names_a_resource_that_was_just_created() -> None:
    backend, clock = Lists([], []), Time()
    account = new_account(no_sts, backend, clock)
    assert in_loop(account.allowed) == ()
    backend.stores = [{"ARN": STORE_ARN}]
    clock.now = 0.1
    with capture_logs() as lines:
        assert in_loop(account.allowed) == (OWN,)
    assert clock.now == 0.5, "the lists are not read more often"
    assert lines == [], "STS is not asked again so soon"


def test_a_failed_list_is_the_error_of_the_call() -> None:
    backend, clock = Lists([STORE_ARN], []), Time()
    backend.error = client_error("AccessDenied", 403)
    account = new_account(no_sts, backend, clock)

    with pytest.raises(StatusError) as first:
        in_loop(account.allowed)
    with pytest.raises(StatusError) as second:
        in_loop(account.allowed)

    assert (first.value.reason, second.value.reason) == ("UPSTREAM_ACCESS_DENIED",) * 2
    assert "name" not in first.value.metadata, "the failed call has no name"
    assert first.value is not second.value, "each call adds its own details"
    assert backend.calls == ["stores"]
    backend.error, clock.now = None, 5.0
    assert in_loop(account.allowed) == (OWN,)
