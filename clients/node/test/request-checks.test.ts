/** Requests that the encoder would change or drop are rejected with the path of the field, and nothing is sent. */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { create, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { connect } from "cloudfront-facade";
import { CreateFunctionRequestSchema, FunctionService } from "cloudfront-facade/v1/function_service_pb";
import { KeyValueStoreDataService } from "cloudfront-facade/v1/key_value_store_data_service_pb";
import { KeyValueStoreService } from "cloudfront-facade/v1/key_value_store_service_pb";
import { TagSchema } from "cloudfront-facade/v1/tag_pb";
import { TagService } from "cloudfront-facade/v1/tag_service_pb";

import { CODE, deadTarget, FUNCTION, newName, newStore, TARGET } from "./support.js";

const facade = connect(TARGET);
// A request that is sent would fail with a FacadeError.
const unreachable = connect(await deadTarget());
after(() => [facade, unreachable].forEach((each) => each.close()));

const { functions, keyValues, keyValueStores, tags } = unreachable;

function rejection(message: string) {
  return { name: "TypeError", message };
}

/** Asserts that a call rejects each of the requests, which TypeScript would not compile, with the message. */
async function assertRejected(call: (request: never) => Promise<unknown>, cases: [unknown, string][]): Promise<void> {
  for (const [request, message] of cases) {
    await assert.rejects(call(request as never), rejection(message));
  }
}

test("an unknown field is rejected, and the closest known field is suggested", async () => {
  const allowed = "allowed: name, functionConfig, functionCode, tags, requestId, validateOnly";
  await assertRejected(functions.createFunction, [
    [{ nsme: "a" }, 'nsme is not a field of CreateFunctionRequest; did you mean "name"?'],
    [{ function_code: CODE }, 'function_code is not a field of CreateFunctionRequest; did you mean "functionCode"?'],
    [{ functionConfig: { conment: "" } }, 'functionConfig.conment is not a field of FunctionConfig; did you mean "comment"?'],
    [{ functionConfig: { Runtime: undefined } }, 'functionConfig.Runtime is not a field of FunctionConfig; did you mean "runtime"?'],
    [{ tags: [{ key: "a" }, { valu3: "b" }] }, 'tags[1].valu3 is not a field of Tag; did you mean "value"?'],
    [{ tags: [{ team: "web" }] }, "tags[0].team is not a field of Tag; allowed: key, value"],
    [{ ...FUNCTION, stage: 1 }, `stage is not a field of CreateFunctionRequest; ${allowed}`],
    [
      Object.assign(create(CreateFunctionRequestSchema), { nsme: "a" }),
      'nsme is not a field of CreateFunctionRequest; did you mean "name"?',
    ],
  ]);
});

test("a change must be one of its kinds", async () => {
  const update = (change: unknown) => keyValues.updateKeys({ kvsArn: "", changes: [change] } as never);
  const either = 'changes[0].change.case must be "put" or "delete"';
  await assertRejected(update, [
    [{ put: { key: "a" } }, 'changes[0].put is not a field of KeyChange; write change: { case: "put", value: ... }'],
    [{ change: { case: "putt", value: { key: "a" } } }, either],
    [{ change: { case: 7, value: "a" } }, either],
    [{ change: { value: { key: "a" } } }, either],
    [{ change: { case: "put", valu3: { key: "a" } } }, "changes[0].change.valu3 is not allowed; allowed: case, value"],
    [{ change: { case: "put", value: { kye: "a" } } }, 'changes[0].change.value.kye is not a field of KeyValue; did you mean "key"?'],
    [{ change: { case: "put" } }, "changes[0].change.value must be a KeyValue object, not undefined"],
    [{ change: { case: "delete", value: 7 } }, "changes[0].change.value must be a string, not a number"],
    [{ change: "put" }, "changes[0].change must be an object { case, value }, not a string"],
  ]);
});

test("what is not an object is rejected, also if it would look like an empty message", async () => {
  await assertRejected(
    functions.createFunction,
    [
      [null, "null"],
      [undefined, "undefined"],
      ["name", "a string"],
      [[], "an array"],
      [new Map([["name", "a"]]), "a Map"],
      [new Date(), "a Date"],
      [Promise.resolve({ name: "a" }), "a Promise"],
      [() => ({ name: "a" }), "a function"],
      [create(TagSchema), "a Tag"],
    ].map(([request, kind]) => [request, `request must be a CreateFunctionRequest object, not ${kind}`]),
  );
  await assertRejected(functions.createFunction, [
    [{ functionConfig: "2.0" }, "functionConfig must be a FunctionConfig object, not a string"],
    [{ functionConfig: Promise.resolve({}) }, "functionConfig must be a FunctionConfig object, not a Promise"],
    [{ functionConfig: create(TagSchema) }, "functionConfig must be a FunctionConfig object, not a Tag"],
    [{ tags: { team: "web" } }, "tags must be an array, not an object"],
    [{ tags: [{ key: "a" }, null] }, "tags[1] must be a Tag object, not null"],
    [{ tags: [, { key: "a" }] }, "tags[0] must be a Tag object, not undefined"],
  ]);
});

test("a value of a wrong type is rejected with the types that are allowed", async () => {
  const config = (runtime: unknown) => functions.createFunction({ functionConfig: { runtime } } as never);
  const runtimes = "FunctionRuntime.CLOUDFRONT_JS_1_0 or FunctionRuntime.CLOUDFRONT_JS_2_0";
  await assertRejected(config, [
    ["cloudfront-js-2.0", `functionConfig.runtime must be ${runtimes}, not a string`],
    [1.5, `functionConfig.runtime must be ${runtimes}, not a number`],
  ]);
  await assertRejected(functions.createFunction, [
    [{ functionCode: "secret" }, "functionCode must be a Uint8Array, not a string; new TextEncoder().encode(text) converts text"],
    [{ functionCode: [300] }, "functionCode must be a Uint8Array, not an array"],
    [{ functionCode: CODE.buffer }, "functionCode must be a Uint8Array, not an ArrayBuffer"],
    [{ name: 7 }, "name must be a string, not a number"],
    [{ name: Object.create(null) }, "name must be a string, not an object"],
    [{ validateOnly: "true" }, "validateOnly must be a boolean, not a string"],
  ]);
  const range = "pageSize must be an integer from -2147483648 to 2147483647";
  await assertRejected(keyValueStores.listKeyValueStores, [
    [{ pageSize: "10" }, `${range}, not a string`],
    [{ pageSize: 10n }, `${range}, not a bigint`],
    [{ pageSize: 1.5 }, `${range}, not 1.5`],
    [{ pageSize: 2 ** 31 }, `${range}, not 2147483648`],
  ]);
  await assertRejected(tags.untagResource, [[{ tagKeys: ["a", 7] }, "tagKeys[1] must be a string, not a number"]]);
});

test("a request of a stream is rejected with its index", { timeout: 20_000 }, async () => {
  const first = { kvsArn: "", changes: [] };
  const following = async function* (second: unknown) {
    yield first;
    yield second;
  };
  const importing = (second: unknown) => facade.keyValues.importKeys(following(second) as never);
  await assertRejected(importing, [
    [{ chamges: [] }, 'requests[1].chamges is not a field of ImportKeysRequest; did you mean "changes"?'],
    [{ changes: [{ put: {} }] }, 'requests[1].changes[0].put is not a field of KeyChange; write change: { case: "put", value: ... }'],
    [{ kvsArn: 7 }, "requests[1].kvsArn must be a string, not a number"],
    ["text", "requests[1] must be an ImportKeysRequest object, not a string"],
  ]);
  await assertRejected(keyValues.importKeys, [
    [first, "requests must be an async iterable of ImportKeysRequest objects, not an object"],
    [null, "requests must be an async iterable of ImportKeysRequest objects, not null"],
    ["text", "requests must be an async iterable of ImportKeysRequest objects, not a string"],
  ]);
});

/** Yields requests with one wrong value each, for every field of a message, and the path of that field. */
function* wrongRequests(schema: DescMessage): Generator<[object, string]> {
  for (const field of schema.fields) {
    const name = field.localName;
    for (const [value, path] of wrongValues(field)) {
      if (field.oneof) {
        yield [{ [field.oneof.localName]: { case: name, value } }, `${field.oneof.localName}.value${path}`];
      } else {
        yield field.fieldKind === "list" ? [{ [name]: [value] }, `${name}[0]${path}`] : [{ [name]: value }, `${name}${path}`];
      }
    }
  }
}

function* wrongValues(field: DescField): Generator<[unknown, string]> {
  yield [Symbol("wrong"), ""];
  for (const [value, path] of field.message ? wrongRequests(field.message) : []) {
    yield [value, `.${path}`];
  }
}

test("every field of every request is checked", async () => {
  const services = { functions: FunctionService, keyValueStores: KeyValueStoreService, keyValues: KeyValueStoreDataService, tags: TagService };
  let fields = 0;
  for (const [attribute, service] of Object.entries(services)) {
    for (const method of service.methods) {
      const isStream = method.methodKind === "client_streaming";
      const prefix = isStream ? "requests[0]." : "";
      // A stream reads its requests only after it is connected.
      const client = (isStream ? facade : unreachable)[attribute as keyof typeof services];
      const call = client[method.localName as keyof typeof client] as (request: unknown) => Promise<unknown>;
      for (const [request, path] of wrongRequests(method.input)) {
        await assert.rejects(call(isStream ? [request] : request), (error: Error) => {
          assert.equal(error.name, "TypeError");
          assert.ok(error.message.startsWith(`${prefix}${path} must be `), `${path}: ${error.message}`);
          return true;
        });
        fields++;
      }
    }
  }
  assert.ok(fields > 60, `${fields}`);
});

test("valid forms of a request are accepted", async () => {
  class Named {
    name = newName();
  }
  const stores = facade.keyValueStores;
  await stores.createKeyValueStore(new Named());
  await stores.createKeyValueStore(Object.assign(Object.create(null), { name: newName() }));
  await stores.createKeyValueStore({ name: newName(), comment: undefined, tags: null } as never);
  await facade.functions.createFunction(create(CreateFunctionRequestSchema, { name: newName(), ...FUNCTION, tags: [create(TagSchema, { key: "a" })] }));
  await facade.functions.createFunction({ name: newName(), ...FUNCTION, functionCode: Buffer.from(CODE) });
  const kvsArn = await newStore(facade);
  const { itemCount } = await facade.keyValues.updateKeys({ kvsArn, changes: [{ change: { case: "put", value: { key: "a", value: "b" } } }] });
  assert.equal(itemCount, 1n);
});
