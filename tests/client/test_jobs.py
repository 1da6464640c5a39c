"""Lists, waiting, creating and publishing: jobs made of several calls."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from contextlib import ExitStack
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo

from client.both import Run, both
from client.canned import FUNCTION_CREATED, PATIENCE, Canned, Refusal, info, refusal, running_server
from cloudfront_facade import FacadeError, FunctionChangedError, aio, connect, jobs
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from cloudfront_facade.v1.tag_pb2 import Tag

ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"
LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
NOT_FOUND = refusal(grpc.StatusCode.NOT_FOUND, "no", info("KEY_VALUE_STORE_NOT_FOUND"))
GONE = Refusal(grpc.StatusCode.UNAVAILABLE, "gone", (("grpc-retry-pushback-ms", "-1"),))
READY = stores.WaitForKeyValueStoreResponse(key_value_store=stores.KeyValueStore(name="redirects", status="READY"))
REQUEST = functions.CreateFunctionRequest(
    name="rewrite", function_code=b"code", tags=[Tag(key="team", value="web")], request_id="an-id"
)
PUBLISHED = functions.PublishFunctionResponse(function_summary=functions.FunctionSummary(name="rewrite", status="X"))


def keys(*names: str, then: str = "") -> data.ListKeysResponse:
    return data.ListKeysResponse(items=[data.KeyValue(key=each, value="v") for each in names], next_page_token=then)


@both
def test_all_keys_are_listed_over_pages_of_which_some_are_empty(run: Run) -> None:
    servicer = Canned(keys("a", "b", then="1"), keys(then="2"), keys("c", then="3"), keys())
    with running_server(servicer) as target:
        assert [each.key for each in run(target, "key_values", "list_keys", ARN)] == ["a", "b", "c"]
    assert [each.request for each in servicer.received] == [
        data.ListKeysRequest(kvs_arn=ARN, page_size=50, page_token=token) for token in ("", "1", "2", "3")
    ]


@both
def test_functions_are_listed_of_a_stage(run: Run) -> None:
    summaries = [functions.FunctionSummary(name=each) for each in "ab"]
    servicer = Canned(
        functions.ListFunctionsResponse(functions=summaries[:1], next_page_token="1"),
        functions.ListFunctionsResponse(functions=summaries[1:]),
    )
    with running_server(servicer) as target:
        assert run(target, "functions", "list_functions", stage=LIVE, page_size=1) == summaries
    assert [each.request for each in servicer.received] == [
        functions.ListFunctionsRequest(stage=LIVE, page_size=1, page_token=token) for token in ("", "1")
    ]


@both
def test_stores_are_listed_of_a_status(run: Run) -> None:
    found = [stores.KeyValueStore(name=each) for each in "ab"]
    servicer = Canned(
        stores.ListKeyValueStoresResponse(key_value_stores=found[:1], next_page_token="1"),
        stores.ListKeyValueStoresResponse(key_value_stores=found[1:]),
    )
    with running_server(servicer) as target:
        assert run(target, "key_value_stores", "list_key_value_stores", status="READY", timeout=7) == found
    assert [each.request for each in servicer.received] == [
        stores.ListKeyValueStoresRequest(status="READY", page_token=token) for token in ("", "1")
    ]
    assert all(each.time_left is not None and each.time_left < 7.1 for each in servicer.received)


def test_a_page_is_fetched_when_it_is_needed_and_its_failure_comes_after_the_pages_before() -> None:
    servicer = Canned(keys("a", "b", then="1"), NOT_FOUND)
    with running_server(servicer) as target, connect(target) as facade:
        listed = jobs.list_keys(facade.key_values, ARN)
        assert not servicer.received
        assert [next(listed).key, next(listed).key] == ["a", "b"]
        assert len(servicer.received) == 1
        with pytest.raises(FacadeError) as caught:
            next(listed)
    assert caught.value.reason == "KEY_VALUE_STORE_NOT_FOUND"


@both
def test_a_function_is_created_and_published_in_the_version_that_was_created(run: Run) -> None:
    servicer = Canned(FUNCTION_CREATED, PUBLISHED)
    with running_server(servicer) as target:
        assert run(target, "functions", "create_and_publish", REQUEST) == PUBLISHED.function_summary
    assert [each.request for each in servicer.received] == [
        REQUEST,
        functions.PublishFunctionRequest(name="rewrite", etag=FUNCTION_CREATED.etag),
    ]


@both
def test_what_was_only_to_be_validated_is_not_published(run: Run) -> None:
    servicer = Canned()
    request = functions.CreateFunctionRequest(name="rewrite", validate_only=True)
    with running_server(servicer) as target:
        assert run(target, "functions", "create_and_publish", request) == functions.FunctionSummary()
    assert [each.method for each in servicer.received] == ["CreateFunction"]


@both
def test_a_function_that_was_created_and_not_published_is_told_so(run: Run) -> None:
    servicer = Canned(FUNCTION_CREATED, refusal(grpc.StatusCode.ABORTED, "no", info("ETAG_MISMATCH")))
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert caught.value.reason == "ETAG_MISMATCH"
    assert caught.value.__notes__ == ["The function was created: PublishFunction with etag 'E1' publishes it."]


@both
def test_a_function_that_was_not_created_is_not_published(run: Run) -> None:
    servicer = Canned(NOT_FOUND)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert (len(servicer.received), caught.value.request_id) == (1, "an-id")
    assert not hasattr(caught.value, "__notes__")


FOUND_DONE = functions.CreateFunctionResponse(etag="E1", function_summary=functions.FunctionSummary(name="rewrite"))
"""What a create is answered that an earlier one did: without a location, and as the function is now."""


@both
def test_a_function_that_an_earlier_request_created_is_published_where_it_is_still_the_requests(run: Run) -> None:
    servicer = Canned(FOUND_DONE, functions.GetFunctionResponse(function_code=b"code", etag="E1"), PUBLISHED)
    with running_server(servicer) as target:
        assert run(target, "functions", "create_and_publish", REQUEST) == PUBLISHED.function_summary
    assert [each.request for each in servicer.received] == [
        REQUEST,
        functions.GetFunctionRequest(name="rewrite"),
        functions.PublishFunctionRequest(name="rewrite", etag="E1"),
    ]


def found(comment: str = "") -> functions.CreateFunctionResponse:
    config = functions.FunctionConfig(comment=comment)
    return functions.CreateFunctionResponse(
        etag="E1", function_summary=functions.FunctionSummary(name="rewrite", function_config=config)
    )


@both
@pytest.mark.parametrize(
    ("comment", "code", "said"),
    [
        ("", b"newer secret", "its code is another"),
        ("newer", b"code", "its config is another"),
        ("newer", b"newer secret", "its config and code are others"),
    ],
)
def test_what_somebody_else_made_of_a_function_meanwhile_is_not_published(
    run: Run, comment: str, code: bytes, said: str
) -> None:
    servicer = Canned(found(comment), functions.GetFunctionResponse(function_code=code, etag="E2"))
    with running_server(servicer) as target, pytest.raises(FunctionChangedError, match=said) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert [each.method for each in servicer.received] == ["CreateFunction", "GetFunction"]
    assert "'rewrite'" in str(caught.value)
    assert "PublishFunction with etag 'E2'" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.etag == "E2"


@both
def test_where_it_cannot_be_told_whether_a_function_is_still_the_requests_nothing_is_published(run: Run) -> None:
    servicer = Canned(FOUND_DONE, NOT_FOUND)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert [each.method for each in servicer.received] == ["CreateFunction", "GetFunction"]
    assert caught.value.__notes__ == [
        "The function was created by an earlier request. Whether it is still the request's is not known, and it was "
        "not published."
    ]


@both
def test_a_store_that_is_ready_is_given(run: Run) -> None:
    servicer = Canned(READY)
    with running_server(servicer) as target:
        assert run(target, "key_value_stores", "wait_until_ready", "redirects") == READY.key_value_store
    [received] = servicer.received
    assert received.request == stores.WaitForKeyValueStoreRequest(name="redirects")
    assert received.time_left is not None
    # Long times are rounded up on the wire.
    assert 1790 < received.time_left < 1811


def retry_info(seconds: int) -> RetryInfo:
    return RetryInfo(retry_delay=Duration(seconds=seconds))


@both
@pytest.mark.parametrize(
    "answer",
    [
        GONE,
        refusal(grpc.StatusCode.UNAVAILABLE, "ends", info("SHUTTING_DOWN", outcome="unknown")),
        refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", info("OVERLOADED"), retry_info(0)),
        Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "a proxy's"),
    ],
    ids=["no answer", "shutting down", "overloaded", "a shorter deadline"],
)
def test_waiting_goes_on_after_what_says_nothing_of_the_store(run: Run, answer: Refusal) -> None:
    servicer = Canned(answer, READY)
    with running_server(servicer) as target:
        found = run(target, "key_value_stores", "wait_until_ready", "redirects", timeout=6, options={"retry": False})
    assert found == READY.key_value_store
    first, second = servicer.received
    assert second.at - first.at > 0.2
    assert first.time_left is not None
    assert second.time_left is not None
    assert second.time_left < first.time_left - 0.2


@both
def test_waiting_pauses_as_long_as_the_server_says(run: Run) -> None:
    servicer = Canned(refusal(grpc.StatusCode.UNAVAILABLE, "later", info("SHUTTING_DOWN"), retry_info(1)), READY)
    with running_server(servicer) as target:
        run(target, "key_value_stores", "wait_until_ready", "redirects", options={"retry": False})
    first, second = servicer.received
    assert second.at - first.at > 0.95


@both
@pytest.mark.parametrize(
    "answer",
    [NOT_FOUND, refusal(grpc.StatusCode.FAILED_PRECONDITION, "its import failed", info("KEY_VALUE_STORE_FAILED"))],
    ids=["not found", "failed"],
)
def test_waiting_ends_with_what_is_final(run: Run, answer: Refusal) -> None:
    servicer = Canned(answer)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_value_stores", "wait_until_ready", "redirects")
    assert (caught.value.code(), len(servicer.received)) == (answer.code, 1)


@both
def test_waiting_ends_when_its_time_is_up(run: Run) -> None:
    servicer = Canned()
    servicer.released.clear()
    began = time.monotonic()
    with running_server(servicer) as target:
        with pytest.raises(FacadeError) as caught:
            run(target, "key_value_stores", "wait_until_ready", "redirects", timeout=0.4)
        servicer.released.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert caught.value.__notes__ == ["The key value store 'redirects' was not seen READY in 0.4 s."]
    assert 0.3 < time.monotonic() - began < PATIENCE


@both
def test_waiting_for_a_server_that_stays_away_ends_when_its_time_is_up(run: Run) -> None:
    with running_server(Canned()) as gone:
        pass
    with pytest.raises(FacadeError) as caught:
        run(gone, "key_value_stores", "wait_until_ready", "redirects", timeout=1.5)
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@both
def test_waiting_goes_on_with_the_server_that_comes_back(run: Run) -> None:
    # The first one is cut off, or just manages to say so.
    first, second = Canned(GONE), Canned(READY)
    first.released.clear()
    found: list[Any] = []
    with ExitStack() as later:
        with running_server(first) as target:
            waiter = threading.Thread(
                target=lambda: found.append(run(target, "key_value_stores", "wait_until_ready", "redirects"))
            )
            waiter.start()
            assert first.started.wait(PATIENCE)
        later.enter_context(running_server(second, target))
        waiter.join(PATIENCE)
    assert found == [READY.key_value_store]


def test_jobs_take_stubs_of_any_channel() -> None:
    arguments = {"timeout": 5.0}
    servicer = Canned(FUNCTION_CREATED, PUBLISHED, READY, keys("a"), data.ImportKeysResponse(etag="E3"))
    with running_server(servicer) as target, grpc.insecure_channel(target) as channel:
        key_values = KeyValueStoreDataServiceStub(channel)
        assert jobs.create_and_publish(FunctionServiceStub(channel), REQUEST, **arguments).name == "rewrite"
        assert jobs.wait_until_ready(KeyValueStoreServiceStub(channel), "redirects", **arguments).status == "READY"
        assert [each.key for each in jobs.list_keys(key_values, ARN)] == ["a"]
        assert jobs.put_many(key_values, ARN, {"a": "1"}).etag == "E3"


async def errors_of_asyncio_stubs(target: str) -> list[FacadeError]:
    caught = []
    async with grpc.aio.insecure_channel(target) as channel:
        for job in (
            aio.create_and_publish(FunctionServiceStub(channel), REQUEST),
            aio.put_many(KeyValueStoreDataServiceStub(channel), ARN, {"a": "1"}),
        ):
            with pytest.raises(FacadeError) as error:
                await job
            caught.append(error.value)
    return caught


def test_errors_of_stubs_of_any_channel_are_typed() -> None:
    with running_server(Canned(*[NOT_FOUND] * 4)) as target, grpc.insecure_channel(target) as channel:
        with pytest.raises(FacadeError) as create:
            jobs.create_and_publish(FunctionServiceStub(channel), REQUEST)
        with pytest.raises(FacadeError) as put:
            jobs.put_many(KeyValueStoreDataServiceStub(channel), ARN, {"a": "1"})
        caught = [create.value, put.value, *asyncio.run(errors_of_asyncio_stubs(target))]
    assert {each.reason for each in caught} == {"KEY_VALUE_STORE_NOT_FOUND"}
    assert [each.request_id for each in caught] == ["an-id", "", "an-id", ""]


def test_the_jobs_of_both_clients_have_the_same_names_and_arguments() -> None:
    for name in set(aio.__all__) - {"Client"}:
        twin = connect if name == "connect" else getattr(jobs, name)
        assert list(inspect.signature(getattr(aio, name)).parameters) == list(inspect.signature(twin).parameters)
        defaults = [each.default for each in inspect.signature(getattr(aio, name)).parameters.values()]
        assert defaults == [each.default for each in inspect.signature(twin).parameters.values()]
