"""CloudFront's responses reach the caller completely and unchanged."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionResponse, FunctionRuntime, FunctionStage
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, CreateKeyValueStoreResponse
from support.cloudfront.faults import Exchange, Fault
from support.cloudfront.wire import HttpResponse, installed_wire
from support.facade import REQUEST_ID, function
from support.values import MOMENT, STORE_ARN
from wire.leaves import leaves_of_message, leaves_of_shape, leaves_of_value
from wire.side_by_side import SideBySide

CREATED: Final = MOMENT
MODIFIED: Final = datetime(2026, 5, 6, 0, 0, 0, 7000, tzinfo=UTC)
FUNCTION_ARN: Final = "arn:aws:cloudfront::123456789012:function/rewrite"
TEXT: Final = "<a & 'b'>\t\n é \u2028 \U0001f600 "

FUNCTION_ANSWER: Final = {
    "FunctionSummary": {
        "Name": "rewrite",
        "Status": "UNPUBLISHED",
        "FunctionConfig": {
            "Comment": TEXT,
            "Runtime": "cloudfront-js-2.0",
            "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]},
        },
        "FunctionMetadata": {
            "FunctionARN": FUNCTION_ARN,
            "Stage": "LIVE",
            "CreatedTime": CREATED,
            "LastModifiedTime": MODIFIED,
        },
    },
    "Location": "https://cloudfront.amazonaws.com/2020-05-31/function/rewrite",
    "ETag": "ETVPDKIKX0DER",
}

FUNCTION_COUNTERPARTS: Final[Mapping[str, tuple[str, Any]]] = {
    "FunctionSummary.Name": ("function_summary.name", "rewrite"),
    "FunctionSummary.Status": ("function_summary.status", "UNPUBLISHED"),
    "FunctionSummary.FunctionConfig.Comment": ("function_summary.function_config.comment", TEXT),
    "FunctionSummary.FunctionConfig.Runtime": (
        "function_summary.function_config.runtime",
        FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
    ),
    "FunctionSummary.FunctionConfig.KeyValueStoreAssociations.Items.KeyValueStoreARN": (
        "function_summary.function_config.key_value_store_associations.key_value_store_arn",
        STORE_ARN,
    ),
    "FunctionSummary.FunctionMetadata.FunctionARN": ("function_summary.function_metadata.function_arn", FUNCTION_ARN),
    "FunctionSummary.FunctionMetadata.Stage": (
        "function_summary.function_metadata.stage",
        FunctionStage.FUNCTION_STAGE_LIVE,
    ),
    "FunctionSummary.FunctionMetadata.CreatedTime": ("function_summary.function_metadata.created_time", CREATED),
    "FunctionSummary.FunctionMetadata.LastModifiedTime": (
        "function_summary.function_metadata.last_modified_time",
        MODIFIED,
    ),
    "Location": ("location", "https://cloudfront.amazonaws.com/2020-05-31/function/rewrite"),
    "ETag": ("etag", "ETVPDKIKX0DER"),
}

STORE_ANSWER: Final = {
    "KeyValueStore": {
        "Name": "redirects",
        "Id": "11111111-2222-3333-4444-555555555555",
        "Comment": TEXT,
        "ARN": STORE_ARN,
        "Status": "PROVISIONING",
        "LastModifiedTime": MODIFIED,
    },
    "ETag": "ETVPDKIKX0DER",
    "Location": "https://cloudfront.amazonaws.com/2020-05-31/key-value-store/redirects",
}

STORE_COUNTERPARTS: Final[Mapping[str, tuple[str, Any]]] = {
    "KeyValueStore.Name": ("key_value_store.name", "redirects"),
    "KeyValueStore.Id": ("key_value_store.id", "11111111-2222-3333-4444-555555555555"),
    "KeyValueStore.Comment": ("key_value_store.comment", TEXT),
    "KeyValueStore.ARN": ("key_value_store.arn", STORE_ARN),
    "KeyValueStore.Status": ("key_value_store.status", "PROVISIONING"),
    "KeyValueStore.LastModifiedTime": ("key_value_store.last_modified_time", MODIFIED),
    "ETag": ("etag", "ETVPDKIKX0DER"),
    "Location": ("location", "https://cloudfront.amazonaws.com/2020-05-31/key-value-store/redirects"),
}

KINDS: Final[Mapping[str, tuple[Any, Any, Mapping[str, Any], Mapping[str, tuple[str, Any]]]]] = {
    "CreateFunction": (function(), CreateFunctionResponse, FUNCTION_ANSWER, FUNCTION_COUNTERPARTS),
    "CreateKeyValueStore": (
        CreateKeyValueStoreRequest(name="redirects"),
        CreateKeyValueStoreResponse,
        STORE_ANSWER,
        STORE_COUNTERPARTS,
    ),
}


@pytest.mark.parametrize("operation", KINDS)
def test_the_caller_receives_every_member_of_a_response(side_by_side: SideBySide, operation: str) -> None:
    request, message, sent, counterparts = KINDS[operation]
    shape = installed_wire().model.operation_model(operation).output_shape
    assert set(leaves_of_shape(shape)) == counterparts.keys(), "callers do not receive every member of the response"
    assert set(leaves_of_value(sent)) == counterparts.keys()
    assert set(leaves_of_message(message.DESCRIPTOR)) == {path for path, _ in counterparts.values()}
    side_by_side.cloudfront.script(operation, lambda _: installed_wire().encode(operation, sent))

    response = side_by_side.create(request)

    assert {path: value_at(response, path) for path, _ in counterparts.values()} == dict(counterparts.values())


def value_at(message: Any, path: str) -> Any:
    """Returns a field; a list must have one item, which is returned."""
    for name in path.split("."):
        message = getattr(message, name)
        if isinstance(message, Timestamp):
            message = message.ToDatetime(tzinfo=UTC)
        elif not isinstance(message, str) and hasattr(message, "__len__"):
            (message,) = message
    return message


def replacing(old: str, new: str) -> Fault:
    """Returns a normal response, but with other text in the XML."""

    def change(exchange: Exchange) -> HttpResponse:
        response = exchange.response()
        assert old.encode() in response.body
        return replace(response, body=response.body.replace(old.encode(), new.encode()))

    return change


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-05-05T12:30:15Z", datetime(2026, 5, 5, 12, 30, 15, tzinfo=UTC)),
        ("2026-05-05T12:30:15.1Z", datetime(2026, 5, 5, 12, 30, 15, 100000, tzinfo=UTC)),
        ("2026-05-05T12:30:15.007Z", datetime(2026, 5, 5, 12, 30, 15, 7000, tzinfo=UTC)),
        ("2026-05-05T12:30:15.999999Z", datetime(2026, 5, 5, 12, 30, 15, 999999, tzinfo=UTC)),
        ("2026-05-05T12:30:15.250+02:00", datetime(2026, 5, 5, 10, 30, 15, 250000, tzinfo=UTC)),
        ("2024-02-29T23:59:59.999-05:00", datetime(2024, 3, 1, 4, 59, 59, 999000, tzinfo=UTC)),
        ("2100-01-01T00:00:00.000Z", datetime(2100, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_in_utc_with_the_precision_of_cloudfront(
    side_by_side: SideBySide, monkeypatch: pytest.MonkeyPatch, text: str, time: datetime
) -> None:
    monkeypatch.setattr(side_by_side.cloudfront, "clock", lambda: CREATED)
    for operation in KINDS:
        side_by_side.cloudfront.script(operation, replacing("2026-05-05T12:30:15.123Z", text))

    function_times = side_by_side.create(function()).function_summary.function_metadata
    store = side_by_side.create(CreateKeyValueStoreRequest(name="redirects")).key_value_store

    since_epoch = time - datetime(1970, 1, 1, tzinfo=UTC)
    expected = Timestamp(seconds=since_epoch // timedelta(seconds=1), nanos=time.microsecond * 1000)
    assert (function_times.created_time, function_times.last_modified_time, store.last_modified_time) == (expected,) * 3


@pytest.mark.parametrize(
    ("known", "unknown", "field"),
    [
        ("cloudfront-js-2.0", "cloudfront-js-9.9", "function_config.runtime"),
        ("DEVELOPMENT", "CANARY", "function_metadata.stage"),
    ],
)
def test_a_value_that_the_protos_lack_becomes_unspecified_and_is_logged(
    side_by_side: SideBySide, caplog: pytest.LogCaptureFixture, known: str, unknown: str, field: str
) -> None:
    side_by_side.cloudfront.script("CreateFunction", replacing(known, unknown))

    with caplog.at_level(logging.WARNING, logger="cloudfront_facade_server"):
        response = side_by_side.create(function())

    assert value_at(response.function_summary, field) == 0
    assert response.function_summary.name == "rewrite", "the create still succeeds"
    assert [record.levelname for record in caplog.records if unknown in record.getMessage()] == ["WARNING"]


def test_a_known_value_is_not_logged(side_by_side: SideBySide, caplog: pytest.LogCaptureFixture) -> None:
    side_by_side.create(function())

    assert not [record for record in caplog.records if record.name.startswith("cloudfront_facade_server")]


def test_optional_members_that_are_missing_stay_unset(side_by_side: SideBySide) -> None:
    config = {"Comment": "", "Runtime": "cloudfront-js-1.0"}
    bare_function = {
        "FunctionSummary": {
            "Name": "rewrite",
            "FunctionConfig": config,
            "FunctionMetadata": {"FunctionARN": FUNCTION_ARN, "LastModifiedTime": MODIFIED},
        }
    }
    bare_store = {"KeyValueStore": {"Name": "redirects", "Id": "1", "ARN": STORE_ARN, "LastModifiedTime": MODIFIED}}
    wire, double = installed_wire(), side_by_side.cloudfront
    double.script("CreateFunction", lambda _: wire.encode("CreateFunction", bare_function))
    double.script("CreateKeyValueStore", lambda _: wire.encode("CreateKeyValueStore", bare_store))

    created = side_by_side.create(function())
    store = side_by_side.create(CreateKeyValueStoreRequest(name="redirects")).key_value_store

    metadata = created.function_summary.function_metadata
    assert (created.location, created.etag, created.function_summary.status) == ("", "", "")
    assert not metadata.HasField("created_time")
    assert metadata.stage == FunctionStage.FUNCTION_STAGE_UNSPECIFIED
    assert not created.function_summary.function_config.key_value_store_associations
    assert not store.HasField("comment")
    assert store.status == ""


def test_an_absent_comment_of_a_store_is_distinct_from_an_empty_one(side_by_side: SideBySide) -> None:
    absent = side_by_side.create(CreateKeyValueStoreRequest(name="redirects")).key_value_store
    empty = side_by_side.create(CreateKeyValueStoreRequest(name="redirects", comment="")).key_value_store

    assert not absent.HasField("comment")
    assert empty.HasField("comment")
    assert empty.comment == ""


def test_the_response_of_a_reconciled_create_has_everything_except_the_location(side_by_side: SideBySide) -> None:
    request = function(request_id=REQUEST_ID)
    first = side_by_side.create(request)

    again = side_by_side.facade.functions.CreateFunction(request)

    assert first.location
    first.ClearField("location")
    assert again == first
