"""Calls without a message, with part of one, or with silence in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.facade import Facade, failing, function, open_channel, running_facade
from support.http2 import RawConnection, message_prefix
from support.key_writes import item_count, puts
from support.rpcs import RPCS

INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT.value[0]
IMPORT = "/cloudfront_facade.v1.KeyValueStoreDataService/ImportKeys"


@contextmanager
def facade_with(**settings: Any) -> Iterator[tuple[Facade, str]]:
    """Runs a server with an empty store; yields it with the ARN of the store."""
    with running_facade(EmbeddedBackend(path=":memory:", s3_dir=None), **settings) as facade:
        created = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        yield facade, created.key_value_store.arn


@pytest.mark.parametrize("sent", [None, b"", b"\0\0", message_prefix(100), message_prefix(100) + b"abc"])
def test_call_that_ends_before_its_message_is_complete_is_invalid(facade_address: str, sent: bytes | None) -> None:
    methods = [f"/{method.containing_service.full_name}/{name}" for name, method in RPCS.items()]
    with RawConnection(facade_address) as connection:
        for path in [
            *(method for method in methods if method != IMPORT),
            "/grpc.health.v1.Health/Check",
            "/grpc.health.v1.Health/Watch",
        ]:
            stream = connection.open(path, end=sent is None)
            if sent is not None:
                connection.send(stream, sent, end=True)
            assert connection.status(stream) == INVALID_ARGUMENT, path


def test_import_that_stalls_is_ended_with_its_counts() -> None:
    with facade_with(max_stream_silence=0.3) as (facade, arn):
        ended = threading.Event()

        def requests() -> Iterator[ImportKeysRequest]:
            yield ImportKeysRequest(kvs_arn=arn, changes=puts(120))
            ended.wait(20)

        started = time.monotonic()
        failure = failing(facade.key_values.ImportKeys, requests(), timeout=20)
        ended.set()
        assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "STREAM_STALLED")
        assert (failure.outcome, failure.metadata["applied_changes"]) == ("partial", "100")
        assert failure.metadata["unknown_changes"] == "0"
        assert 0.3 <= time.monotonic() - started < 5
        assert item_count(facade, arn) == 100


def test_call_whose_message_does_not_arrive_is_ended() -> None:
    with facade_with(max_stream_silence=0.3) as (facade, _), RawConnection(facade.address) as connection:
        stream = connection.open(IMPORT)
        connection.send(stream, message_prefix(100) + b"abc")
        assert connection.status(stream) == grpc.StatusCode.ABORTED.value[0]


@contextmanager
def silent_imports(address: str, arn: str, count: int) -> Iterator[list[Any]]:
    """Starts imports on one connection, each of which sends one request and then nothing until the block ends."""
    ended = threading.Event()

    def silent() -> Iterator[bytes]:
        yield ImportKeysRequest(kvs_arn=arn).SerializeToString()
        ended.wait(30)

    with open_channel(address, use_local_subchannel_pool=1) as channel:
        imports = [channel.stream_unary(IMPORT).future(silent(), timeout=60) for _ in range(count)]
        try:
            yield imports
        finally:
            ended.set()
            for call in imports:
                call.cancel()


def test_silent_imports_of_one_connection_make_room_for_those_of_others() -> None:
    with (
        facade_with(max_long_running_calls=5) as (facade, arn),
        silent_imports(facade.address, arn, 5) as flood,
    ):
        time.sleep(1.2)  # longer than a stream may be silent while others wait
        assert not any(call.done() for call in flood)
        imported = facade.key_values.ImportKeys(iter([ImportKeysRequest(kvs_arn=arn, changes=puts(3))]), timeout=5)
        assert imported.applied_changes == 3
        assert facade.functions.CreateFunction(function(), timeout=5).etag
        assert [call.done() for call in flood].count(True) == 1


def test_silent_imports_do_not_take_the_slots_of_short_calls() -> None:
    with (
        facade_with(max_long_running_calls=20, max_concurrent_calls=2) as (facade, arn),
        silent_imports(facade.address, arn, 20),
    ):
        time.sleep(0.3)
        assert facade.functions.CreateFunction(function(), timeout=5).etag
