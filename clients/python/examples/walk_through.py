"""Walks through the life of a function and its key value store. Deletes what it creates, even if a step fails.

python clients/python/examples/walk_through.py [HOST:PORT]
"""

from __future__ import annotations

import json
import sys
import uuid
from contextlib import ExitStack

from cloudfront_facade import Client, FacadeError, connect
from cloudfront_facade.jobs import list_keys, put_many, wait_until_ready
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag

WRITTEN = b"""function handler(event) {
  var request = event.request;
  if (request.uri.endsWith('/')) {
    request.uri += 'index.html';
  }
  return request;
}
"""
READING_A_STORE = b"""import cf from 'cloudfront';

async function handler(event) {
  var request = event.request;
  try {
    var target = await cf.kvs().get(request.uri);
    return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: target } } };
  } catch (error) {
    return request;
  }
}
"""
EVENT = {
    "version": "1.0",
    "context": {"eventType": "viewer-request"},
    "viewer": {"ip": "198.51.100.7"},
    "request": {"method": "GET", "uri": "/docs/", "querystring": {}, "headers": {}, "cookies": {}},
}
RUNTIME = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
LIVE = functions.FunctionStage.FUNCTION_STAGE_LIVE
READY_SECONDS = 600.0


def run(facade: Client, name: str, etag: str) -> str:
    """Runs a version of a function and returns its output."""
    result = facade.functions.TestFunction(
        functions.TestFunctionRequest(name=name, etag=etag, event_object=json.dumps(EVENT).encode())
    ).test_result
    if result.function_error_message:
        raise RuntimeError(result.function_error_message)
    return result.function_output


def delete_function(facade: Client, name: str) -> None:
    """Deletes a function in its current version."""
    described = facade.functions.DescribeFunction(functions.DescribeFunctionRequest(name=name))
    facade.functions.DeleteFunction(functions.DeleteFunctionRequest(name=name, etag=described.etag))
    print("deleted the function", name)


def delete_store(facade: Client, name: str) -> None:
    """Waits until a store is READY and deletes it in its current version."""
    wait_until_ready(facade.key_value_stores, name, timeout=READY_SECONDS)
    described = facade.key_value_stores.DescribeKeyValueStore(stores.DescribeKeyValueStoreRequest(name=name))
    facade.key_value_stores.DeleteKeyValueStore(stores.DeleteKeyValueStoreRequest(name=name, etag=described.etag))
    print("deleted the store", name)


def walk(facade: Client, clean_up: ExitStack) -> None:
    """Runs every step. The stack deletes what the steps create, in reverse order."""
    name = f"walk-through-{uuid.uuid4()}"

    # Create a store. It becomes READY later.
    facade.key_value_stores.CreateKeyValueStore(
        stores.CreateKeyValueStoreRequest(name=name, comment="old paths", tags=[Tag(key="team", value="web")])
    )
    clean_up.callback(delete_store, facade, name)

    # Create a function with tags. The request_id, which the client adds, makes the create idempotent.
    config = functions.FunctionConfig(comment="Adds index.html", runtime=RUNTIME)
    created = facade.functions.CreateFunction(
        functions.CreateFunctionRequest(
            name=name, function_config=config, function_code=WRITTEN, tags=[Tag(key="team", value="web")]
        )
    )
    clean_up.callback(delete_function, facade, name)
    arn = created.function_summary.function_metadata.function_arn
    print("created", arn)

    # Test it, and publish the tested version.
    print("tested", run(facade, name, created.etag))
    facade.functions.PublishFunction(functions.PublishFunctionRequest(name=name, etag=created.etag))

    # Fill the store, and associate the function with it by an update.
    store = wait_until_ready(facade.key_value_stores, name, timeout=READY_SECONDS)
    put_many(facade.key_values, store.arn, {"/docs/": "/documentation/", "/faq": "/help"})
    print("filled", {item.key: item.value for item in list_keys(facade.key_values, store.arn)})
    config.key_value_store_associations.add(key_value_store_arn=store.arn)
    described = facade.functions.DescribeFunction(functions.DescribeFunctionRequest(name=name))
    updated = facade.functions.UpdateFunction(
        functions.UpdateFunctionRequest(
            name=name, etag=described.etag, function_config=config, function_code=READING_A_STORE
        )
    )
    print("tested", run(facade, name, updated.etag))

    # An update with an old etag is rejected.
    try:
        facade.functions.UpdateFunction(
            functions.UpdateFunctionRequest(name=name, etag=created.etag, function_config=config, function_code=WRITTEN)
        )
    except FacadeError as error:
        print("rejected", error.reason)

    # LIVE stays the published version until the update is published too.
    live = facade.functions.GetFunction(functions.GetFunctionRequest(name=name, stage=LIVE))
    print("LIVE has the code of", "the first version" if live.function_code == WRITTEN else "the second version")
    facade.functions.PublishFunction(functions.PublishFunctionRequest(name=name, etag=updated.etag))

    # Change the tags.
    facade.tags.TagResource(tags.TagResourceRequest(resource=arn, tags=[Tag(key="cost-center", value="42")]))
    facade.tags.UntagResource(tags.UntagResourceRequest(resource=arn, tag_keys=["team"]))
    listed = facade.tags.ListTagsForResource(tags.ListTagsForResourceRequest(resource=arn)).tags
    print("tagged", sorted(tag.key for tag in listed))


def main() -> None:
    """Runs the example against a server."""
    target = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    with connect(target) as facade, ExitStack() as clean_up:
        walk(facade, clean_up)


if __name__ == "__main__":
    main()
