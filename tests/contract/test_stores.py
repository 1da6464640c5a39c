"""Key value stores on the control plane of every backend."""

from __future__ import annotations

import pytest

from cloudfront_facade_server.backends.protocol import Backend
from contract.backends import (
    MALFORMED,
    STALE,
    Backends,
    associated,
    change,
    function,
    ready_store,
    status,
)
from support.errors import error_of


def test_a_new_store_is_provisioning_and_then_ready(backend: Backend) -> None:
    created = backend.create_key_value_store(Name="s", Comment="é <&>")
    described = backend.describe_key_value_store(Name="s")

    summary = created["KeyValueStore"]
    assert (status(created), summary["Name"], summary["Comment"], summary["Status"]) == (
        201,
        "s",
        "é <&>",
        "PROVISIONING",
    )
    assert summary["ARN"].endswith(f":key-value-store/{summary['Id']}")
    assert created["Location"].endswith("/2020-05-31/key-value-store/s")
    assert described["KeyValueStore"] == {**summary, "Status": "READY"}
    assert described["ETag"] == created["ETag"]


def test_a_store_is_provisioning_for_the_configured_time(backends: Backends) -> None:
    backend = backends(provisioning_seconds=3600)
    backend.create_key_value_store(Name="s")
    assert backend.describe_key_value_store(Name="s")["KeyValueStore"]["Status"] == "PROVISIONING"


def test_an_absent_comment_is_distinct_from_an_empty_one(backend: Backend) -> None:
    backend.create_key_value_store(Name="a")
    backend.create_key_value_store(Name="b", Comment="")

    assert "Comment" not in backend.describe_key_value_store(Name="a")["KeyValueStore"]
    assert backend.describe_key_value_store(Name="b")["KeyValueStore"]["Comment"] == ""


def test_a_store_name_is_unique(backend: Backend) -> None:
    created = backend.create_key_value_store(Name="s", Comment="first")

    assert error_of(backend.create_key_value_store, Name="s") == ("EntityAlreadyExists", 409)
    assert backend.describe_key_value_store(Name="s")["ETag"] == created["ETag"]
    backend.create_function(**function("s"))


def test_the_quota_counts_existing_stores(backends: Backends) -> None:
    backend = backends(max_stores=1)
    etag = backend.create_key_value_store(Name="a")["ETag"]

    assert error_of(backend.create_key_value_store, Name="b") == ("EntityLimitExceeded", 400)
    assert error_of(backend.create_key_value_store, Name="a") == ("EntityAlreadyExists", 409)
    backend.delete_key_value_store(Name="a", IfMatch=etag)
    backend.create_key_value_store(Name="b")


def test_an_update_changes_only_the_comment_and_the_etag(backend: Backend) -> None:
    created = backend.create_key_value_store(Name="s", Comment="old")
    data = backend.describe_key_value_store_data(KvsARN=created["KeyValueStore"]["ARN"])

    updated = backend.update_key_value_store(Name="s", Comment="", IfMatch=created["ETag"])

    described = backend.describe_key_value_store(Name="s")
    assert (status(updated), updated["KeyValueStore"]["Comment"]) == (200, "")
    assert updated["ETag"] == described["ETag"] != created["ETag"]
    assert updated["KeyValueStore"] == described["KeyValueStore"]
    for member in ("Name", "Id", "ARN"):
        assert updated["KeyValueStore"][member] == created["KeyValueStore"][member]
    assert updated["KeyValueStore"]["LastModifiedTime"] >= created["KeyValueStore"]["LastModifiedTime"]
    again = backend.describe_key_value_store_data(KvsARN=created["KeyValueStore"]["ARN"])
    assert again["ETag"] == data["ETag"], "each plane has its own etag"


def test_a_change_with_an_outdated_etag_fails_and_changes_nothing(backend: Backend) -> None:
    created = backend.create_key_value_store(Name="s")
    etag = backend.update_key_value_store(Name="s", Comment="c", IfMatch=created["ETag"])["ETag"]

    for stale in (created["ETag"], STALE):
        update = {"Name": "s", "Comment": "other", "IfMatch": stale}
        assert error_of(backend.update_key_value_store, **update) == ("PreconditionFailed", 412)
        assert error_of(backend.delete_key_value_store, Name="s", IfMatch=stale) == ("PreconditionFailed", 412)
    described = backend.describe_key_value_store(Name="s")
    assert (described["ETag"], described["KeyValueStore"]["Comment"]) == (etag, "c")


@pytest.mark.parametrize("etag", MALFORMED)
def test_a_change_with_a_malformed_etag_fails(backend: Backend, etag: str) -> None:
    backend.create_key_value_store(Name="s")

    update = {"Name": "s", "Comment": "", "IfMatch": etag}
    assert error_of(backend.update_key_value_store, **update) == ("InvalidIfMatchVersion", 400)
    assert error_of(backend.delete_key_value_store, Name="s", IfMatch=etag) == ("InvalidIfMatchVersion", 400)


def test_a_missing_store_is_not_found(backend: Backend) -> None:
    missing = ("EntityNotFound", 404)
    assert error_of(backend.describe_key_value_store, Name="s") == missing
    assert error_of(backend.update_key_value_store, Name="s", Comment="", IfMatch=STALE) == missing
    assert error_of(backend.delete_key_value_store, Name="s", IfMatch=STALE) == missing


def test_a_deleted_store_is_not_found_on_either_plane_and_frees_its_name(backend: Backend) -> None:
    created = backend.create_key_value_store(Name="s")
    arn = created["KeyValueStore"]["ARN"]

    deleted = backend.delete_key_value_store(Name="s", IfMatch=created["ETag"])

    assert (status(deleted), list(deleted)) == (204, ["ResponseMetadata"])
    assert error_of(backend.describe_key_value_store, Name="s") == ("EntityNotFound", 404)
    assert error_of(backend.describe_key_value_store_data, KvsARN=arn) == ("ResourceNotFoundException", 404)
    assert error_of(backend.list_tags_for_resource, Resource=arn) == ("NoSuchResource", 404)
    assert backend.create_key_value_store(Name="s")["KeyValueStore"]["ARN"] != arn


def test_a_store_that_a_function_uses_in_any_stage_cannot_be_deleted(backend: Backend) -> None:
    arn = ready_store(backend)
    store = backend.describe_key_value_store(Name="s")["ETag"]
    etag = backend.create_function(**function(FunctionConfig=associated(arn)))["ETag"]
    in_use = ("CannotDeleteEntityWhileInUse", 409)

    assert error_of(backend.delete_key_value_store, Name="s", IfMatch=store) == in_use
    backend.publish_function(Name="f", IfMatch=etag)
    etag = backend.update_function(**change("f", etag))["ETag"]
    assert error_of(backend.delete_key_value_store, Name="s", IfMatch=store) == in_use, "LIVE uses it"
    backend.publish_function(Name="f", IfMatch=etag)
    backend.delete_key_value_store(Name="s", IfMatch=store)
