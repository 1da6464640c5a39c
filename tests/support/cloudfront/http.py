"""CloudFront as an HTTP server on loopback: real sockets, real XML and JSON, and any fault that a test needs.

Both planes have the same address. Operations are counted and scripted by their names, except that the data plane's
DescribeKeyValueStore is called `DescribeKeyValueStoreData`.

Example:
    with CloudFrontDouble() as double:
        double.script("CreateFunction", apply_then_close())
        backend = new_aws_backend(endpoint_url=double.url)
        ...
        assert double.effects("CreateFunction") == 1
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from .data_wire import PREFIX, DataWire, installed_data_wire
from .faults import Exchange, Fault, Hangup, normally
from .server import LoopbackServer, Reply
from .state import InMemoryCloudFront
from .wire import HttpResponse, Wire, installed_wire

Apply = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Runs an operation with boto3's arguments: returns boto3's response or raises ClientError."""


@dataclass(frozen=True)
class RecordedRequest:
    """A request as received. Header names are in lower case; `operation` is empty if CloudFront does not have it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    operation: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


class CloudFrontDouble(InMemoryCloudFront):
    """A CloudFront on a free port of 127.0.0.1.

    Args:
        apply: Runs the operations instead of the double's own state.

    Attributes:
        address: The host and the port.
        url: The address to pass as endpoint_url.
        max_in_flight: The highest number of concurrent requests.
    """

    def __init__(self, apply: Apply | None = None) -> None:
        super().__init__()
        self._apply: Apply = apply or self.apply
        self._changed = threading.Condition()
        self._requests: list[RecordedRequest] = []
        self._counts: Counter[str] = Counter()
        self._effects: Counter[str] = Counter()
        self._scripts: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._defaults: dict[str, Fault] = {}
        self._in_flight = 0
        self.max_in_flight = 0
        self._releases = 0
        self._closing = False
        self._server = LoopbackServer(self._respond)
        self.address = ("127.0.0.1", self._server.server_port)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """All requests so far, in the order in which they arrived."""
        with self._changed:
            return tuple(self._requests)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return self._server.connections

    def wait_until_idle(self, timeout: float = 10.0) -> None:
        """Waits until no connection is open; raises TimeoutError if one stays open."""
        self._server.wait_until_idle(timeout)

    def count(self, operation: str) -> int:
        """Returns the number of requests for this operation."""
        with self._changed:
            return self._counts[operation]

    def effects(self, operation: str) -> int:
        """Returns how often this operation was applied without an error."""
        with self._changed:
            return self._effects[operation]

    def wait_for(self, operation: str, times: int = 1, timeout: float = 10.0) -> None:
        """Waits until this many requests for the operation arrived; raises TimeoutError if they do not."""
        self._wait_until(self._counts, operation, times, timeout)

    def wait_for_effect(self, operation: str, times: int = 1, timeout: float = 10.0) -> None:
        """Waits until the operation was applied this many times; raises TimeoutError if it is not."""
        self._wait_until(self._effects, operation, times, timeout)

    def script(self, operation: str, *faults: Fault) -> None:
        """Sets the faults of the next requests for this operation; later requests succeed normally."""
        with self._changed:
            self._scripts[operation].extend(faults)

    def always(self, operation: str, fault: Fault | None) -> None:
        """Sets the fault of all requests for this operation that are not scripted; None removes it."""
        with self._changed:
            if fault is None:
                self._defaults.pop(operation, None)
            else:
                self._defaults[operation] = fault

    def release(self) -> None:
        """Ends all waits: closes hanging connections, and responds to held and delayed requests."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Ends every connection and thread.

        Raises:
            ExceptionGroup: The double itself failed.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._server.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait_until(self, counts: Counter[str], operation: str, times: int, timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: counts[operation] >= times, timeout):
                raise TimeoutError(f"{counts[operation]} of {times} {operation} in {timeout} s")

    def _respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        request_id = str(uuid.uuid4())
        with self._changed:
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
        try:
            outcome = self._outcome(RecordedRequest(method, path, headers, body), request_id)
        finally:
            with self._changed:
                self._in_flight -= 1
        date = format_datetime(self.clock(), usegmt=True)
        return Reply(outcome, {"Date": date, "x-amzn-RequestId": request_id})

    def _outcome(self, request: RecordedRequest, request_id: str) -> HttpResponse | Hangup:
        wire = installed_data_wire() if urlsplit(request.path).path.startswith(PREFIX) else installed_wire()
        try:
            operation, arguments = wire.decode(request.method, request.path, request.headers, request.body)
        except ClientError as error:
            self._record(request)
            return _error(wire, error, request_id)
        releases = self._record(replace(request, operation=operation, arguments=arguments))
        try:
            wire.check_signature(request.headers)
        except ClientError as error:
            return _error(wire, error, request_id)
        run = partial(self._run, wire, operation, arguments, request_id)
        error_response = partial(wire.error, request_id=request_id)
        wait = partial(self._wait, releases)
        return self._next_fault(operation)(Exchange(operation, arguments, request.headers, run, error_response, wait))

    def _record(self, request: RecordedRequest) -> int:
        """Records a request; returns the number of releases so far, because any later release ends its wait."""
        with self._changed:
            self._requests.append(request)
            self._counts[request.operation] += 1
            self._changed.notify_all()
            return self._releases

    def _next_fault(self, operation: str) -> Fault:
        with self._changed:
            script = self._scripts[operation]
            return script.popleft() if script else self._defaults.get(operation, normally())

    def _run(
        self, wire: Wire | DataWire, operation: str, arguments: Mapping[str, Any], request_id: str
    ) -> HttpResponse:
        try:
            response = self._apply(operation, arguments)
        except ClientError as error:
            return _error(wire, error, request_id)
        with self._changed:
            self._effects[operation] += 1
            self._changed.notify_all()
        return wire.encode(operation, response)

    def _wait(self, releases: int, seconds: float | None) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._releases > releases, seconds)
            return not self._closing


def _error(wire: Wire | DataWire, error: ClientError, request_id: str) -> HttpResponse:
    details = error.response["Error"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return wire.error(details["Code"], status, details["Message"], request_id)
