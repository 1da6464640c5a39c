"""Slots for requests to CloudFront while changes are settled, and what is sent for callers that have gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from faults.changing import LOST, Replica, updating
from support.cloudfront.faults import apply_then_close, delay, hold
from support.cloudfront.http import CloudFrontDouble
from support.facade import ANOTHER_ID, REQUEST_ID, Facade, check_health, failing, function, open_channel
from support.waiting import wait_until

DESCRIBE = functions.DescribeFunctionRequest(name="other", stage=functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT)


def create_store(facade: Facade) -> str:
    created = facade.stores.CreateKeyValueStore(stores.CreateKeyValueStoreRequest(name="redirects"))
    return created.key_value_store.arn


def putting(arn: str, key: str = "k") -> data.PutKeyRequest:
    return data.PutKeyRequest(kvs_arn=arn, key=key, value="v")


@contextmanager
def busy(facade: Facade, connections: int) -> Iterator[None]:
    """Keeps the only slot busy, and its queue full, over many connections."""
    ended = threading.Event()

    def loop() -> None:
        with open_channel(facade.address, use_local_subchannel_pool=1) as channel:
            describe = FunctionServiceStub(channel).DescribeFunction
            while not ended.is_set():
                describe.future(DESCRIBE, timeout=5).exception()

    threads = [threading.Thread(target=loop) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("validate_only", [False, True])
def test_a_create_that_settles_leaves_its_slot_to_others(
    cloudfront: CloudFrontDouble, replica: Replica, validate_only: bool
) -> None:
    with replica(settle_timeout=3, max_concurrent_upstream_calls=1, max_queue_time=0) as facade:
        for name in ("other", "taken"):
            facade.functions.CreateFunction(function(name))
        request = function("taken", request_id=REQUEST_ID, validate_only=validate_only)
        settling = facade.functions.CreateFunction.future(request, timeout=20)
        served = 0
        while not settling.done():
            if facade.functions.DescribeFunction.future(DESCRIBE, timeout=5).exception() is None:
                served += 1
            time.sleep(0.02)
        assert served > 15  # without the slot, none
        assert settling.exception()
    assert cloudfront.count("ListTagsForResource") > 3


def test_a_lost_update_that_settles_leaves_its_slot_to_others(cloudfront: CloudFrontDouble, replica: Replica) -> None:
    with replica(settle_timeout=3, max_concurrent_upstream_calls=1, max_queue_time=0) as facade:
        facade.functions.CreateFunction(function("other"))
        etag = facade.functions.CreateFunction(function()).etag
        cloudfront.script("UpdateFunction", apply_then_close())
        settling = facade.functions.UpdateFunction.future(updating(etag), timeout=20)
        cloudfront.wait_for("UpdateFunction")
        time.sleep(0.3)
        facade.functions.DescribeFunction(DESCRIBE, timeout=5)
        assert not settling.done()
        assert settling.result().etag


def test_what_was_applied_succeeds_although_no_slot_is_free_at_once(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    with replica(settle_timeout=2, max_concurrent_upstream_calls=1) as facade:
        facade.functions.CreateFunction(function("other"))
        etag = facade.functions.CreateFunction(function()).etag
        cloudfront.script("CreateFunction", apply_then_close())
        cloudfront.script("UpdateFunction", apply_then_close())
        cloudfront.script("DescribeFunction", *[delay(0.05)] * 1000)
        lost = function("lost", request_id=ANOTHER_ID)

        def succeed(call: Any, request: object) -> object:
            """Calls until the first request is admitted."""
            while (error := (made := call.future(request, timeout=20)).exception()) is not None:
                assert made.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error
            return made.result()

        with busy(facade, connections=8):
            assert succeed(facade.functions.CreateFunction, lost)
            updated = succeed(facade.functions.UpdateFunction, updating(etag))
            assert succeed(facade.functions.UpdateFunction, updating(etag)) == updated
    assert cloudfront.effects("CreateFunction") == 3
    assert cloudfront.effects("UpdateFunction") == 1


def held_write(cloudfront: CloudFrontDouble, facade: Facade) -> tuple[str, Any]:
    """Starts a write of a key, which CloudFront holds; returns the ARN of the store, and the future of the write."""
    arn = create_store(facade)
    cloudfront.script("PutKey", hold())
    first = facade.key_values.PutKey.future(putting(arn), timeout=20)
    cloudfront.wait_for("PutKey")
    return arn, first


def test_a_write_whose_turn_does_not_come_ends_before_its_deadline(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    with replica(timeout=20) as facade:
        arn, first = held_write(cloudfront, facade)
        failure = failing(facade.key_values.PutKey, putting(arn), timeout=1.0)
        assert (failure.reason, failure.outcome) == ("DEADLINE_TOO_SHORT", "not_applied")
        cloudfront.release()
        assert first.result().etag
        facade.key_values.PutKey(putting(arn))
    assert (cloudfront.count("PutKey"), cloudfront.count("DescribeKeyValueStoreData")) == (2, 2)


def test_writes_of_callers_that_have_gone_leave_the_queue_and_send_nothing(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    waiting = 9
    with replica(timeout=20, max_concurrent_calls=waiting + 1, max_queue_time=0) as facade:
        arn, first = held_write(cloudfront, facade)
        gone = [facade.key_values.PutKey.future(putting(arn, f"k{number}"), timeout=20) for number in range(waiting)]
        rejected = facade.key_values.PutKey.future(putting(arn), timeout=20)
        assert rejected.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, "all calls are in the queue"
        for call in gone:
            call.cancel()
        check_health(facade)
        facade.stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name="redirects"), timeout=5)
        assert not first.done(), "the queue still waits for it"
        cloudfront.release()
        assert first.result().etag
        facade.key_values.PutKey(putting(arn))
    assert (cloudfront.count("PutKey"), cloudfront.count("DescribeKeyValueStoreData")) == (2, 2)


def test_a_lost_create_is_neither_read_nor_sent_again_for_a_caller_that_has_gone(
    cloudfront: CloudFrontDouble, replica: Replica
) -> None:
    cloudfront.script("CreateFunction", LOST)
    with replica(settle_timeout=1) as facade:
        call = facade.functions.CreateFunction.future(function(request_id=REQUEST_ID), timeout=20)
        wait_until(lambda: cloudfront.count("DescribeFunction"))
        call.cancel()
        check_health(facade)
        reads = cloudfront.count("DescribeFunction")
        time.sleep(2)
        assert cloudfront.count("DescribeFunction") == reads
    assert cloudfront.count("CreateFunction") == 1
