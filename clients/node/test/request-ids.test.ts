import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { connect } from "cloudfront-facade";
import { CreateFunctionRequestSchema } from "cloudfront-facade/v1/function_service_pb";

import { failure, FUNCTION, newName, TARGET } from "./support.js";

const REQUEST_TAG = "cloudfront-facade:request";

const facade = connect(TARGET);
const withoutIds = connect(TARGET, { requestIds: false });
after(() => [facade, withoutIds].forEach((each) => each.close()));

async function tagKeys(resource: string | undefined): Promise<string[]> {
  const { tags } = await facade.tags.listTagsForResource({ resource: resource ?? "" });
  return tags.map((tag) => tag.key).sort();
}

test("a create gets an id, and the caller's request is not modified", async () => {
  const request = create(CreateFunctionRequestSchema, { name: newName(), ...FUNCTION });
  await facade.functions.createFunction(request);
  assert.equal(request.requestId, "");
  // The same request again is a new create, with a new id.
  const error = await failure(facade.functions.createFunction(request));
  assert.equal(error.reason, "FUNCTION_ALREADY_EXISTS");
  assert.match(error.requestId, /^[0-9a-f-]{36}$/);
});

test("a create with the caller's id can be retried", async () => {
  const request = { name: newName(), ...FUNCTION, requestId: randomUUID() };
  const first = await facade.functions.createFunction(request);
  const second = await facade.functions.createFunction(request);
  assert.equal(second.etag, first.etag);
  const error = await failure(facade.functions.createFunction({ ...request, tags: [{ key: "team" }] }));
  assert.equal(error.reason, "REQUEST_ID_REUSED");
  assert.equal(error.requestId, request.requestId);
});

test("a client with requestIds: false adds no ids", async () => {
  const name = newName();
  await withoutIds.keyValueStores.createKeyValueStore({ name });
  const error = await failure(withoutIds.keyValueStores.createKeyValueStore({ name }));
  assert.equal(error.requestId, "");
});

test("the id is a tag of the resource, and without an id there is no tag", async () => {
  const tags = [{ key: "team", value: "web" }, { key: "valueless" }];
  const with_ = await facade.keyValueStores.createKeyValueStore({ name: newName(), tags });
  const without = await withoutIds.keyValueStores.createKeyValueStore({ name: newName(), tags });
  assert.deepEqual(await tagKeys(with_.keyValueStore?.arn), [REQUEST_TAG, "team", "valueless"]);
  assert.deepEqual(await tagKeys(without.keyValueStore?.arn), ["team", "valueless"]);
});
