"""A caller that floods the server is served in its share; others hardly notice."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, Final

import grpc
import pytest
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from cloudfront_facade.v1.function_service_pb2 import DescribeFunctionRequest, FunctionStage
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2 import PutKeyRequest
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from support.cloudfront.faults import delay
from support.cloudfront.http import CloudFrontDouble
from support.facade import function, open_channel
from support.http2 import RawConnection, attackers, message_prefix
from support.process import FacadeProcess
from support.waiting import wait_until

LOOPS: Final = 80
CALLERS: Final = 4
DESCRIBE: Final = DescribeFunctionRequest(name="f", stage=FunctionStage.FUNCTION_STAGE_DEVELOPMENT)

Call = Callable[[Any, str], Any]
"""Starts a call on a channel, with the ARN of the store; returns its future."""


def describe(channel: Any, _arn: str) -> Any:
    return FunctionServiceStub(channel).DescribeFunction.future(DESCRIBE, timeout=5)


def put(channel: Any, arn: str) -> Any:
    request = PutKeyRequest(kvs_arn=arn, key="k", value="v")
    return KeyValueStoreDataServiceStub(channel).PutKey.future(request, timeout=10)


def create_what_others_have_just_created(channel: Any, _arn: str) -> Any:
    """Creates `f`, which has no tags: for a minute, its owner is not known, so that the create is settled."""
    request = function("f", request_id=str(uuid.uuid4()))
    return FunctionServiceStub(channel).CreateFunction.future(request, timeout=20)


def flood(address: str, arn: str, call: Call) -> None:
    """Calls in many loops over one connection, until the process is terminated."""
    channel: Any = grpc.insecure_channel(address)

    def loop() -> None:
        while True:
            call(channel, arn).exception()

    for _ in range(LOOPS):
        threading.Thread(target=loop, daemon=True).start()
    time.sleep(600)


def open_and_reset(address: str, arn: str, _call: Call) -> None:
    """Starts puts over one connection, and resets them soon after, until the process is terminated."""
    message = PutKeyRequest(kvs_arn=arn, key="k", value="v").SerializeToString()
    connection = RawConnection(address)
    while True:
        streams = [connection.open("/cloudfront_facade.v1.KeyValueStoreDataService/PutKey") for _ in range(20)]
        for stream in streams:
            connection.send(stream, message_prefix(len(message)) + message, end=True)
        time.sleep(0.1)
        for stream in streams:
            with suppress(ProtocolError):  # the call has ended
                connection.h2.reset_stream(stream, ErrorCodes.CANCEL)
        connection.flush()
        connection.receive(0)


@dataclass(frozen=True)
class Flood:
    """A flood, and the calls that others make meanwhile.

    Attributes:
        attack: Runs until its process is terminated.
        call: A call of the flood.
        operation: What CloudFront receives from the flood.
        polite: A call of the others.
        latencies: The seconds that CloudFront takes for each operation.
        longest: The longest median of the polite calls, in medians without the flood.
        added: The seconds that are added to that.
    """

    attack: Callable[[str, str, Call], None]
    call: Call
    operation: str
    polite: Call
    latencies: dict[str, float]
    longest: float = 1.0
    added: float = 0.05


WRITES: Final = {"PutKey": 0.02, "DescribeKeyValueStoreData": 0.02}
_ONE_TURN_MORE: Final = 1.25 * (CALLERS + 1) / CALLERS
"""Writes of one store take turns, and the flood has one of five. The rest is for a busy machine."""

FLOODS: Final = {
    "reads": Flood(flood, describe, "DescribeFunction", describe, {"DescribeFunction": 0.1}),
    "writes of one store": Flood(flood, put, "DescribeKeyValueStoreData", put, WRITES, _ONE_TURN_MORE),
    "creates that settle": Flood(flood, create_what_others_have_just_created, "CreateFunction", describe, {}),
    "writes that are reset": Flood(open_and_reset, put, "DescribeKeyValueStoreData", put, WRITES, _ONE_TURN_MORE),
}


def polite(address: str, arn: str, call: Call, seconds: float) -> tuple[list[float], int]:
    """Calls in one loop; returns the durations of the calls that succeeded, and how many failed."""
    durations, failed = [], 0
    with open_channel(address, use_local_subchannel_pool=1) as channel:
        call(channel, arn).exception()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            started = time.monotonic()
            if call(channel, arn).exception() is None:
                durations.append(time.monotonic() - started)
            else:
                failed += 1
    return durations, failed


def polite_callers(address: str, arn: str, call: Call, seconds: float) -> tuple[float, float]:
    """Returns the median duration of the calls of several polite callers, and the share that fails."""
    results: list[tuple[list[float], int]] = []
    threads = [
        threading.Thread(target=lambda: results.append(polite(address, arn, call, seconds))) for _ in range(CALLERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    durations = list(itertools.chain.from_iterable(times for times, _ in results))
    failed = sum(count for _, count in results)
    return median(durations or [float("inf")]), failed / max(1, len(durations) + failed)


def has_risen(cloudfront: CloudFrontDouble, operation: str, before: int) -> bool:
    return cloudfront.count(operation) > before + 20


@pytest.mark.parametrize("flooded", FLOODS.values(), ids=FLOODS)
def test_four_polite_callers_are_served_although_one_connection_floods(
    cloudfront: CloudFrontDouble, flooded: Flood
) -> None:
    with FacadeProcess("--backend", "aws", "--endpoint-url", cloudfront.url, "--drain-delay", "0") as process:
        with open_channel(process.address) as channel:
            FunctionServiceStub(channel).CreateFunction(function("f"))
            request = CreateKeyValueStoreRequest(name="redirects")
            arn = KeyValueStoreServiceStub(channel).CreateKeyValueStore(request).key_value_store.arn
        for operation, seconds in flooded.latencies.items():
            cloudfront.always(operation, delay(seconds))
        measured = []
        for _ in range(3):  # the machine may be busy
            alone, _ = polite_callers(process.address, arn, flooded.polite, 0.7)
            flood_has_begun = partial(has_risen, cloudfront, flooded.operation, cloudfront.count(flooded.operation))
            with attackers(flooded.attack, process.address, arn, flooded.call, count=1):
                wait_until(flood_has_begun, timeout=20)
                time.sleep(0.3)
                duration, failed = polite_callers(process.address, arn, flooded.polite, 1.6)
            measured.append((alone, duration, failed))
            if duration < alone * flooded.longest + flooded.added and failed <= 0.02:
                return
    raise AssertionError(measured)
