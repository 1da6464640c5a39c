"""Creates and reads of functions in the embedded backend."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from backends.embedded_resources import associated_with, create_store
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.backends.protocol import Backend
from support.clock import Clock
from support.errors import error_of, error_with_exception

ARN = "arn:aws:cloudfront::000000000000:function/"


def function(
    name: str = "f", runtime: str = "cloudfront-js-2.0", code: bytes = b"code", **config: Any
) -> dict[str, Any]:
    return {"Name": name, "FunctionConfig": {"Comment": "", "Runtime": runtime, **config}, "FunctionCode": code}


def test_the_embedded_backend_implements_the_protocol_and_has_a_name(backend: EmbeddedBackend) -> None:
    as_backend: Backend = backend
    assert as_backend.name == "embedded"


def test_a_new_function_is_unpublished_in_development(backend: EmbeddedBackend, clock: Clock) -> None:
    response = backend.create_function(**function("f", "cloudfront-js-1.0", b"code", Comment="what it does"))
    moment = datetime(2026, 5, 5, 12, 0, 0, 123_000, tzinfo=UTC)
    assert response["FunctionSummary"] == {
        "Name": "f",
        "Status": "UNPUBLISHED",
        "FunctionConfig": {"Comment": "what it does", "Runtime": "cloudfront-js-1.0"},
        "FunctionMetadata": {
            "FunctionARN": f"{ARN}f",
            "Stage": "DEVELOPMENT",
            "CreatedTime": moment,
            "LastModifiedTime": moment,
        },
    }
    assert response["Location"] == "https://cloudfront.amazonaws.com/2020-05-31/function/f"
    assert re.fullmatch("E[A-Z0-9]{13}", response["ETag"])


def test_a_create_returns_201_with_cloudfronts_headers(backend: EmbeddedBackend, clock: Clock) -> None:
    clock.now = clock.now.astimezone(timezone(timedelta(hours=2)))
    response = backend.create_function(**function())
    metadata = response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 201
    assert metadata["RetryAttempts"] == 0
    assert metadata["HTTPHeaders"] == {
        "date": "Tue, 05 May 2026 12:00:00 GMT",
        "x-amzn-requestid": metadata["RequestId"],
        "etag": response["ETag"],
        "location": response["Location"],
    }


def test_every_response_and_every_error_has_its_own_request_id(backend: EmbeddedBackend) -> None:
    created = backend.create_function(**function())["ResponseMetadata"]
    described = backend.describe_function(Name="f")["ResponseMetadata"]
    failed = error_with_exception(backend.describe_function, Name="g")[2].response["ResponseMetadata"]
    assert len({created["RequestId"], described["RequestId"], failed["RequestId"]}) == 3
    assert failed["HTTPHeaders"] == {
        "date": "Tue, 05 May 2026 12:00:00 GMT",
        "x-amzn-requestid": failed["RequestId"],
    }


def test_a_function_is_described_as_it_was_created(backend: EmbeddedBackend) -> None:
    created = backend.create_function(**function())
    described = backend.describe_function(Name="f", Stage="DEVELOPMENT")
    assert described["FunctionSummary"] == created["FunctionSummary"]
    assert described["ETag"] == created["ETag"] == described["ResponseMetadata"]["HTTPHeaders"]["etag"]
    assert described["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert "Location" not in described


def test_functions_have_different_etags(backend: EmbeddedBackend) -> None:
    etags = {backend.create_function(**function(f"f{number}"))["ETag"] for number in range(20)}
    assert len(etags) == 20


@pytest.mark.parametrize("code", [b"x", bytes(range(256)) * 40, b"\x00\xff\r\n", b"x" * 10_240])
def test_code_is_returned_unchanged(backend: EmbeddedBackend, code: bytes) -> None:
    created = backend.create_function(**function(code=code))
    response = backend.get_function(Name="f")
    assert response["FunctionCode"].read() == code
    assert response["ETag"] == created["ETag"]
    assert response["ContentType"] == response["ResponseMetadata"]["HTTPHeaders"]["content-type"]


def test_a_second_function_with_the_same_name_is_rejected(backend: EmbeddedBackend) -> None:
    backend.create_function(**function(code=b"first"))
    code, status, error = error_with_exception(backend.create_function, **function(code=b"second"))
    assert (code, status) == ("FunctionAlreadyExists", 409)
    assert error.operation_name == "CreateFunction"
    assert 'named "f"' in error.response["Error"]["Message"]
    assert backend.get_function(Name="f")["FunctionCode"].read() == b"first"


def test_names_differ_by_case(backend: EmbeddedBackend) -> None:
    backend.create_function(**function("f"))
    backend.create_function(**function("F"))


@pytest.mark.parametrize("read", ["describe_function", "get_function"])
@pytest.mark.parametrize("arguments", [{"Name": "g"}, {"Name": "g", "Stage": "LIVE"}, {"Name": "f", "Stage": "LIVE"}])
def test_a_function_without_the_stage_is_not_found(
    backend: EmbeddedBackend, read: str, arguments: dict[str, str]
) -> None:
    backend.create_function(**function("f"))
    code, status = error_of(getattr(backend, read), **arguments)
    assert (code, status) == ("NoSuchFunctionExists", 404)


def test_code_above_the_limit_is_rejected() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, max_function_code_bytes=5)) as backend:
        backend.create_function(**function("at", code=b"x" * 5))
        code, status, error = error_with_exception(backend.create_function, **function("over", code=b"x" * 6))
    assert (code, status) == ("FunctionSizeLimitExceeded", 413)
    assert "6 bytes" in error.response["Error"]["Message"]


def test_the_quota_of_functions_is_enforced() -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, max_functions=2)) as backend:
        backend.create_function(**function("f0"))
        backend.create_function(**function("f1"))
        code, status = error_of(backend.create_function, **function("f2"))
        assert (code, status) == ("TooManyFunctions", 400)
        assert error_of(backend.create_function, **function("f1"))[0] == "FunctionAlreadyExists"
        assert error_of(backend.describe_function, Name="f2")[0] == "NoSuchFunctionExists"


def test_a_function_keeps_its_association_with_a_ready_store(backend: EmbeddedBackend) -> None:
    arn = create_store(backend)
    backend.create_function(**function(**associated_with(arn)))
    config = backend.describe_function(Name="f")["FunctionSummary"]["FunctionConfig"]
    assert config["KeyValueStoreAssociations"] == {"Quantity": 1, "Items": [{"KeyValueStoreARN": arn}]}


@pytest.mark.parametrize("associations", [{"Quantity": 0}, {"Quantity": 0, "Items": []}])
def test_an_empty_list_of_associations_is_not_returned(backend: EmbeddedBackend, associations: dict[str, Any]) -> None:
    response = backend.create_function(**function(runtime="cloudfront-js-1.0", KeyValueStoreAssociations=associations))
    assert "KeyValueStoreAssociations" not in response["FunctionSummary"]["FunctionConfig"]


@pytest.mark.parametrize("associations", [{"Quantity": 1}, {"Quantity": 1, "Items": []}])
def test_a_quantity_without_items_is_rejected(backend: EmbeddedBackend, associations: dict[str, Any]) -> None:
    code, status = error_of(backend.create_function, **function(KeyValueStoreAssociations=associations))
    assert (code, status) == ("InvalidArgument", 400)


def test_a_quantity_other_than_the_number_of_items_is_rejected(backend: EmbeddedBackend) -> None:
    arn = create_store(backend)
    assert error_of(backend.create_function, **function(**associated_with(arn, quantity=0)))[0] == "InvalidArgument"
    assert error_of(backend.create_function, **function(**associated_with(arn, quantity=2)))[0] == "InvalidArgument"
    assert error_of(backend.describe_function, Name="f")[0] == "NoSuchFunctionExists"


def test_more_than_one_association_is_rejected(backend: EmbeddedBackend) -> None:
    arns = [create_store(backend, "s0"), create_store(backend, "s1")]
    code, status, error = error_with_exception(backend.create_function, **function(**associated_with(*arns)))
    assert (code, status) == ("InvalidArgument", 400)
    assert "at most 1" in error.response["Error"]["Message"]


def test_an_association_with_runtime_1_is_rejected(backend: EmbeddedBackend) -> None:
    arguments = function(runtime="cloudfront-js-1.0", **associated_with(create_store(backend)))
    code, status, error = error_with_exception(backend.create_function, **arguments)
    assert (code, status) == ("InvalidArgument", 400)
    assert "cloudfront-js-2.0" in error.response["Error"]["Message"]


def test_an_association_with_a_missing_store_is_rejected(backend: EmbeddedBackend) -> None:
    arn = "arn:aws:cloudfront::000000000000:key-value-store/00000000-0000-0000-0000-000000000000"
    code, status = error_of(backend.create_function, **function(**associated_with(arn)))
    assert (code, status) == ("InvalidArgument", 400)


def test_an_association_needs_a_ready_store(clock: Clock) -> None:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, clock=clock, provisioning_seconds=30)) as backend:
        arguments = function(**associated_with(create_store(backend)))
        clock.now += timedelta(seconds=29)
        assert error_of(backend.create_function, **arguments) == ("InvalidArgument", 400)
        clock.now += timedelta(seconds=1)
        backend.create_function(**arguments)
