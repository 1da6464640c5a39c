"""The life cycle of a function and its store, with both clients, on a real server."""

from __future__ import annotations

import asyncio
import json
import uuid
from functools import partial
from typing import Any

import grpc
import pytest

from client.both import Run, both
from cloudfront_facade import FacadeError, FunctionChangedError, aio
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag

DEVELOPMENT = functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT
LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
CODE = b"""
import cf from 'cloudfront';
async function handler(event) {
    event.request.uri = await cf.kvs().get(event.request.uri);
    return event.request;
}
"""
EVENT = {
    "version": "1.0",
    "context": {"eventType": "viewer-request"},
    "viewer": {"ip": "198.51.100.11"},
    "request": {"method": "GET", "uri": "/old", "querystring": {}, "headers": {}, "cookies": {}},
}


@pytest.fixture
def name() -> str:
    return f"life-{uuid.uuid4()}"


def config(arn: str, comment: str = "") -> functions.FunctionConfig:
    return functions.FunctionConfig(
        comment=comment,
        runtime=functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
        key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=arn)],
    )


@both
def test_the_life_cycle_of_a_function_and_its_store(run: Run, facade_address: str, name: str) -> None:
    on_functions = partial(run, facade_address, "functions")
    on_stores = partial(run, facade_address, "key_value_stores")
    on_keys = partial(run, facade_address, "key_values")
    on_tags = partial(run, facade_address, "tags")

    # Create a store and fill it.
    on_stores("CreateKeyValueStore", stores.CreateKeyValueStoreRequest(name=name, tags=[Tag(key="team", value="web")]))
    store = on_stores("wait_until_ready", name, timeout=30)
    assert (store.name, store.status) == (name, "READY")
    assert name in [listed.name for listed in on_stores("list_key_value_stores", page_size=1)]
    reported: list[Any] = []
    items = {f"/{number}": f"/new/{number}" for number in range(1200)} | {"/old": "/new"}
    imported = on_keys("put_many", store.arn, items, progress=lambda *counts: reported.append(counts))
    assert (imported.applied_changes, imported.item_count) == (1201, 1201)
    assert reported == [(500, 1201), (1000, 1201), (1201, 1201)]
    deleted = on_keys("import_keys", store.arn, [data.KeyChange(delete="/0")], etag=imported.etag)
    assert (deleted.applied_changes, deleted.item_count) == (1, 1200)
    del items["/0"]
    assert {item.key: item.value for item in on_keys("list_keys", store.arn)} == items
    assert on_keys("GetKey", data.GetKeyRequest(kvs_arn=store.arn, key="/old")).value == "/new"

    # Create a function that reads it, publish it and change it.
    create = functions.CreateFunctionRequest(
        name=name, function_config=config(store.arn), function_code=CODE, tags=[Tag(key="team", value="web")]
    )
    live = on_functions("create_and_publish", create)
    assert (live.name, live.function_metadata.stage) == (name, LIVE)
    assert name in [listed.name for listed in on_functions("list_functions", stage=LIVE, page_size=1)]
    described = on_functions("DescribeFunction", functions.DescribeFunctionRequest(name=name))
    changed = on_functions(
        "UpdateFunction",
        functions.UpdateFunctionRequest(
            name=name, etag=described.etag, function_config=config(store.arn, "changed"), function_code=CODE
        ),
    )
    on_functions("PublishFunction", functions.PublishFunctionRequest(name=name, etag=changed.etag))
    assert on_functions("GetFunction", functions.GetFunctionRequest(name=name, stage=LIVE)).function_code == CODE

    # Change the tags.
    arn = live.function_metadata.function_arn
    on_tags("TagResource", tags.TagResourceRequest(resource=arn, tags=[Tag(key="stage", value="")]))
    on_tags("UntagResource", tags.UntagResourceRequest(resource=arn, tag_keys=["team"]))
    listed = on_tags("ListTagsForResource", tags.ListTagsForResourceRequest(resource=arn)).tags
    assert {tag.key for tag in listed} == {"stage", "cloudfront-facade:request"}

    # The store cannot be deleted before the function.
    described = on_stores("DescribeKeyValueStore", stores.DescribeKeyValueStoreRequest(name=name))
    delete_store = stores.DeleteKeyValueStoreRequest(name=name, etag=described.etag)
    with pytest.raises(FacadeError) as caught:
        on_stores("DeleteKeyValueStore", delete_store)
    assert caught.value.reason == "KEY_VALUE_STORE_IN_USE"
    on_functions("DeleteFunction", functions.DeleteFunctionRequest(name=name, etag=changed.etag))
    on_stores("DeleteKeyValueStore", delete_store)
    with pytest.raises(FacadeError) as caught:
        on_stores("wait_until_ready", name)
    assert caught.value.reason == "KEY_VALUE_STORE_NOT_FOUND"


