"""Changes whose response is lost while reads lag 2 s behind writes.

Each case prepares a state in which a read that lags shows what the change asks for, although it is not so.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from faults.lagging import SETTLE_TIMEOUT, A, B, Lagging
from support.cloudfront.faults import Fault, apply_then_status, status_only
from support.facade import failure_of


@dataclass(frozen=True)
class Case:
    """A change.

    Attributes:
        operation: The operation whose response is lost.
        old: Creates what the case needs, before the lag.
        recent: Makes the changes that reads do not show yet.
        change: Makes the change.
    """

    operation: str
    old: Callable[[Lagging, str], Any]
    recent: Callable[[Lagging, str], Any]
    change: Callable[[Lagging, str], Any]


def created_and_published(at: Lagging, name: str) -> None:
    at.create(name)
    at.publish(name)


def store_with_a_key(at: Lagging, name: str) -> None:
    at.create_store(name)
    at.put(name, "1")


def published_b(at: Lagging, name: str) -> None:
    """Publishes B, then updates to A."""
    at.update(name, B)
    at.publish(name)
    at.update(name, A)


CASES: Final[dict[str, Case]] = {
    "delete": Case(
        "DeleteFunction",
        lambda _at, _name: None,
        lambda at, name: at.create(name),
        lambda at, name: at.facade.functions.DeleteFunction(
            functions.DeleteFunctionRequest(name=name, etag=at.etags[name])
        ),
    ),
    "delete-store": Case(
        "DeleteKeyValueStore",
        lambda _at, _name: None,
        lambda at, name: at.create_store(name),
        lambda at, name: at.facade.stores.DeleteKeyValueStore(
            stores.DeleteKeyValueStoreRequest(name=name, etag=at.etags[name])
        ),
    ),
    "untag": Case(
        "UntagResource",
        lambda at, name: at.create(name),
        lambda at, name: at.tag(name, "1"),
        lambda at, name: at.facade.tags.UntagResource(
            tags.UntagResourceRequest(resource=at.arns[name], tag_keys=["t"])
        ),
    ),
    "tag": Case(
        "TagResource",
        lambda at, name: at.create(name, tags=[Tag(key="t", value="1")]),
        lambda at, name: at.tag(name, "2"),
        lambda at, name: at.tag(name, "1"),
    ),
    "update": Case(
        "UpdateFunction",
        lambda at, name: at.create(name),
        lambda at, name: at.update(name, B),
        lambda at, name: at.update(name, A),
    ),
    "update-store": Case(
        "UpdateKeyValueStore",
        lambda at, name: at.create_store(name, "a"),
        lambda at, name: at.update_store(name, "b"),
        lambda at, name: at.update_store(name, "a"),
    ),
    "publish": Case(
        "PublishFunction",
        created_and_published,
        published_b,
        lambda at, name: at.publish(name),
    ),
    "delete-key": Case(
        "DeleteKey",
        lambda at, name: at.create_store(name),
        lambda at, name: at.put(name, "1"),
        lambda at, name: at.facade.key_values.DeleteKey(data.DeleteKeyRequest(kvs_arn=at.arns[name], key="k")),
    ),
    "put-key": Case(
        "PutKey",
        store_with_a_key,
        lambda at, name: at.put(name, "2"),
        lambda at, name: at.put(name, "1"),
    ),
}


def results_of_lost_changes(at: Lagging, fault: Fault) -> dict[str, str]:
    """Makes the changes of all cases at the same time while reads lag; returns OK or the reason for each."""
    for name, case in CASES.items():
        case.old(at, name)
    at.reads.catch_up()
    for name, case in CASES.items():
        case.recent(at, name)
    for case in CASES.values():
        at.double.always(case.operation, fault)

    def result(name: str) -> str:
        try:
            CASES[name].change(at, name)
        except grpc.RpcError as error:
            return failure_of(error).reason
        return "OK"

    with ThreadPoolExecutor(len(CASES)) as callers:
        return dict(zip(CASES, callers.map(result, CASES), strict=True))


@pytest.mark.parametrize("at", [SETTLE_TIMEOUT, 2.0], indirect=True, ids="settled for {:g} s".format)
def test_nothing_that_was_not_applied_succeeds_while_reads_lag(at: Lagging) -> None:
    results = results_of_lost_changes(at, status_only(503))
    assert results == dict.fromkeys(CASES, "UPSTREAM_OUTCOME_UNKNOWN")


def test_what_was_applied_succeeds_while_reads_lag(at: Lagging) -> None:
    results = results_of_lost_changes(at, apply_then_status(503))
    assert results == dict.fromkeys(CASES, "OK")
