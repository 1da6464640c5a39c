"""Calls whose caller sends nothing while the server shuts down, with real processes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2 import ImportKeysRequest
from support.cloudfront.faults import hold
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, check_health, failing, function, open_channel
from support.process import EMBEDDED_WITH_DRAIN, FacadeProcess

STORE = "arn:aws:cloudfront::000000000000:key-value-store/11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("method", "with_request", "grace"),
    [("ImportKeys", True, "40"), ("ImportKeys", False, "40"), ("GetKey", False, "40"), ("ImportKeys", False, "0.2")],
)
def test_a_silent_call_ends_with_a_reason_and_does_not_delay_the_shutdown(
    method: str, with_request: bool, grace: str
) -> None:
    process = FacadeProcess(
        *EMBEDDED_WITH_DRAIN, "--drain-delay", "0", "--shutdown-grace-period", grace
    ).wait_until_serving()
    sent, ended = threading.Event(), threading.Event()

    def requests() -> Iterator[bytes]:
        if with_request:
            yield ImportKeysRequest(kvs_arn=STORE).SerializeToString()
        sent.set()
        ended.wait(60)

    with open_channel(process.address) as channel:
        calling = channel.stream_unary(f"/cloudfront_facade.v1.KeyValueStoreDataService/{method}")
        call = calling.future(requests(), timeout=60)
        assert sent.wait(10)
        check_health(Facade.over(process.address, channel))
        process.signal(signal.SIGTERM)
        started = time.monotonic()
        assert process.wait_for("draining")["in_flight"] == 1
        assert process.wait(20) == 0
        assert time.monotonic() - started < 15
        failure = failing(call.result)
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        assert failure.outcome == "not_applied"
        lines = [line for line in process.lines if line["event"] == "rpc"]
        assert [(line["method"], line["reason"]) for line in lines] == [(method, "SHUTTING_DOWN")]
        ended.set()


def test_a_call_without_a_message_ends_while_the_shutdown_waits_for_others(
    cloudfront: CloudFrontDouble,
) -> None:
    cloudfront.script("CreateFunction", hold())
    process = FacadeProcess("--backend", "aws", "--endpoint-url", cloudfront.url, "--drain-delay", "0")
    process.wait_until_serving()
    channel = open_channel(process.address)
    creating = FunctionServiceStub(channel).CreateFunction.future(function(), timeout=20)
    cloudfront.wait_for("CreateFunction")
    ended = threading.Event()
    with channel:
        importing = channel.stream_unary("/cloudfront_facade.v1.KeyValueStoreDataService/ImportKeys")
        call = importing.future(iter(lambda: ended.wait(60) and b"", True), timeout=60)
        check_health(Facade.over(process.address, channel))
        process.signal(signal.SIGTERM)
        assert process.wait_for("draining")["in_flight"] == 2
        assert failing(call.result, 10).reason == "SHUTTING_DOWN"
        ended.set()
        assert not creating.done()
        cloudfront.release()
        assert creating.result(10).etag
        assert process.wait(10) == 0