@both
def test_a_function_is_tested_with_the_keys_of_its_store(run: Run, facade_address: str, name: str) -> None:
    run(facade_address, "key_value_stores", "CreateKeyValueStore", stores.CreateKeyValueStoreRequest(name=name))
    store = run(facade_address, "key_value_stores", "wait_until_ready", name, timeout=30)
    run(facade_address, "key_values", "put_many", store.arn, {"/old": "/new"})
    create = functions.CreateFunctionRequest(name=name, function_config=config(store.arn), function_code=CODE)
    created = run(facade_address, "functions", "CreateFunction", create)
    request = functions.TestFunctionRequest(
        name=name, etag=created.etag, stage=DEVELOPMENT, event_object=json.dumps(EVENT).encode()
    )
    result = run(facade_address, "functions", "TestFunction", request).test_result
    assert result.function_error_message == ""
    assert json.loads(result.function_output)["request"]["uri"] == "/new"


@both
def test_a_retry_publishes_the_function_again_unless_somebody_changed_it(
    run: Run, facade_address: str, name: str
) -> None:
    on_functions = partial(run, facade_address, "functions")
    function_config = functions.FunctionConfig(runtime=functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0)
    create = functions.CreateFunctionRequest(
        name=name, function_config=function_config, function_code=b"reviewed", request_id=str(uuid.uuid4())
    )
    on_functions("create_and_publish", create)
    assert on_functions("create_and_publish", create).function_metadata.stage == LIVE
    etag = on_functions("DescribeFunction", functions.DescribeFunctionRequest(name=name)).etag
    on_functions(
        "UpdateFunction",
        functions.UpdateFunctionRequest(
            name=name, etag=etag, function_config=function_config, function_code=b"not reviewed"
        ),
    )
    with pytest.raises(FunctionChangedError, match=r"different code\)"):
        on_functions("create_and_publish", create)
    assert on_functions("GetFunction", functions.GetFunctionRequest(name=name, stage=LIVE)).function_code == b"reviewed"


@both
def test_an_import_with_an_invalid_change_reports_the_applied_changes(run: Run, facade_address: str, name: str) -> None:
    run(facade_address, "key_value_stores", "CreateKeyValueStore", stores.CreateKeyValueStoreRequest(name=name))
    store = run(facade_address, "key_value_stores", "wait_until_ready", name, timeout=30)
    items = [(f"/{number}", "v") for number in range(1200)] + [("", "no key is empty")]
    with pytest.raises(FacadeError) as caught:
        run(facade_address, "key_values", "put_many", store.arn, items)
    error = caught.value
    assert (error.code(), error.outcome) == (grpc.StatusCode.INVALID_ARGUMENT, "partial")
    described = run(
        facade_address,
        "key_values",
        "DescribeKeyValueStoreData",
        data.DescribeKeyValueStoreDataRequest(kvs_arn=store.arn),
    )
    assert error.applied_changes == described.item_count > 0
    assert error.unknown_changes == 0


@both
def test_an_import_with_a_stale_etag_is_rejected(run: Run, facade_address: str, name: str) -> None:
    run(facade_address, "key_value_stores", "CreateKeyValueStore", stores.CreateKeyValueStoreRequest(name=name))
    arn = run(facade_address, "key_value_stores", "wait_until_ready", name, timeout=30).arn
    first = run(facade_address, "key_values", "put_many", arn, {"a": "1"})
    run(facade_address, "key_values", "put_many", arn, {"a": "2"}, etag=first.etag)
    with pytest.raises(FacadeError) as caught:
        run(facade_address, "key_values", "put_many", arn, {"a": "3"}, etag=first.etag)
    assert (caught.value.reason, caught.value.outcome) == ("ETAG_MISMATCH", "not_applied")
    assert caught.value.applied_changes == 0


def test_concurrent_imports_lose_no_keys(facade_address: str, name: str) -> None:
    async def main() -> int:
        async with aio.connect(facade_address) as facade:
            await facade.key_value_stores.CreateKeyValueStore(stores.CreateKeyValueStoreRequest(name=name))
            store = await aio.wait_until_ready(facade.key_value_stores, name, timeout=30)
            await asyncio.gather(
                *(
                    aio.put_many(facade.key_values, store.arn, {f"{part}/{number}": "v" for number in range(120)})
                    for part in range(8)
                )
            )
            return len([item async for item in aio.list_keys(facade.key_values, store.arn)])

    assert asyncio.run(main()) == 8 * 120
