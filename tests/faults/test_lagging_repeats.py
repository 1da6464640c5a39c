"""Updates that are repeated with an outdated etag while reads lag 2 s behind writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from faults.changing import MakeBackend
from faults.lagging import SETTLE_TIMEOUT, A, B, C, Lagging
from support.facade import failing, failure_of, running_facade

SHORT = (1.1, 1.4)
"""Deadlines that leave no time for a read after the lag."""
LONG = (4.6, 8.0)
"""Deadlines that leave time for it: until the half of SETTLE_TIMEOUT, or at least for more than LAG."""


@pytest.fixture
def other(at: Lagging, aws_backend: MakeBackend) -> Iterator[Lagging]:
    """Another replica, which does not know what the first one has changed."""
    with running_facade(aws_backend(at.double), settle_timeout=SETTLE_TIMEOUT) as facade:
        yield Lagging(facade, at.double, at.reads, at.etags, at.arns)


def name_for(deadline: float) -> str:
    return f"d{deadline * 10:.0f}"


def results_of_repeats(at: Lagging, etags: Mapping[float, str]) -> dict[float, tuple[str, str]]:
    """Repeats the update to A of each function at the same time; returns OK or the reason, and the outcome."""

    def result(deadline: float) -> tuple[str, str]:
        try:
            at.update(name_for(deadline), A, etags[deadline], deadline)
        except grpc.RpcError as error:
            failure = failure_of(error)
            return failure.reason, failure.outcome
        return "OK", "applied"

    with ThreadPoolExecutor(len(etags)) as callers:
        return dict(zip(etags, callers.map(result, etags), strict=True))


def replaced_updates(at: Lagging, replace: Callable[[str], Any]) -> dict[float, str]:
    """Updates a function for each deadline from C to A and then replaces A, which reads do not show yet.

    Returns:
        For each deadline, the etag of C.
    """
    etags = {}
    for deadline in (*SHORT, *LONG):
        name = name_for(deadline)
        at.create(name, function_code=C)
        etags[deadline] = at.etags[name]
        at.update(name, A)
    at.reads.catch_up()
    for deadline in etags:
        replace(name_for(deadline))
    return etags


MISMATCH = ("ETAG_MISMATCH", "not_applied")
UNKNOWN = ("UPSTREAM_OUTCOME_UNKNOWN", "unknown")


def test_an_older_version_does_not_confirm_an_update_with_an_outdated_etag(at: Lagging) -> None:
    etags = replaced_updates(at, lambda name: at.update(name, B))
    assert results_of_repeats(at, etags) == dict.fromkeys(etags, MISMATCH)


def test_a_deleted_version_does_not_confirm_an_update_with_an_outdated_etag(at: Lagging) -> None:
    def delete_and_create(name: str) -> None:
        at.facade.functions.DeleteFunction(functions.DeleteFunctionRequest(name=name, etag=at.etags[name]))
        at.create(name, function_code=B)

    etags = replaced_updates(at, delete_and_create)
    assert results_of_repeats(at, etags) == dict.fromkeys(etags, MISMATCH)


def test_an_older_version_confirms_nothing_at_another_replica(at: Lagging, other: Lagging) -> None:
    etags = replaced_updates(at, lambda name: at.update(name, B))
    expected = dict.fromkeys(SHORT, UNKNOWN) | dict.fromkeys(LONG, MISMATCH)
    assert results_of_repeats(other, etags) == expected


def test_the_current_version_confirms_a_repeat_at_another_replica_only_with_enough_time(
    at: Lagging, other: Lagging
) -> None:
    etags = replaced_updates(at, lambda _name: None)
    assert results_of_repeats(at, etags) == dict.fromkeys(etags, ("OK", "applied"))
    expected = dict.fromkeys(SHORT, UNKNOWN) | dict.fromkeys(LONG, ("OK", "applied"))
    assert results_of_repeats(other, etags) == expected


def test_an_older_comment_does_not_confirm_an_update_of_a_store(at: Lagging, other: Lagging) -> None:
    at.create_store("redirects", "c")
    outdated = at.etags["redirects"]
    at.update_store("redirects", "a")
    at.reads.catch_up()
    at.update_store("redirects", "b")
    request = stores.UpdateKeyValueStoreRequest(name="redirects", etag=outdated, comment="a")
    for replica, expected in ((at, MISMATCH), (other, UNKNOWN)):
        failure = failing(replica.facade.stores.UpdateKeyValueStore, request, timeout=1.1)
        assert (failure.reason, failure.outcome) == expected
        assert failure.metadata["etag"] == outdated
