"""Functions on every backend."""

from __future__ import annotations

import json

import pytest

from cloudfront_facade_server.backends.protocol import Backend
from contract.backends import (
    CODE_BYTES,
    MALFORMED,
    NO_CONFIG,
    STALE,
    V1,
    Backends,
    associated,
    change,
    function,
    ready_store,
    status,
)
from support.errors import error_of

MISSING = ("NoSuchFunctionExists", 404)
EVENT = {
    "version": "1.0",
    "context": {"eventType": "viewer-request"},
    "viewer": {"ip": "198.51.100.11"},
    "request": {"method": "GET", "uri": "/", "querystring": {}, "headers": {}, "cookies": {}},
}


def test_a_new_function_is_unpublished_in_development(backend: Backend) -> None:
    created = backend.create_function(**function("f", FunctionConfig={"Comment": "é <&>", "Runtime": V1}))

    summary = created["FunctionSummary"]
    assert (status(created), summary["Name"], summary["Status"]) == (201, "f", "UNPUBLISHED")
    assert summary["FunctionConfig"] == {"Comment": "é <&>", "Runtime": V1}
    assert summary["FunctionMetadata"]["Stage"] == "DEVELOPMENT"
    assert summary["FunctionMetadata"]["FunctionARN"].endswith(":function/f")
    assert created["Location"].endswith("/2020-05-31/function/f")
    described = backend.describe_function(Name="f", Stage="DEVELOPMENT")
    assert (described["FunctionSummary"], described["ETag"]) == (summary, created["ETag"])
    assert backend.describe_function(Name="f")["ETag"] == created["ETag"], "the default stage is DEVELOPMENT"


def test_code_with_any_bytes_is_returned_unchanged(backend: Backend) -> None:
    created = backend.create_function(**function(FunctionCode=bytes(range(256))))
    got = backend.get_function(Name="f", Stage="DEVELOPMENT")

    assert got["FunctionCode"].read() == bytes(range(256))
    assert (got["ETag"], got["ContentType"]) == (created["ETag"], "application/octet-stream")


def test_a_function_name_is_unique(backend: Backend) -> None:
    created = backend.create_function(**function())

    assert error_of(backend.create_function, **function(FunctionCode=b"other")) == ("FunctionAlreadyExists", 409)
    assert backend.describe_function(Name="f")["ETag"] == created["ETag"]


def test_code_above_the_maximum_length_is_rejected(backend: Backend) -> None:
    too_large = ("FunctionSizeLimitExceeded", 413)
    assert error_of(backend.create_function, **function(FunctionCode=b"x" * (CODE_BYTES + 1))) == too_large
    etag = backend.create_function(**function(FunctionCode=b"x" * CODE_BYTES))["ETag"]

    assert error_of(backend.update_function, **change("f", etag, FunctionCode=b"x" * (CODE_BYTES + 1))) == too_large


def test_the_quota_counts_existing_functions(backends: Backends) -> None:
    backend = backends(max_functions=2)
    etag = backend.create_function(**function("a"))["ETag"]
    backend.create_function(**function("b"))

    assert error_of(backend.create_function, **function("c")) == ("TooManyFunctions", 400)
    assert error_of(backend.create_function, **function("a")) == ("FunctionAlreadyExists", 409)
    backend.delete_function(Name="a", IfMatch=etag)
    backend.create_function(**function("c"))


def test_an_unpublished_function_has_no_live_stage(backend: Backend) -> None:
    backend.create_function(**function())

    assert error_of(backend.describe_function, Name="f", Stage="LIVE") == MISSING
    assert error_of(backend.get_function, Name="f", Stage="LIVE") == MISSING


