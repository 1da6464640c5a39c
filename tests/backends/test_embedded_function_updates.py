"""Updates, publishing and deletes of functions in the embedded backend, and their effect on the two stages."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from backends.embedded_resources import associated_with, create_store
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.clock import Clock
from support.errors import error_of


@pytest.fixture
def clock() -> Clock:
    return Clock(microsecond=0)


def config(runtime: str = "cloudfront-js-2.0", comment: str = "", **more: Any) -> dict[str, Any]:
    return {"Comment": comment, "Runtime": runtime, **more}


def create(backend: EmbeddedBackend, name: str = "f", code: bytes = b"first", **more: Any) -> str:
    etag: str = backend.create_function(Name=name, FunctionConfig=config(**more), FunctionCode=code)["ETag"]
    return etag


def stage(backend: EmbeddedBackend, name: str, stage: str) -> tuple[bytes, Mapping[str, Any], str]:
    """Returns the code, the summary and the etag of a stage."""
    got = backend.get_function(Name=name, Stage=stage)
    described = backend.describe_function(Name=name, Stage=stage)
    assert got["ETag"] == described["ETag"]
    assert described["FunctionSummary"]["FunctionMetadata"]["Stage"] == stage
    return got["FunctionCode"].read(), described["FunctionSummary"], described["ETag"]


def test_an_update_replaces_config_and_code(backend: EmbeddedBackend, clock: Clock) -> None:
    etag = create(backend, comment="before", **associated_with(create_store(backend)))
    clock.now += timedelta(seconds=5)
    response = backend.update_function(
        Name="f", IfMatch=etag, FunctionConfig=config("cloudfront-js-1.0", "after"), FunctionCode=b"second"
    )
    assert response["FunctionSummary"] == {
        "Name": "f",
        "Status": "UNPUBLISHED",
        "FunctionConfig": {"Comment": "after", "Runtime": "cloudfront-js-1.0"},
        "FunctionMetadata": {
            "FunctionARN": "arn:aws:cloudfront::000000000000:function/f",
            "Stage": "DEVELOPMENT",
            "CreatedTime": clock.now - timedelta(seconds=5),
            "LastModifiedTime": clock.now,
        },
    }
    assert response["ETag"] != etag
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert stage(backend, "f", "DEVELOPMENT") == (b"second", response["FunctionSummary"], response["ETag"])


def test_the_etag_of_an_update_is_in_the_header_that_cloudfront_misspells(backend: EmbeddedBackend) -> None:
    response = backend.update_function(Name="f", IfMatch=create(backend), FunctionConfig=config(), FunctionCode=b"x")
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["ettag"] == response["ETag"]
    assert "etag" not in headers


def test_an_update_without_changes_sets_a_new_etag(backend: EmbeddedBackend) -> None:
    etag = create(backend)
    for _ in range(2):
        response = backend.update_function(Name="f", IfMatch=etag, FunctionConfig=config(), FunctionCode=b"first")
        assert response["ETag"] != etag
        etag = response["ETag"]


def test_an_update_can_associate_a_store(backend: EmbeddedBackend) -> None:
    etag, arn = create(backend), create_store(backend)
    response = backend.update_function(
        Name="f", IfMatch=etag, FunctionConfig=config(**associated_with(arn)), FunctionCode=b"x"
    )
    associations = response["FunctionSummary"]["FunctionConfig"]["KeyValueStoreAssociations"]
    assert associations == {"Quantity": 1, "Items": [{"KeyValueStoreARN": arn}]}


@pytest.mark.parametrize(
    ("problem", "runtime", "error"),
    [
        ("no such store", "cloudfront-js-2.0", ("InvalidArgument", 400)),
        ("not ready", "cloudfront-js-2.0", ("InvalidArgument", 400)),
        ("two stores", "cloudfront-js-2.0", ("InvalidArgument", 400)),
        ("wrong quantity", "cloudfront-js-2.0", ("InvalidArgument", 400)),
        ("ready", "cloudfront-js-1.0", ("InvalidArgument", 400)),
        ("too large", "cloudfront-js-2.0", ("FunctionSizeLimitExceeded", 413)),
    ],
)
def test_an_update_is_checked_like_a_create(clock: Clock, problem: str, runtime: str, error: tuple[str, int]) -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, clock=clock, provisioning_seconds=5)) as backend:
        ready = create_store(backend, "ready")
        clock.now += timedelta(seconds=5)
        associations = {
            "no such store": associated_with("arn:aws:cloudfront::000000000000:key-value-store/" + "0" * 36),
            "not ready": associated_with(create_store(backend, "new")),
            "two stores": associated_with(ready, ready),
            "wrong quantity": associated_with(ready, quantity=0),
        }.get(problem, associated_with(ready))
        etag = create(backend)
        before = stage(backend, "f", "DEVELOPMENT")
        code = b"x" * (10_241 if problem == "too large" else 1)
        arguments = {"Name": "f", "IfMatch": etag, "FunctionConfig": config(runtime, **associations)}
        assert error_of(backend.update_function, **arguments, FunctionCode=code) == error
        assert stage(backend, "f", "DEVELOPMENT") == before


def test_publishing_copies_development_to_live(backend: EmbeddedBackend, clock: Clock) -> None:
    arn = create_store(backend)
    etag = create(backend, comment="c", **associated_with(arn))
    clock.now += timedelta(seconds=5)
    response = backend.publish_function(Name="f", IfMatch=etag)
    assert response.keys() == {"FunctionSummary", "ResponseMetadata"}
    assert "etag" not in response["ResponseMetadata"]["HTTPHeaders"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert response["FunctionSummary"] == {
        "Name": "f",
        "Status": "UNASSOCIATED",
        "FunctionConfig": config(comment="c", **associated_with(arn)),
        "FunctionMetadata": {
            "FunctionARN": "arn:aws:cloudfront::000000000000:function/f",
            "Stage": "LIVE",
            "CreatedTime": clock.now,
            "LastModifiedTime": clock.now,
        },
    }
    code, summary, live_etag = stage(backend, "f", "LIVE")
    assert (code, summary) == (b"first", response["FunctionSummary"])
    assert live_etag != etag


def test_publishing_keeps_the_etag_and_the_times_of_development(backend: EmbeddedBackend, clock: Clock) -> None:
    etag = create(backend)
    code, before, _ = stage(backend, "f", "DEVELOPMENT")
    clock.now += timedelta(seconds=5)
    backend.publish_function(Name="f", IfMatch=etag)
    assert stage(backend, "f", "DEVELOPMENT") == (code, {**before, "Status": "UNASSOCIATED"}, etag)


def test_an_update_does_not_change_live(backend: EmbeddedBackend, clock: Clock) -> None:
    etag = create(backend)
    backend.publish_function(Name="f", IfMatch=etag)
    live = stage(backend, "f", "LIVE")
    clock.now += timedelta(seconds=5)
    backend.update_function(Name="f", IfMatch=etag, FunctionConfig=config(comment="new"), FunctionCode=b"second")
    assert stage(backend, "f", "LIVE") == live
    assert stage(backend, "f", "DEVELOPMENT")[0] == b"second"


def test_publishing_again_replaces_live(backend: EmbeddedBackend, clock: Clock) -> None:
    etag = create(backend, **associated_with(create_store(backend)))
    backend.publish_function(Name="f", IfMatch=etag)
    first = stage(backend, "f", "LIVE")
    clock.now += timedelta(seconds=5)
    update = {"FunctionConfig": config("cloudfront-js-1.0", "new"), "FunctionCode": b"second"}
    etag = backend.update_function(Name="f", IfMatch=etag, **update)["ETag"]
    backend.publish_function(Name="f", IfMatch=etag)
    code, summary, live_etag = stage(backend, "f", "LIVE")
    assert (code, summary["FunctionConfig"]) == (b"second", update["FunctionConfig"])
    assert summary["FunctionMetadata"]["CreatedTime"] == first[1]["FunctionMetadata"]["CreatedTime"]
    assert summary["FunctionMetadata"]["LastModifiedTime"] == clock.now
    assert live_etag not in (first[2], etag)


def test_only_a_published_function_has_a_live_stage(backend: EmbeddedBackend) -> None:
    create(backend)
    create(backend, "other")
    backend.publish_function(Name="other", IfMatch=backend.describe_function(Name="other")["ETag"])
    assert error_of(backend.describe_function, Name="f", Stage="LIVE") == ("NoSuchFunctionExists", 404)
    assert backend.describe_function(Name="f")["FunctionSummary"]["Status"] == "UNPUBLISHED"


def test_a_delete_removes_both_stages_and_frees_the_name(backend: EmbeddedBackend) -> None:
    etag = create(backend)
    create(backend, "other")
    backend.publish_function(Name="f", IfMatch=etag)
    response = backend.delete_function(Name="f", IfMatch=etag)
    assert response.keys() == {"ResponseMetadata"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 204
    for stage_name in ("DEVELOPMENT", "LIVE"):
        assert error_of(backend.describe_function, Name="f", Stage=stage_name) == ("NoSuchFunctionExists", 404)
    assert stage(backend, "other", "DEVELOPMENT")[0] == b"first"
    assert create(backend) != etag
    assert backend.describe_function(Name="f")["FunctionSummary"]["Status"] == "UNPUBLISHED"


def test_a_deleted_function_does_not_count_towards_the_quota() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, max_functions=1)) as backend:
        etag = create(backend)
        backend.publish_function(Name="f", IfMatch=etag)
        assert error_of(create, backend=backend, name="g") == ("TooManyFunctions", 400)
        backend.delete_function(Name="f", IfMatch=etag)
        create(backend, "g")
