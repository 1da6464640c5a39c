/** Mistakes in the caller's own code reject with their own errors, not with a FacadeError. */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connect, pages } from "cloudfront-facade";

import { CODE, newName, newStore, TARGET } from "./support.js";

const facade = connect(TARGET);
after(() => facade.close());

function put(key: string, value = "v") {
  return { change: { case: "put" as const, value: { key, value } } };
}

test("a target that is not HOST:PORT is rejected", () => {
  for (const target of [
    ...["", "nonsense", "no spaces:1", "127.0.0.1", "[::1]", "::1", "::1:50051", "http://127.0.0.1:1", "unix:/run/s"],
    ...[":50051", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:1/path", "user@host:1", "1.2.3.999:1"],
  ]) {
    assert.throws(() => connect(target), { name: "TypeError", message: `invalid target "${target}": expected HOST:PORT` });
  }
  for (const target of ["127.0.0.1:1", "localhost:80", "facade.example.com:443", "[::1]:50051", "my_service:65535"]) {
    connect(target).close();
    connect(target, { tls: true }).close();
  }
});

test("an invalid deadline is rejected, of the client and of a call", async () => {
  for (const deadlineMs of [0, -1, NaN, -Infinity, 0.5, 100_000_000]) {
    const rejection = { name: "RangeError", message: new RegExp(`^invalid deadline ${deadlineMs}: expected a whole number`) };
    assert.throws(() => connect(TARGET, { deadlineMs }), rejection);
    await assert.rejects(facade.tags.listTagsForResource({ resource: "" }, { timeoutMs: deadlineMs }), rejection);
    await assert.rejects(facade.keyValues.importKeys((async function* () {})(), { timeoutMs: deadlineMs }), rejection);
  }
});

test("a closed client rejects calls", async () => {
  const closed = connect(TARGET);
  const { keyValueStores } = closed;
  await keyValueStores.listKeyValueStores({});
  closed.close();
  closed.close();
  const rejection = { name: "Error", message: "the client is closed" };
  await assert.rejects(keyValueStores.listKeyValueStores({}), rejection);
  await assert.rejects(closed.keyValues.importKeys((async function* () {})()), rejection);
  await assert.rejects(pages(closed.functions.listFunctions, {}).next(), rejection);
});

test("a lone surrogate is rejected, with the path of its field", async () => {
  const { keyValues, functions, keyValueStores, tags } = facade;
  const kvsArn = await newStore(facade);
  const lone = "\ud800";
  const name = newName();
  const calls: [string, Promise<unknown>][] = [
    ["key", keyValues.putKey({ kvsArn, key: `a${lone}`, value: "" })],
    ["value", keyValues.putKey({ kvsArn, key: "a", value: "\udc00\ud800" })],
    ["name", keyValueStores.createKeyValueStore({ name: lone })],
    ["tags[1].value", tags.tagResource({ resource: kvsArn, tags: [{ key: "a" }, { key: "b", value: lone }] })],
    ["tagKeys[1]", tags.untagResource({ resource: kvsArn, tagKeys: ["a", lone] })],
    ["functionConfig.comment", functions.createFunction({ name, functionCode: CODE, functionConfig: { comment: lone } })],
    ["changes[1].change.value.key", keyValues.updateKeys({ kvsArn, changes: [put("a"), put(lone)] })],
    ["changes[0].change.value", keyValues.updateKeys({ kvsArn, changes: [{ change: { case: "delete", value: lone } }] })],
    ["requests[0].changes[1].change.value.value", keyValues.importKeys([{ kvsArn, changes: [put("a"), put("b", lone)] }] as never)],
  ];
  for (const [path, call] of calls) {
    await assert.rejects(call, { name: "TypeError", message: `${path} has a lone surrogate, which UTF-8 cannot encode` });
  }
  const { items } = await keyValues.listKeys({ kvsArn });
  assert.deepEqual(items, []);
});

test("any text makes the round trip unchanged", async () => {
  const kvsArn = await newStore(facade);
  const key = "\u{1f600}\u0000\uffff\u00fc";
  await facade.keyValues.putKey({ kvsArn, key, value: "\u{10ffff}" });
  assert.equal((await facade.keyValues.getKey({ kvsArn, key })).value, "\u{10ffff}");
});

test("an exception of the caller's own iterable rejects the call unchanged", { timeout: 20_000 }, async () => {
  const kvsArn = await newStore(facade);
  let closed = 0;
  for (const own of [new Error("the file ended"), new RangeError("no"), new DOMException("away", "AbortError"), "text"]) {
    const requests = async function* () {
      try {
        yield { kvsArn, changes: [put("a")] };
        throw own;
      } finally {
        closed++;
      }
    };
    await assert.rejects(facade.keyValues.importKeys(requests()), (error) => error === own);
  }
  assert.equal(closed, 4);
});

test("an iterable is closed when the call ends before it", { timeout: 20_000 }, async () => {
  let closed = false;
  const requests = async function* () {
    try {
      for (;;) {
        yield { kvsArn: "no ARN", changes: [put("a")] };
      }
    } finally {
      closed = true;
    }
  };
  await assert.rejects(facade.keyValues.importKeys(requests()), { name: "FacadeError", reason: "VALIDATION_FAILED" });
  assert.ok(closed);
});
