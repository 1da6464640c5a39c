"""Cases of KeyValueStoreService."""

from __future__ import annotations

from typing import Final

import grpc

from cloudfront_facade.v1 import key_value_store_service_pb2 as stores

from .expectations import check, check_equal, check_fails
from .facade import Facade, pages
from .registry import CaseRegistry

case: Final = CaseRegistry("stores")


def describe(facade: Facade, name: str) -> stores.DescribeKeyValueStoreResponse:
    """Describes a store."""
    return facade.key_value_stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name=name))


@case()
def create(facade: Facade) -> None:
    """Should create a store that becomes READY."""
    created = facade.create_store()
    name = created.key_value_store.name
    waited = facade.key_value_stores.WaitForKeyValueStore(stores.WaitForKeyValueStoreRequest(name=name))
    check_equal(waited.key_value_store.status, "READY", "the status")
    check_equal(waited.key_value_store.arn, created.key_value_store.arn, "the ARN")
    check(waited.key_value_store.arn.endswith(f":key-value-store/{waited.key_value_store.id}"), "ARN and id differ")


@case()
def wait_for_missing_store(facade: Facade) -> None:
    """Should not wait for a store that does not exist."""
    request = stores.WaitForKeyValueStoreRequest(name=facade.name())
    check_fails(
        lambda: facade.key_value_stores.WaitForKeyValueStore(request),
        grpc.StatusCode.NOT_FOUND,
        "KEY_VALUE_STORE_NOT_FOUND",
    )


@case()
def create_twice(facade: Facade) -> None:
    """Should return the existing store when a create is repeated, and not create another with the same name."""
    first = facade.create_store(request_id="0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f")
    name = first.key_value_store.name
    again = facade.create_store(name=name, request_id="0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f")
    check_equal(again.key_value_store.arn, first.key_value_store.arn, "the ARN in the second response")
    check_fails(
        lambda: facade.create_store(name=name),
        grpc.StatusCode.ALREADY_EXISTS,
        "KEY_VALUE_STORE_ALREADY_EXISTS",
    )


@case()
def comments(facade: Facade) -> None:
    """Should keep an absent comment distinct from an empty one."""
    absent, empty = facade.create_store(comment=None), facade.create_store(comment="")
    check_equal(
        describe(facade, absent.key_value_store.name).key_value_store.HasField("comment"), False, "an absent comment"
    )
    check_equal(
        describe(facade, empty.key_value_store.name).key_value_store.HasField("comment"), True, "an empty comment"
    )


@case("update")
def update(facade: Facade) -> None:
    """Should change a store's comment, and reject an outdated etag."""
    name = facade.ready_store().name
    etag = describe(facade, name).etag
    request = stores.UpdateKeyValueStoreRequest(name=name, etag=etag, comment="new")
    updated = facade.key_value_stores.UpdateKeyValueStore(request)
    check_equal(updated.key_value_store.comment, "new", "the comment")
    check(updated.etag not in ("", etag), f"the etag is {updated.etag!a} after {etag!a}")
    request.comment = "newer"
    check_fails(lambda: facade.key_value_stores.UpdateKeyValueStore(request), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    check_equal(describe(facade, name).key_value_store.comment, "new", "the comment after the rejected update")


@case()
def listing(facade: Facade) -> None:
    """Should list every store once, page by page."""
    names = [facade.create_store().key_value_store.name for _ in range(3)]
    listed: list[str] = []
    for page in pages(facade.key_value_stores.ListKeyValueStores, stores.ListKeyValueStoresRequest(page_size=2)):
        listed.extend(store.name for store in page.key_value_stores)
    check_equal([listed.count(name) for name in names], [1, 1, 1], "the number of times that each is listed")


@case()
def listing_by_status(facade: Facade) -> None:
    """Should list only the stores with the requested status."""
    name = facade.ready_store().name
    for status, expected in (("READY", True), ("PROVISIONING", False)):
        listed: dict[str, str] = {}
        request = stores.ListKeyValueStoresRequest(status=status)
        for page in pages(facade.key_value_stores.ListKeyValueStores, request):
            listed |= {store.name: store.status for store in page.key_value_stores}
        check_equal(set(listed.values()) - {status}, set(), f"the set of other statuses in the list of {status}")
        check_equal(name in listed, expected, f"whether a READY store is in the list of {status}")


@case("functions", "in-use")
def in_use(facade: Facade) -> None:
    """Should not delete a store that a function uses, and name the function."""
    store = facade.ready_store()
    function = facade.create_function(store_arn=store.arn).function_summary.name
    request = stores.DeleteKeyValueStoreRequest(name=store.name, etag=describe(facade, store.name).etag)
    details = check_fails(
        lambda: facade.key_value_stores.DeleteKeyValueStore(request),
        grpc.StatusCode.FAILED_PRECONDITION,
        "KEY_VALUE_STORE_IN_USE",
    )
    subjects = [violation.subject for violation in details["PreconditionFailure"].violations]
    check(any(function in subject for subject in subjects), f"it names {subjects}, not {function}")


@case()
def delete(facade: Facade) -> None:
    """Should delete a store, so that it is no longer found."""
    name = facade.ready_store().name
    request = stores.DeleteKeyValueStoreRequest(name=name, etag=describe(facade, name).etag)
    facade.key_value_stores.DeleteKeyValueStore(request)
    check_fails(lambda: describe(facade, name), grpc.StatusCode.NOT_FOUND, "KEY_VALUE_STORE_NOT_FOUND")


@case("update")
def stale_delete(facade: Facade) -> None:
    """Should not delete a store if the etag is outdated."""
    name = facade.ready_store().name
    etag = describe(facade, name).etag
    facade.key_value_stores.UpdateKeyValueStore(stores.UpdateKeyValueStoreRequest(name=name, etag=etag, comment="new"))
    request = stores.DeleteKeyValueStoreRequest(name=name, etag=etag)
    check_fails(lambda: facade.key_value_stores.DeleteKeyValueStore(request), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    describe(facade, name)
