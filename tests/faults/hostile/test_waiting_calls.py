"""A connection whose calls only wait takes no slots from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_data_service_pb2 import KeyChange, KeyValue, PutKeyRequest, UpdateKeysRequest
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, WaitForKeyValueStoreRequest
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.faults import hold
from support.cloudfront.http import CloudFrontDouble
from support.facade import failure_of, open_channel, running_facade
from support.process import FacadeProcess
from support.waiting import wait_until

SLOTS: Final = 10
"""Maximum number of calls of the kind that is tested."""


def waiting_for(name: str) -> WaitForKeyValueStoreRequest:
    return WaitForKeyValueStoreRequest(name=name)


def update(arn: str) -> UpdateKeysRequest:
    return UpdateKeysRequest(kvs_arn=arn, changes=[KeyChange(put=KeyValue(key="k", value="v"))])


def ended(calls: list[Any]) -> list[Any]:
    return [call for call in calls if call.done()]


def reason_of(call: Any) -> str:
    return failure_of(call.exception(timeout=10)).reason


def check_made_room(calls: list[Any]) -> None:
    """Checks that exactly one call was ended, and that its caller can retry it."""
    [call] = ended(calls)
    failure = failure_of(call.exception())
    assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    assert failure.outcome == "not_applied"
    assert failure.retry_after


def test_long_polls_make_room_for_those_of_another_connection() -> None:
    flags = ("--backend", "embedded", "--embedded-db", ":memory:", "--embedded-provisioning-seconds", "600")
    with (
        FacadeProcess(*flags, "--max-concurrent-calls", str(SLOTS), "--drain-delay", "0") as process,
        open_channel(process.address, use_local_subchannel_pool=1) as flood,
        open_channel(process.address, use_local_subchannel_pool=1) as other,
    ):
        stores = KeyValueStoreServiceStub(flood)
        stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="redirects"))
        calls = [stores.WaitForKeyValueStore.future(waiting_for("redirects"), timeout=60) for _ in range(SLOTS)]
        polite = KeyValueStoreServiceStub(other).WaitForKeyValueStore.future(waiting_for("redirects"), timeout=60)
        wait_until(lambda: ended(calls), timeout=10)
        assert not polite.done()
        check_made_room(calls)
        for call in [*calls, polite]:
            call.cancel()


@pytest.mark.parametrize("is_long_running", [True, False], ids=["updates", "puts"])
def test_writes_that_wait_for_their_store_make_room_for_another_connection(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend], *, is_long_running: bool
) -> None:
    def write(channel: Any, arn: str) -> Any:
        stub = KeyValueStoreDataServiceStub(channel)
        if is_long_running:
            return stub.UpdateKeys.future(update(arn), timeout=60)
        return stub.PutKey.future(PutKeyRequest(kvs_arn=arn, key="k", value="v"), timeout=60)

    limit: dict[str, Any] = {"max_long_running_calls" if is_long_running else "max_concurrent_calls": SLOTS}
    operation = "UpdateKeys" if is_long_running else "PutKey"
    with (
        running_facade(aws_backend(cloudfront, read_timeout=20.0), **limit) as facade,
        open_channel(facade.address, use_local_subchannel_pool=1) as other,
    ):
        arns = [
            facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name=name)).key_value_store.arn
            for name in ("one", "another")
        ]
        cloudfront.script(operation, hold())
        first = write(facade.channel, arns[0])
        cloudfront.wait_for(operation)
        calls = [write(facade.channel, arns[0]) for _ in range(SLOTS - 1)]

        assert write(other, arns[1]).result(timeout=10).etag

        check_made_room(calls)
        cloudfront.release()
        assert first.result(timeout=10).etag, "a write that was sent is not ended"
        # Every call but the one that was ended is applied.
        assert sum(call.exception(timeout=10) is None for call in calls) == SLOTS - 2
    assert cloudfront.effects(operation) == SLOTS


def test_calls_of_a_connection_that_wait_do_not_make_room_for_its_own(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    with running_facade(aws_backend(cloudfront, read_timeout=20.0), max_long_running_calls=2) as facade:
        arn = facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="one")).key_value_store.arn
        cloudfront.script("UpdateKeys", hold())
        calls = [facade.key_values.UpdateKeys.future(update(arn), timeout=60)]
        cloudfront.wait_for("UpdateKeys")
        calls.append(facade.key_values.UpdateKeys.future(update(arn), timeout=60))
        newest = facade.key_values.UpdateKeys.future(update(arn), timeout=60)
        assert reason_of(newest) == "OVERLOADED"
        assert not ended(calls)
        cloudfront.release()
        assert all(call.result(timeout=10).etag for call in calls)
