"""A CloudFront whose reads lag behind its writes, and a server in front of it."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.settings.serve import ServeSettings
from faults.changing import V2, MakeBackend
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.state import InMemoryCloudFront
from support.facade import Facade, function, running_facade

_READS = ("Describe", "Get", "List")

Lags = Callable[[str, Mapping[str, Any]], bool]
"""Takes a read's operation and arguments; returns whether it lags."""


class LaggingReads:
    """Runs the operations of a double: reads show the state of some time ago.

    Args:
        seconds: How old that state is.
        lags: Which reads lag.
    """

    def __init__(self, seconds: float, lags: Lags) -> None:
        self._seconds = seconds
        self._lags = lags
        self.state = InMemoryCloudFront()
        self._history = [(time.monotonic(), _copy(self.state))]
        self._lock = threading.Lock()

    def __call__(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Runs an operation with boto3's arguments; raises ClientError."""
        with self._lock:
            if operation.startswith(_READS):
                shown = self._before() if self._lags(operation, arguments) else self.state
                return shown.apply(operation, arguments)
            response = self.state.apply(operation, arguments)
            self._history.append((time.monotonic(), _copy(self.state)))
            return response

    def catch_up(self) -> None:
        """Lets reads show the current state from now on."""
        with self._lock:
            self._history = [(time.monotonic() - self._seconds, _copy(self.state))]

    def _before(self) -> InMemoryCloudFront:
        """Returns the state of some time ago, or the first one."""
        latest = time.monotonic() - self._seconds
        old = [state for written, state in self._history if written <= latest]
        return old[-1] if old else self._history[0][1]


def _copy(state: InMemoryCloudFront) -> InMemoryCloudFront:
    copied = InMemoryCloudFront()
    copied.functions = copy.deepcopy(state.functions)
    copied.stores = copy.deepcopy(state.stores)
    copied.tags = copy.deepcopy(state.tags)
    return copied


LAG: Final = 2.0
SETTLE_TIMEOUT: Final = 5.0
"""The default of the setting."""

A, B, C = b"// a", b"// b", b"// c"


def lags(operation: str, arguments: Mapping[str, Any]) -> bool:
    """Lets the reads of keys and tags lag, and of functions and stores; but never a store's etag for its keys.

    Of the function `publish`, only the LIVE stage lags.
    """
    if arguments.get("Name") == "publish":
        return arguments.get("Stage") == "LIVE"
    return operation != "DescribeKeyValueStoreData"


@dataclass
class Lagging:
    """A server in front of a CloudFront that lags, and the resources of all cases."""

    facade: Facade
    double: CloudFrontDouble
    reads: LaggingReads
    etags: dict[str, str] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)

    def create(self, name: str, **fields: Any) -> None:
        """Creates a function with the code A."""
        created = self.facade.functions.CreateFunction(function(name, **{"function_code": A} | fields))
        self.etags[name], self.arns[name] = created.etag, created.function_summary.function_metadata.function_arn

    def update(self, name: str, code: bytes, etag: str = "", timeout: float | None = None) -> Any:
        """Updates a function."""
        config = functions.FunctionConfig(runtime=V2)
        request = functions.UpdateFunctionRequest(
            name=name, etag=etag or self.etags[name], function_config=config, function_code=code
        )
        response = self.facade.functions.UpdateFunction(request, timeout=timeout)
        self.etags[name] = response.etag
        return response

    def publish(self, name: str) -> Any:
        """Publishes a function."""
        return self.facade.functions.PublishFunction(functions.PublishFunctionRequest(name=name, etag=self.etags[name]))

    def create_store(self, name: str, comment: str = "a") -> None:
        """Creates a store."""
        created = self.facade.stores.CreateKeyValueStore(stores.CreateKeyValueStoreRequest(name=name, comment=comment))
        self.etags[name], self.arns[name] = created.etag, created.key_value_store.arn

    def update_store(self, name: str, comment: str) -> Any:
        """Changes the comment of a store."""
        request = stores.UpdateKeyValueStoreRequest(name=name, etag=self.etags[name], comment=comment)
        response = self.facade.stores.UpdateKeyValueStore(request)
        self.etags[name] = response.etag
        return response

    def put(self, name: str, value: str) -> Any:
        """Puts the key `k`."""
        return self.facade.key_values.PutKey(data.PutKeyRequest(kvs_arn=self.arns[name], key="k", value=value))

    def tag(self, name: str, value: str) -> Any:
        """Sets the tag `t`."""
        request = tags.TagResourceRequest(resource=self.arns[name], tags=[Tag(key="t", value=value)])
        return self.facade.tags.TagResource(request)


@pytest.fixture
def at(aws_backend: MakeBackend, request: pytest.FixtureRequest) -> Iterator[Lagging]:
    """Reads lag. A parameter replaces the settle timeout; the lag that the server allows for is the default."""
    reads = LaggingReads(LAG, lags)
    settings = {
        "settle_timeout": getattr(request, "param", SETTLE_TIMEOUT),
        "max_read_lag": ServeSettings.model_fields["max_read_lag"].default,
    }
    with (
        CloudFrontDouble(reads) as double,
        running_facade(aws_backend(double), **settings) as facade,
    ):
        yield Lagging(facade, double, reads)