def test_an_update_replaces_code_config_and_etag(backend: Backend) -> None:
    created = backend.create_function(**function(FunctionConfig={"Comment": "old", "Runtime": V1}))

    updated = backend.update_function(**change("f", created["ETag"]))

    assert (status(updated), updated["FunctionSummary"]["FunctionConfig"]) == (200, NO_CONFIG)
    assert updated["ETag"] != created["ETag"]
    described = backend.describe_function(Name="f", Stage="DEVELOPMENT")
    assert (described["FunctionSummary"], described["ETag"]) == (updated["FunctionSummary"], updated["ETag"])
    assert backend.get_function(Name="f")["FunctionCode"].read() == b"changed"
    times = [response["FunctionSummary"]["FunctionMetadata"] for response in (created, updated)]
    assert times[0]["CreatedTime"] == times[1]["CreatedTime"] <= times[1]["LastModifiedTime"]


def test_an_update_without_the_association_removes_it(backend: Backend) -> None:
    arn = ready_store(backend)
    created = backend.create_function(**function(FunctionConfig=associated(arn)))
    assert created["FunctionSummary"]["FunctionConfig"] == associated(arn)

    updated = backend.update_function(**change("f", created["ETag"]))

    assert "KeyValueStoreAssociations" not in updated["FunctionSummary"]["FunctionConfig"]


def test_publishing_copies_development_to_live_with_a_separate_etag(backend: Backend) -> None:
    etag = backend.create_function(**function())["ETag"]

    published = backend.publish_function(Name="f", IfMatch=etag)

    live = backend.describe_function(Name="f", Stage="LIVE")
    assert (status(published), live["FunctionSummary"]) == (200, published["FunctionSummary"])
    assert "ETag" not in published
    assert live["FunctionSummary"]["FunctionMetadata"]["Stage"] == "LIVE"
    assert live["FunctionSummary"]["Status"] != "UNPUBLISHED"
    development = backend.describe_function(Name="f", Stage="DEVELOPMENT")
    assert development["ETag"] == etag != live["ETag"]
    arns = [response["FunctionSummary"]["FunctionMetadata"]["FunctionARN"] for response in (live, development)]
    assert arns[0] == arns[1], "both stages have the same ARN"


def test_live_does_not_change_until_the_next_publish(backend: Backend) -> None:
    created = backend.create_function(**function())
    backend.publish_function(Name="f", IfMatch=created["ETag"])
    live = backend.describe_function(Name="f", Stage="LIVE")
    updated = backend.update_function(**change("f", created["ETag"], FunctionConfig={"Comment": "c", "Runtime": V1}))

    assert backend.describe_function(Name="f", Stage="LIVE")["FunctionSummary"] == live["FunctionSummary"]
    assert backend.get_function(Name="f", Stage="LIVE")["FunctionCode"].read() == b"code"

    backend.publish_function(Name="f", IfMatch=updated["ETag"])

    again = backend.describe_function(Name="f", Stage="LIVE")
    assert again["FunctionSummary"]["FunctionConfig"] == {"Comment": "c", "Runtime": V1}
    assert again["ETag"] != live["ETag"]
    assert backend.get_function(Name="f", Stage="LIVE")["FunctionCode"].read() == b"changed"


def test_a_change_with_an_outdated_etag_fails_and_changes_nothing(backend: Backend) -> None:
    first = backend.create_function(**function())["ETag"]
    etag = backend.update_function(**change("f", first))["ETag"]
    backend.publish_function(Name="f", IfMatch=etag)
    live = backend.describe_function(Name="f", Stage="LIVE")["ETag"]

    for stale in (first, live, STALE):
        for call, more in (
            (backend.update_function, change("f", stale)),
            (backend.publish_function, {"Name": "f", "IfMatch": stale}),
            (backend.delete_function, {"Name": "f", "IfMatch": stale}),
        ):
            assert error_of(call, **more) == ("PreconditionFailed", 412)
    assert backend.describe_function(Name="f")["ETag"] == etag
    assert backend.describe_function(Name="f", Stage="LIVE")["ETag"] == live


