"""Lists, whose pages are fetched on demand."""

from __future__ import annotations

import grpc
import pytest

from client.both import Run, both
from client.canned import Canned, error_status, info, running_server
from cloudfront_facade import FacadeError, connect, jobs
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from support.messages import keys

ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"
LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
NOT_FOUND = error_status(grpc.StatusCode.NOT_FOUND, "no", info("KEY_VALUE_STORE_NOT_FOUND"))


@both
def test_keys_are_listed_across_pages_even_if_some_are_empty(run: Run) -> None:
    servicer = Canned(keys("a", "b", next_token="1"), keys(next_token="2"), keys("c", next_token="3"), keys())
    with running_server(servicer) as target:
        assert [item.key for item in run(target, "key_values", "list_keys", ARN)] == ["a", "b", "c"]
    assert [call.request for call in servicer.received] == [
        data.ListKeysRequest(kvs_arn=ARN, page_size=50, page_token=token) for token in ("", "1", "2", "3")
    ]


@both
def test_functions_are_listed_by_stage(run: Run) -> None:
    summaries = [functions.FunctionSummary(name=name) for name in "ab"]
    servicer = Canned(
        functions.ListFunctionsResponse(functions=summaries[:1], next_page_token="1"),
        functions.ListFunctionsResponse(functions=summaries[1:]),
    )
    with running_server(servicer) as target:
        assert run(target, "functions", "list_functions", stage=LIVE, page_size=1) == summaries
    assert [call.request for call in servicer.received] == [
        functions.ListFunctionsRequest(stage=LIVE, page_size=1, page_token=token) for token in ("", "1")
    ]


@both
def test_stores_are_listed_by_status(run: Run) -> None:
    expected = [stores.KeyValueStore(name=name) for name in "ab"]
    servicer = Canned(
        stores.ListKeyValueStoresResponse(key_value_stores=expected[:1], next_page_token="1"),
        stores.ListKeyValueStoresResponse(key_value_stores=expected[1:]),
    )
    with running_server(servicer) as target:
        assert run(target, "key_value_stores", "list_key_value_stores", status="READY", timeout=7) == expected
    assert [call.request for call in servicer.received] == [
        stores.ListKeyValueStoresRequest(status="READY", page_token=token) for token in ("", "1")
    ]
    assert all(call.time_left is not None and call.time_left < 7.1 for call in servicer.received)


def test_pages_are_fetched_on_demand_and_a_failed_page_keeps_earlier_items() -> None:
    servicer = Canned(keys("a", "b", next_token="1"), NOT_FOUND)
    with running_server(servicer) as target, connect(target) as facade:
        listed = jobs.list_keys(facade.key_values, ARN)
        assert not servicer.received
        assert [next(listed).key, next(listed).key] == ["a", "b"]
        assert len(servicer.received) == 1
        with pytest.raises(FacadeError) as caught:
            next(listed)
    assert caught.value.reason == "KEY_VALUE_STORE_NOT_FOUND"
