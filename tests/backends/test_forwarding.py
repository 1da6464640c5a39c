"""The backends that forward calls: each method calls the operation with its own name."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace
from typing import Any, Final

import pytest
from botocore import xform_name

from cloudfront_facade_server.backends.aws import backend
from cloudfront_facade_server.backends.thread_pool import ThreadPoolBackend
from support.aws_backend import new_aws_backend
from support.event_loop import in_loop
from support.rpcs import BACKEND_METHODS, DATA_OPERATIONS

DATA_METHODS: Final = {xform_name(operation) for operation in DATA_OPERATIONS}
ARGUMENTS: Final[dict[str, Any]] = {"Name": "n"}


class Recorder:
    """Returns each call as its response, which is also valid for operations whose responses have no body."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            metadata = {"HTTPStatusCode": 204, "HTTPHeaders": {}}
            return {"ResponseMetadata": metadata, "called": (self.name, operation, arguments)}

        return call


@pytest.mark.parametrize("operation", BACKEND_METHODS)
def test_the_thread_pool_calls_the_same_operation(operation: str) -> None:
    with closing(ThreadPoolBackend(Recorder("blocking"), threads=1)) as pool:
        response = in_loop(getattr(pool, operation), **ARGUMENTS)
    assert response["called"] == ("blocking", operation, ARGUMENTS)


@pytest.mark.parametrize("operation", BACKEND_METHODS)
def test_the_aws_backend_calls_the_operation_of_the_same_name(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = SimpleNamespace(
        control=Recorder("control"), data=Recorder("data"), credentials=SimpleNamespace(load_count=0)
    )
    monkeypatch.setattr(backend, "make_clients", lambda *_: clients)
    response = in_loop(getattr(new_aws_backend(), operation), **ARGUMENTS)
    plane = "data" if operation in DATA_METHODS else "control"
    assert response["called"] == (plane, operation.removesuffix("_data"), ARGUMENTS)
