"""Callers with many connections, or with valid requests only, take neither memory nor places from others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from h2.settings import SettingCodes

from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    ImportKeysRequest,
    KeyChange,
    KeyValue,
    ListKeysRequest,
    UpdateKeysRequest,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from support.cloudfront.faults import delay
from support.cloudfront.http import CloudFrontDouble
from support.facade import open_channel
from support.http2 import RawConnection, attackers, message_prefix
from support.process import EMBEDDED, FacadeProcess
from support.waiting import wait_until

DATA = "/cloudfront_facade.v1.KeyValueStoreDataService"
HEALTH = "/grpc.health.v1.Health"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
LARGE_ANSWER = ServerReflectionRequest(
    file_containing_symbol="cloudfront_facade.v1.KeyValueStoreDataService"
).SerializeToString()
"""A request whose answer has almost 100 KB."""

OVERLOADED = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
MAX_GROWTH = 300.0
"""MiB above the idle server."""


def create_store(channel: Any, name: str = "store") -> str:
    response = KeyValueStoreServiceStub(channel).CreateKeyValueStore(CreateKeyValueStoreRequest(name=name))
    return str(response.key_value_store.arn)


def changes(count: int) -> list[KeyChange]:
    """Returns changes of about 1 KB each, of few keys."""
    return [KeyChange(put=KeyValue(key=f"k{number % 40}", value="v" * 1000)) for number in range(count)]


def framed(message: bytes) -> bytes:
    return message_prefix(len(message)) + message


def failed_health_checks(channel: Any, count: int = 30) -> int:
    check = channel.unary_unary(f"{HEALTH}/Check")
    return sum(check.future(b"", timeout=3).exception() is not None for _ in range(count))


def test_silent_calls_on_thirty_connections_take_no_place_from_health_checks() -> None:
    with FacadeProcess(*EMBEDDED) as process, ExitStack() as stack:
        for _ in range(30):
            connection = stack.enter_context(RawConnection(process.address))
            for _ in range(30):
                connection.open(f"{DATA}/ImportKeys")
        with open_channel(process.address, use_local_subchannel_pool=1) as channel:
            assert failed_health_checks(channel) == 0
            assert create_store(channel)


def test_silent_calls_on_a_unix_socket_take_no_place_from_others(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 's'}"
    ended = threading.Event()

    def silent() -> Iterator[bytes]:
        ended.wait(30)
        yield b""

    with (
        FacadeProcess(*EMBEDDED, "--listen", address),
        open_channel(address, use_local_subchannel_pool=1) as flood,
        open_channel(address, use_local_subchannel_pool=1) as channel,
    ):
        calls = [flood.stream_unary(f"{DATA}/ImportKeys").future(silent()) for _ in range(60)]
        time.sleep(0.3)
        try:
            assert failed_health_checks(channel) == 0
            assert create_store(channel)
        finally:
            ended.set()
            for call in calls:
                call.cancel()


def send_imports(address: str, message: bytes) -> None:
    """Sends one complete message on each of many streams, in sequence, and then nothing."""
    with ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(address)) for _ in range(2)]
        for connection in connections:
            for _ in range(60):
                stream, rest = connection.open(f"{DATA}/ImportKeys", grpc_timeout="1800S"), memoryview(framed(message))
                while rest and stream not in connection.statuses:
                    sent = connection.send_available(stream, rest)
                    rest = rest[sent:]
                    connection.receive(0.0 if sent else 0.01)
        while True:
            for connection in connections:
                connection.receive(0.1)


def test_imports_that_sent_a_large_message_hold_no_memory() -> None:
    with FacadeProcess(*EMBEDDED) as process, open_channel(process.address) as channel:
        message = ImportKeysRequest(kvs_arn=create_store(channel), changes=changes(4000)).SerializeToString()
        idle, peak = process.memory(), 0.0
        with attackers(send_imports, process.address, message, count=1):
            ends = time.monotonic() + 6
            while time.monotonic() < ends:
                assert failed_health_checks(channel, 1) == 0
                peak = max(peak, process.memory())
                time.sleep(0.02)
    assert peak - idle < MAX_GROWTH
    assert not [line for line in process.lines if "text" in line or line["level"] == "error"]


def test_responses_that_are_not_read_hold_little_memory() -> None:
    with FacadeProcess(*EMBEDDED) as process, open_channel(process.address) as channel, ExitStack() as stack:
        arn = create_store(channel)
        data = KeyValueStoreDataServiceStub(channel)
        data.UpdateKeys(UpdateKeysRequest(kvs_arn=arn, changes=changes(40)))
        request = framed(ListKeysRequest(kvs_arn=arn, page_size=50).SerializeToString())
        idle = process.memory()
        streams = 0
        for _ in range(60):
            connection = stack.enter_context(RawConnection(process.address))
            connection.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
            connection.flush()
            connection.receive(0.02)
            for _ in range(99):
                connection.send(connection.open(f"{DATA}/ListKeys"), request, end=True)
                streams += 1
            connection.receive(0.0)
        # While thousands of calls arrive at once, gRPC rejects some.
        wait_until(lambda: data.ListKeys.future(ListKeysRequest(kvs_arn=arn), timeout=20).exception() is None)
        assert process.memory() - idle < MAX_GROWTH
        served = sum(line.get("method") == "ListKeys" and line.get("status") == "OK" for line in process.lines)
        assert 60 <= served < streams / 4, "each connection is served, and few of its calls"


def without_window(connection: RawConnection) -> RawConnection:
    """Makes the server send no response on a connection."""
    connection.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    connection.flush()
    connection.receive(0.02)
    return connection


def requests_until(ended: threading.Event) -> Iterator[bytes]:
    """Yields one request, and ends when the event is set."""
    yield LARGE_ANSWER
    ended.wait(60)


def answer_sizes(address: str, count: int) -> list[int]:
    with open_channel(address, use_local_subchannel_pool=1) as channel:
        return [len(answer) for answer in channel.stream_stream(REFLECTION)(iter([LARGE_ANSWER] * count), timeout=20)]


def test_streams_of_responses_that_are_not_read_hold_little_memory() -> None:
    with FacadeProcess(*EMBEDDED, "--listen", "[::]:0", "--allow-plaintext") as process, ExitStack() as stack:
        port = process.address.rpartition(":")[2]
        expected = answer_sizes(f"[::1]:{port}", 20)
        assert min(expected) > 90_000
        idle = process.memory()
        for _ in range(400):
            connection = without_window(stack.enter_context(RawConnection(f"127.0.0.1:{port}")))
            for _ in range(4):
                connection.send(connection.open(REFLECTION), framed(LARGE_ANSWER))
        time.sleep(3)
        assert process.memory() - idle < MAX_GROWTH
        assert sum(line.get("reason") == "OVERLOADED" for line in process.lines) > 1000
        assert answer_sizes(f"[::1]:{port}", 20) == expected
        stack.close()
        wait_until(lambda: answer_sizes(f"[::1]:{port}", 1))
    assert not [line for line in process.lines if "text" in line or line["level"] == "error"]


def test_a_stream_that_waits_for_its_next_request_holds_no_response() -> None:
    with FacadeProcess(*EMBEDDED) as process, ExitStack() as stack:
        assert answer_sizes(process.address, 1)
        idle, calls = process.memory(), []
        for _ in range(100):
            channel = stack.enter_context(open_channel(process.address, use_local_subchannel_pool=1))
            for _ in range(4):
                next_request = threading.Event()
                stack.callback(next_request.set)
                calls.append(channel.stream_stream(REFLECTION)(requests_until(next_request), timeout=60))
                assert len(next(calls[-1])) > 90_000
        assert process.memory() - idle < 30
    assert not [line for line in process.lines if "text" in line or line["level"] == "error"]


def test_a_stream_whose_response_is_read_too_late_ends() -> None:
    with FacadeProcess(*EMBEDDED, "--max-stream-silence", "1") as process, RawConnection(process.address) as connection:
        stream = without_window(connection).open(REFLECTION)
        connection.send(stream, framed(LARGE_ANSWER), end=True)
        time.sleep(1.5)
        connection.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1 << 20})
        connection.flush()
        assert connection.status(stream) == grpc.StatusCode.ABORTED.value[0]
        line = process.wait_for("rpc", timeout=5)
        assert (line["method"], line["reason"]) == ("ServerReflectionInfo", "STREAM_STALLED")
        assert line["duration_ms"] > 1000


def test_a_health_watch_that_is_not_read_stops_neither_other_watches_nor_the_shutdown() -> None:
    with FacadeProcess(*EMBEDDED) as process, ExitStack() as stack:
        connection = without_window(stack.enter_context(RawConnection(process.address)))
        for _ in range(4):
            connection.send(connection.open(f"{HEALTH}/Watch"), message_prefix(0), end=True)
        connection.receive(0.3)
        channel = stack.enter_context(open_channel(process.address))
        watch = channel.unary_stream(f"{HEALTH}/Watch")(b"", timeout=20)
        assert HealthCheckResponse.FromString(next(watch)).status == HealthCheckResponse.SERVING
        process.signal()
        assert HealthCheckResponse.FromString(next(watch)).status == HealthCheckResponse.NOT_SERVING
        assert process.wait(20) == 0


def test_a_connection_may_have_four_health_watches() -> None:
    with FacadeProcess(*EMBEDDED) as process, RawConnection(process.address) as connection:
        streams = [connection.open(f"{HEALTH}/Watch") for _ in range(5)]
        for stream in streams:
            connection.send(stream, message_prefix(0), end=True)
        assert connection.status(streams[-1]) == OVERLOADED
        assert not connection.statuses.keys() & set(streams[:-1])
        connection.h2.reset_stream(streams[0])
        connection.flush()
        time.sleep(0.3)
        another = connection.open(f"{HEALTH}/Watch")
        connection.send(another, message_prefix(0), end=True)
        connection.receive(0.3)
        assert another not in connection.statuses


def test_imports_of_many_callers_that_pause_between_messages_all_succeed() -> None:
    def paced(arn: str, key: str) -> Iterator[ImportKeysRequest]:
        for _ in range(4):
            yield ImportKeysRequest(kvs_arn=arn, changes=[KeyChange(put=KeyValue(key=key, value="v"))])
            time.sleep(0.8)

    with FacadeProcess(*EMBEDDED) as process, ExitStack() as stack:
        channels = [stack.enter_context(open_channel(process.address, use_local_subchannel_pool=1)) for _ in range(3)]
        arn = create_store(channels[0])
        calls = [
            KeyValueStoreDataServiceStub(channel).ImportKeys.future(paced(arn, f"{number}-{index}"), timeout=60)
            for number, channel in enumerate(channels)
            for index in range(12)
        ]
        assert [call.result().applied_changes for call in calls] == [4] * 36


def test_messages_without_changes_are_no_progress() -> None:
    with (
        FacadeProcess(*EMBEDDED, "--max-stream-silence", "1") as process,
        open_channel(process.address) as channel,
        RawConnection(process.address) as connection,
    ):
        first = ImportKeysRequest(kvs_arn=create_store(channel), changes=changes(1)).SerializeToString()
        stream = connection.open(f"{DATA}/ImportKeys")
        connection.send(stream, framed(first))
        started = time.monotonic()
        while stream not in connection.statuses and time.monotonic() < started + 6:
            connection.send(stream, message_prefix(0))
            connection.receive(0.4)
        assert connection.statuses[stream] == grpc.StatusCode.ABORTED.value[0]


def update(address: str, arn: str) -> None:
    """Sends updates of 4 MB over two connections, seven at a time, until the process is terminated."""
    request = UpdateKeysRequest(kvs_arn=arn, changes=changes(4000))
    for _ in range(2):
        channel: Any = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        stub = KeyValueStoreDataServiceStub(channel)

        def loop(stub: Any = stub) -> None:
            while True:
                stub.UpdateKeys.future(request, timeout=60).exception()

        for _ in range(7):
            threading.Thread(target=loop, daemon=True).start()
    time.sleep(600)


def test_large_updates_of_two_connections_leave_memory_for_others(cloudfront: CloudFrontDouble) -> None:
    for operation in ("UpdateKeys", "DescribeKeyValueStoreData"):
        cloudfront.always(operation, delay(0.05))
    arguments = ("--backend", "aws", "--endpoint-url", cloudfront.url)
    with FacadeProcess(*arguments) as process, open_channel(process.address) as channel:
        idle = process.memory()
        with attackers(update, process.address, create_store(channel, "large"), count=1):
            arn = create_store(channel, "small")
            time.sleep(2)
            request = UpdateKeysRequest(kvs_arn=arn, changes=changes(800))
            update_keys = KeyValueStoreDataServiceStub(channel).UpdateKeys
            failures = [update_keys.future(request, timeout=20).exception() for _ in range(10)]
            growth = process.memory() - idle
    assert failures == [None] * 10
    assert growth < MAX_GROWTH
