"""The limits of each caller: rate, calls in flight, and what a reload keeps."""

from __future__ import annotations

import gc
from typing import Any, Final

import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from cloudfront_facade_server.caller_limits.entries import Limits
from cloudfront_facade_server.caller_limits.file import load
from cloudfront_facade_server.caller_limits.limits import CallerLimits
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.identity.caller import ANONYMOUS, Caller
from cloudfront_facade_server.validation.tags import TagRules

MILLISECOND: Final = 1_000_000
WEB: Final = Caller("spiffe://example.org/ns/web/sa/deploy", "spiffe")
SHOP: Final = Caller("spiffe://example.org/ns/shop/sa/deploy", "spiffe")


class Limited:
    """Limits with a clock that the test sets, and a file that it replaces."""

    def __init__(self, text: str) -> None:
        self.now = 10**18
        self.limits = CallerLimits(lambda: self.current, lambda: self.now)
        self.replace(text)

    def replace(self, text: str) -> None:
        """Puts another file in force."""
        self.current: Limits = load({"limits.yaml": text.encode()}, TagRules().check)

    def error(self, caller: Caller = WEB) -> StatusError:
        """Returns the error of a call that is not admitted."""
        with pytest.raises(StatusError) as caught:
            self.limits.admit(caller)
        return caught.value


def detail(error: StatusError, kind: type[Message]) -> Any:
    """Returns a detail of the status that the caller receives."""
    message = kind()
    status = status_pb2.Status.FromString(dict(error.trailing_metadata("PutKey"))["grpc-status-details-bin"])
    [found] = [each for each in status.details if each.Is(kind.DESCRIPTOR)]
    found.Unpack(message)
    return message


def test_a_caller_above_its_rate_is_rejected_with_the_exact_time_of_its_next_call() -> None:
    limited = Limited("- {callers: '*', calls_per_second: 3, burst: 2}")
    limited.limits.admit(WEB)
    limited.limits.admit(WEB)
    error = limited.error()
    assert (error.code.name, error.reason, error.outcome) == ("RESOURCE_EXHAUSTED", "CALLER_LIMITED", "not_applied")
    assert error.message == "the caller's limit calls_per_second of 3 is reached; retry in 0.334 s"
    assert detail(error, error_details_pb2.ErrorInfo).metadata["limit"] == "calls_per_second"
    wait = detail(error, error_details_pb2.RetryInfo).retry_delay.ToMilliseconds()
    assert (wait, error.pushback) == (334, 334)
    limited.now += (wait - 1) * MILLISECOND
    limited.error()
    limited.now += MILLISECOND
    limited.limits.admit(WEB)


def test_each_identity_has_a_rate_of_its_own() -> None:
    limited = Limited("- {callers: '*', calls_per_second: 1}")
    limited.limits.admit(WEB)
    limited.error()
    limited.limits.admit(SHOP)
    limited.limits.admit(ANONYMOUS)
    limited.error(ANONYMOUS)


def test_a_caller_with_too_many_calls_in_flight_is_rejected_until_one_ends() -> None:
    limited = Limited("- {callers: '*', calls_in_flight: 2}")
    first = limited.limits.admit(WEB)
    with limited.limits.admit(WEB):
        error = limited.error()
        limited.limits.admit(SHOP)
    assert (error.reason, error.metadata) == ("CALLER_LIMITED", {"limit": "calls_in_flight", "value": "2"})
    assert 0.5 <= (error.retry_after or 0) <= 1.5
    limited.limits.admit(WEB)
    limited.error()
    first.release()
    limited.limits.admit(WEB)


def test_a_release_counts_once() -> None:
    limited = Limited("- {callers: '*', calls_in_flight: 1}")
    first = limited.limits.admit(WEB)
    first.release()
    second = limited.limits.admit(WEB)
    first.release()
    limited.error()
    second.release()


def test_a_rejected_call_counts_towards_nothing() -> None:
    limited = Limited("- {callers: '*', calls_per_second: 1, burst: 2, calls_in_flight: 1}")
    first = limited.limits.admit(WEB)
    limited.error()  # in flight: takes nothing from the rate
    first.release()
    limited.limits.admit(WEB).release()
    assert limited.error().metadata["limit"] == "calls_per_second"  # takes no place
    limited.now += 1000 * MILLISECOND
    limited.limits.admit(WEB)


def test_callers_that_no_entry_matches_have_no_limits_and_no_forced_tags() -> None:
    limited = Limited("- {callers: a, calls_in_flight: 1, tags: {team: web}}")
    calls = [limited.limits.admit(WEB) for _ in range(100)]
    assert not calls[0].tags


def test_an_admitted_call_has_the_forced_tags_of_its_caller() -> None:
    limited = Limited("- {callers: 'spiffe://example.org/ns/web/*', tags: {team: web}}")
    assert [tag.key for tag in limited.limits.admit(WEB).tags.tags] == ["team"]


def test_a_reload_keeps_the_rate_of_callers_whose_limit_did_not_change() -> None:
    web = "- {callers: '*/ns/web/*', calls_per_second: 1}"
    limited = Limited(f"{web}\n- {{callers: '*', calls_per_second: 1, burst: 1}}")
    limited.limits.admit(WEB)
    limited.limits.admit(SHOP)
    limited.replace(f"- {{callers: x}}\n{web}\n- {{callers: '*', calls_per_second: 2}}")
    limited.error(WEB)
    limited.limits.admit(SHOP)


def test_a_reload_keeps_the_calls_in_flight() -> None:
    limited = Limited("- {callers: '*'}")
    before = limited.limits.admit(WEB)
    limited.replace("- {callers: '*', calls_in_flight: 1}")
    limited.error()
    before.release()
    limited.limits.admit(WEB)


def test_memory_returns_when_calls_end() -> None:
    limited = Limited("- {callers: '*', calls_in_flight: 5}")
    calls = [limited.limits.admit(Caller(f"dns:{number}", "dns")) for number in range(1000)]
    assert len(limited.limits._in_flight) == 1000
    for call in calls:
        call.release()
    gc.collect()
    assert len(limited.limits._in_flight) == 0
