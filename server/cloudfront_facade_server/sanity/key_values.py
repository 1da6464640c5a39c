"""Cases of KeyValueStoreDataService."""

from __future__ import annotations

import uuid
from typing import Final

import grpc

from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data

from .expectations import check, check_equal, check_fails
from .facade import Facade, pages
from .function_tests import run_version
from .registry import CaseRegistry

case: Final = CaseRegistry("keys")

_READING: Final = b"""
import cf from 'cloudfront';
async function handler(event) {
    const value = await cf.kvs().get(event.request.uri);
    return { statusCode: 302, headers: { location: { value: value } } };
}
"""


def put(facade: Facade, arn: str, key: str, value: str, etag: str = "") -> data.PutKeyResponse:
    """Sets the value of a key."""
    return facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=arn, key=key, value=value, etag=etag))


def get(facade: Facade, arn: str, key: str) -> str:
    """Returns the value of a key."""
    return facade.key_values.GetKey(data.GetKeyRequest(kvs_arn=arn, key=key)).value


def change(key: str, value: str | None = None) -> data.KeyChange:
    """Returns a change that sets a key; without a value, one that deletes it."""
    return data.KeyChange(delete=key) if value is None else data.KeyChange(put=data.KeyValue(key=key, value=value))


@case("stores")
def life(facade: Facade) -> None:
    """Should put, get and delete keys with any text, and count them."""
    arn = facade.ready_store().arn
    for key in ("/a", "a/b/../c", "100%", "\u00e9\u4e2d", " "):
        put(facade, arn, key, f"value of {key}")
        check_equal(get(facade, arn, key), f"value of {key}", f"the value of {key!a}")
    described = facade.key_values.DescribeKeyValueStoreData(data.DescribeKeyValueStoreDataRequest(kvs_arn=arn))
    check_equal(described.item_count, 5, "the number of keys")
    facade.key_values.DeleteKey(data.DeleteKeyRequest(kvs_arn=arn, key="/a"))
    check_fails(lambda: get(facade, arn, "/a"), grpc.StatusCode.NOT_FOUND, "KEY_NOT_FOUND")


@case("stores")
def missing_store(facade: Facade) -> None:
    """Should report a missing store, not a missing key."""
    store = facade.create_store().key_value_store
    missing = f"{store.arn.removesuffix(store.id)}{uuid.uuid4()}"
    check_fails(lambda: get(facade, missing, "k"), grpc.StatusCode.NOT_FOUND, "KEY_VALUE_STORE_NOT_FOUND")
    check_fails(lambda: put(facade, missing, "k", "v"), grpc.StatusCode.NOT_FOUND, "KEY_VALUE_STORE_NOT_FOUND")


@case("stores")
def versions(facade: Facade) -> None:
    """Should write keys if the etag is current, and reject an outdated etag."""
    arn = facade.ready_store().arn
    first = put(facade, arn, "k", "1")
    second = put(facade, arn, "k", "2", first.etag)
    check_fails(lambda: put(facade, arn, "k", "3", first.etag), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    deletion = data.DeleteKeyRequest(kvs_arn=arn, key="k", etag=first.etag)
    check_fails(lambda: facade.key_values.DeleteKey(deletion), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    check_equal(get(facade, arn, "k"), "2", "the value")
    put(facade, arn, "k", "4", second.etag)


@case("stores")
def many(facade: Facade) -> None:
    """Should apply any number of changes in order."""
    arn = facade.ready_store().arn
    changes = [change(f"k{number}", "first") for number in range(120)]
    changes += [change("k0", "second"), change("k1"), change("k1", "again"), change("k2")]
    facade.key_values.UpdateKeys(data.UpdateKeysRequest(kvs_arn=arn, changes=changes))
    check_equal(
        (get(facade, arn, "k0"), get(facade, arn, "k1"), get(facade, arn, "k3")),
        ("second", "again", "first"),
        "the values",
    )
    check_fails(lambda: get(facade, arn, "k2"), grpc.StatusCode.NOT_FOUND, "KEY_NOT_FOUND")


@case("stores")
def stale_many(facade: Facade) -> None:
    """Should not apply any change of an update if the etag is outdated."""
    arn = facade.ready_store().arn
    etag = put(facade, arn, "k", "1").etag
    put(facade, arn, "k", "2")
    request = data.UpdateKeysRequest(kvs_arn=arn, changes=[change("k", "3")], etag=etag)
    details = check_fails(lambda: facade.key_values.UpdateKeys(request), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    check_equal(details["ErrorInfo"].metadata["outcome"], "not_applied", "the outcome")
    check_equal(get(facade, arn, "k"), "2", "the value")


@case("stores")
def stream(facade: Facade) -> None:
    """Should import keys from a stream, and list all of them, page by page."""
    arn = facade.ready_store().arn
    requests = [
        data.ImportKeysRequest(
            kvs_arn="" if start else arn,
            changes=[change(f"k{number:03}", f"v{number}") for number in range(start, start + 60)],
        )
        for start in (0, 60, 120)
    ]
    imported = facade.key_values.ImportKeys(iter(requests))
    check_equal(
        (imported.applied_changes, imported.item_count), (180, 180), "the number of applied changes and of keys"
    )
    listed: dict[str, str] = {}
    for page in pages(facade.key_values.ListKeys, data.ListKeysRequest(kvs_arn=arn, page_size=50)):
        listed |= {item.key: item.value for item in page.items}
    check_equal(listed, {f"k{number:03}": f"v{number}" for number in range(180)}, "the list of keys")


@case("stores", "functions", "test")
def read_by_function(facade: Facade) -> None:
    """Should let a function read the store that it is associated with."""
    arn = facade.ready_store().arn
    put(facade, arn, "/old", "/new")
    created = facade.create_function(_READING, store_arn=arn)
    result = run_version(facade, created.function_summary.name, created.etag, uri="/old")
    check(
        "/new" in result.function_output,
        f"the output is {result.function_output!a}, the error message {result.function_error_message!a}",
    )
