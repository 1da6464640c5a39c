"""If-Match in the embedded backend: malformed, outdated and current etags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backends.embedded_resources import CONFIG
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

MISSING = {
    "UpdateFunction": ("NoSuchFunctionExists", 404),
    "PublishFunction": ("NoSuchFunctionExists", 404),
    "TestFunction": ("NoSuchFunctionExists", 404),
    "DeleteFunction": ("NoSuchFunctionExists", 404),
    "UpdateKeyValueStore": ("EntityNotFound", 404),
    "DeleteKeyValueStore": ("EntityNotFound", 404),
    "PutKey": ("ResourceNotFoundException", 404),
    "DeleteKey": ("ResourceNotFoundException", 404),
    "UpdateKeys": ("ResourceNotFoundException", 404),
}
DATA_PLANE = {"PutKey", "DeleteKey", "UpdateKeys"}
STALE = "E0123456789ABC"

every_change = pytest.mark.parametrize("operation", MISSING)


class UnusedRunner:
    """A runner that must not be called."""

    def run(self, *_: object) -> Any:
        raise AssertionError


@pytest.fixture
def backend() -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(path=":memory:", s3_dir=None, runner=UnusedRunner())) as backend:
        yield backend


def create_resources(backend: EmbeddedBackend) -> dict[str, str]:
    """Creates a published function and a store with a key, and returns their etags and the store's ARN."""
    etag = backend.create_function(Name="n", FunctionConfig=CONFIG, FunctionCode=b"x")["ETag"]
    backend.publish_function(Name="n", IfMatch=etag)
    arn = backend.create_key_value_store(Name="n")["KeyValueStore"]["ARN"]
    data = backend.put_key(KvsARN=arn, Key="k", Value="v", IfMatch=data_etag(backend, arn))["ETag"]
    return {
        "DEVELOPMENT": etag,
        "LIVE": backend.describe_function(Name="n", Stage="LIVE")["ETag"],
        "store": backend.describe_key_value_store(Name="n")["ETag"],
        "data": data,
        "arn": arn,
    }


def data_etag(backend: EmbeddedBackend, arn: str) -> str:
    etag: str = backend.describe_key_value_store_data(KvsARN=arn)["ETag"]
    return etag


def change(backend: EmbeddedBackend, operation: str, arn: str, *, name: str = "n", **if_match: Any) -> tuple[str, int]:
    """Calls the operation, and returns the code and HTTP status of its response."""
    update = {"Name": name, "FunctionConfig": CONFIG, "FunctionCode": b"y"}
    calls: dict[str, Callable[[], object]] = {
        "UpdateFunction": lambda: backend.update_function(**update, **if_match),
        "PublishFunction": lambda: backend.publish_function(Name=name, **if_match),
        "TestFunction": lambda: backend.test_function(Name=name, EventObject=b"{}", **if_match),
        "DeleteFunction": lambda: backend.delete_function(Name=name, **if_match),
        "UpdateKeyValueStore": lambda: backend.update_key_value_store(Name=name, Comment="c", **if_match),
        "DeleteKeyValueStore": lambda: backend.delete_key_value_store(Name=name, **if_match),
        "PutKey": lambda: backend.put_key(KvsARN=arn, Key="k", Value="w", **if_match),
        "DeleteKey": lambda: backend.delete_key(KvsARN=arn, Key="k", **if_match),
        "UpdateKeys": lambda: backend.update_keys(KvsARN=arn, Puts=[{"Key": "k", "Value": "w"}], **if_match),
    }
    try:
        calls[operation]()
    except ClientError as error:
        response: Any = error.response
        if error.operation_name != operation:
            raise AssertionError from error
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    return "OK", 200


def state(backend: EmbeddedBackend, arn: str) -> list[Any]:
    """Returns everything that a rejected change must not modify."""
    responses = [
        backend.describe_function(Name="n", Stage="DEVELOPMENT"),
        backend.describe_function(Name="n", Stage="LIVE"),
        backend.describe_key_value_store(Name="n"),
        backend.describe_key_value_store_data(KvsARN=arn),
        backend.get_key(KvsARN=arn, Key="k"),
    ]
    return [{**response, "ResponseMetadata": None} for response in responses]