@pytest.mark.parametrize("etag", MALFORMED)
def test_a_change_with_a_malformed_etag_fails(backend: Backend, etag: str) -> None:
    backend.create_function(**function())

    for call, more in (
        (backend.update_function, change("f", etag)),
        (backend.publish_function, {"Name": "f", "IfMatch": etag}),
        (backend.delete_function, {"Name": "f", "IfMatch": etag}),
        (backend.test_function, {"Name": "f", "IfMatch": etag, "Stage": "DEVELOPMENT", "EventObject": b"{}"}),
    ):
        assert error_of(call, **more) == ("InvalidIfMatchVersion", 400)


def test_a_missing_function_is_not_found(backend: Backend) -> None:
    for call, more in (
        (backend.describe_function, {}),
        (backend.get_function, {}),
        (backend.update_function, change("f", STALE)),
        (backend.publish_function, {"IfMatch": STALE}),
        (backend.delete_function, {"IfMatch": STALE}),
        (backend.test_function, {"IfMatch": STALE, "Stage": "DEVELOPMENT", "EventObject": b"{}"}),
    ):
        assert error_of(call, **{"Name": "f", **more}) == MISSING


def test_a_deleted_function_is_not_found_in_either_stage_and_frees_its_name(backend: Backend) -> None:
    created = backend.create_function(**function())
    backend.publish_function(Name="f", IfMatch=created["ETag"])

    deleted = backend.delete_function(Name="f", IfMatch=created["ETag"])

    assert (status(deleted), list(deleted)) == (204, ["ResponseMetadata"])
    for stage in ("DEVELOPMENT", "LIVE"):
        assert error_of(backend.describe_function, Name="f", Stage=stage) == MISSING
    backend.create_function(**function())
    assert error_of(backend.describe_function, Name="f", Stage="LIVE") == MISSING


def test_an_association_needs_exactly_one_ready_store_and_runtime_2(backends: Backends) -> None:
    backend = backends()
    arn, other = ready_store(backend, "s"), ready_store(backend, "t")
    etag = backend.create_function(**function())["ETag"]

    for config in (
        associated(arn, runtime=V1),
        associated(arn, other),
        associated(arn[:-1] + ("0" if arn[-1] != "0" else "1")),
        {**associated(arn), "KeyValueStoreAssociations": {"Quantity": 2, "Items": [{"KeyValueStoreARN": arn}]}},
    ):
        assert error_of(backend.create_function, **function("g", FunctionConfig=config)) == ("InvalidArgument", 400)
        assert error_of(backend.update_function, **change("f", etag, FunctionConfig=config)) == ("InvalidArgument", 400)
    backend.update_function(**change("f", etag, FunctionConfig=associated(arn)))


def test_a_store_that_is_not_ready_cannot_be_associated(backends: Backends) -> None:
    backend = backends(provisioning_seconds=3600)
    arn = ready_store(backend)

    config = associated(arn)
    assert error_of(backend.create_function, **function(FunctionConfig=config)) == ("InvalidArgument", 400)


def test_test_function_returns_the_result(backend: Backend) -> None:
    code = b"function handler(event) { return event.request; }"
    etag = backend.create_function(**function(FunctionCode=code))["ETag"]

    tested = backend.test_function(Name="f", IfMatch=etag, Stage="DEVELOPMENT", EventObject=json.dumps(EVENT).encode())

    result = tested["TestResult"]
    assert result["FunctionSummary"] == backend.describe_function(Name="f")["FunctionSummary"]
    assert {"ComputeUtilization", "FunctionErrorMessage", "FunctionOutput"} <= result.keys()
    assert backend.describe_function(Name="f")["ETag"] == etag


def test_the_list_of_distributions_can_be_empty(backend: Backend) -> None:
    listed = backend.list_distributions(MaxItems="10")["DistributionList"]
    assert (listed.get("Items", []), listed["Quantity"], "NextMarker" in listed) == ([], 0, False)