def malformed_error(operation: str) -> tuple[str, int]:
    return ("ValidationException" if operation in DATA_PLANE else "InvalidIfMatchVersion", 400)


@every_change
@pytest.mark.parametrize(
    "if_match",
    ["absent", "", "*", "1", "e0123456789abc", f'"{STALE}"', f"W/{STALE}", f"{STALE}\n", f" {STALE}", "E" * 1000],
)
def test_a_missing_or_malformed_etag_is_rejected(backend: EmbeddedBackend, operation: str, if_match: str) -> None:
    etags = create_resources(backend)
    before = state(backend, etags["arn"])
    arguments = {} if if_match == "absent" else {"IfMatch": if_match}
    assert change(backend, operation, etags["arn"], **arguments) == malformed_error(operation)
    assert state(backend, etags["arn"]) == before


@every_change
@pytest.mark.parametrize("other", ["stale", "DEVELOPMENT", "LIVE", "store", "data"])
def test_another_etag_is_rejected(backend: EmbeddedBackend, operation: str, other: str) -> None:
    etags = create_resources(backend)
    current = "data" if operation in DATA_PLANE else "store" if "KeyValueStore" in operation else "DEVELOPMENT"
    if other == current:
        return
    before = state(backend, etags["arn"])
    response = change(backend, operation, etags["arn"], IfMatch={**etags, "stale": STALE}[other])
    if operation in DATA_PLANE:
        assert response == ("ValidationException", 400)
    elif operation == "TestFunction" or other == "data":
        # The service model has no PreconditionFailed for tests, and an etag of the data plane is malformed here.
        assert response == ("InvalidIfMatchVersion", 400)
    else:
        assert response == ("PreconditionFailed", 412)
    assert state(backend, etags["arn"]) == before


@every_change
def test_a_change_of_a_missing_resource_is_not_found(backend: EmbeddedBackend, operation: str) -> None:
    arn = "arn:aws:cloudfront::000000000000:key-value-store/00000000-0000-0000-0000-000000000000"
    assert change(backend, operation, arn, name="absent", IfMatch=STALE) == MISSING[operation]


@pytest.mark.parametrize("operation", [operation for operation in MISSING if operation != "TestFunction"])
def test_an_etag_is_valid_for_one_change(backend: EmbeddedBackend, operation: str) -> None:
    etags = create_resources(backend)
    current = "data" if operation in DATA_PLANE else "store" if "KeyValueStore" in operation else "DEVELOPMENT"
    assert change(backend, operation, etags["arn"], IfMatch=etags[current]) == ("OK", 200)
    again = change(backend, operation, etags["arn"], IfMatch=etags[current])
    if operation == "PublishFunction":
        assert again == ("OK", 200), "publishing does not change DEVELOPMENT"
    elif operation in ("DeleteFunction", "DeleteKeyValueStore"):
        assert again == MISSING[operation]
    else:
        assert again == (("ValidationException", 400) if operation in DATA_PLANE else ("PreconditionFailed", 412))


@pytest.mark.parametrize("operation", ["UpdateFunction", "UpdateKeyValueStore", "PutKey", "DeleteKey", "UpdateKeys"])
@pytest.mark.parametrize("on_disk", [False, True])
def test_only_one_of_8_writers_with_the_same_etag_succeeds(tmp_path: Path, operation: str, on_disk: bool) -> None:
    def write(_: int) -> str:
        start.wait()
        return change(backend, operation, etags["arn"], IfMatch=etag)[0]

    start = Barrier(8)
    path = str(tmp_path / "db") if on_disk else ":memory:"
    with closing(EmbeddedBackend(path=path, s3_dir=None)) as backend, ThreadPoolExecutor(8) as pool:
        etags = create_resources(backend)
        etag = etags["data" if operation in DATA_PLANE else "store" if "Store" in operation else "DEVELOPMENT"]
        codes = sorted(pool.map(write, range(8)))
    conflict = "ValidationException" if operation in DATA_PLANE else "PreconditionFailed"
    assert codes == sorted(["OK", *[conflict] * 7])
