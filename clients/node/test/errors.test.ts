import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { ConnectError } from "@connectrpc/connect";
import { Code, connect, FacadeError } from "cloudfront-facade";
import { FunctionRuntime, FunctionStage } from "cloudfront-facade/v1/function_service_pb";

import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { CODE, deadTarget, failure, FUNCTION, newName, scriptedTarget, silentTarget, TARGET } from "./support.js";

const facade = connect(TARGET);
after(() => facade.close());

test("a rejected request lists every rule that it breaks", async () => {
  const error = await failure(
    facade.functions.createFunction({
      name: "no spaces, please",
      functionConfig: { runtime: FunctionRuntime.UNSPECIFIED },
      functionCode: CODE,
      tags: [{ key: "team", value: "web" }, { key: "aws:reserved" }],
    }),
  );
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(error.reason, "VALIDATION_FAILED");
  assert.equal(error.domain, "cloudfront-facade");
  assert.equal(error.outcome, "not_applied");
  assert.equal(error.metadata["operation"], "CreateFunction");
  assert.deepEqual(error.violations.map((each) => each.field).sort(), [
    "function_config.runtime",
    "name",
    "tags[1].key",
  ]);
  for (const violation of error.violations) {
    assert.match(violation.reason, /^[A-Z][A-Z_]+$/);
    assert.ok(error.message.includes(`  ${violation.field}: ${violation.description}`));
  }
  assert.match(error.message, /^InvalidArgument: .+ \[VALIDATION_FAILED, outcome not_applied\]\n/);
  assert.equal(error.retryDelayMs, undefined);
});

test("a name that is taken is ALREADY_EXISTS, with the resource", async () => {
  const name = newName();
  await facade.keyValueStores.createKeyValueStore({ name });
  const error = await failure(facade.keyValueStores.createKeyValueStore({ name }));
  assert.equal(error.code, Code.AlreadyExists);
  assert.equal(error.reason, "KEY_VALUE_STORE_ALREADY_EXISTS");
  assert.equal(error.domain, "cloudfront.amazonaws.com");
  assert.equal(error.metadata["aws_code"], "EntityAlreadyExists");
  assert.equal(error.resource?.resourceName, name);
});

test("the LIVE stage of an unpublished function is not found", async () => {
  const name = newName();
  await facade.functions.createFunction({ name, ...FUNCTION });
  const error = await failure(facade.functions.describeFunction({ name, stage: FunctionStage.LIVE }));
  assert.equal(error.code, Code.NotFound);
  assert.equal(error.reason, "FUNCTION_NOT_FOUND");
});

test("a stale etag is an etag mismatch", async () => {
  const name = newName();
  const { etag } = await facade.functions.createFunction({ name, ...FUNCTION });
  const updated = await facade.functions.updateFunction({ name, etag, ...FUNCTION, functionConfig: { runtime: FunctionRuntime.CLOUDFRONT_JS_2_0 } });
  assert.notEqual(updated.etag, etag);
  const error = await failure(facade.functions.deleteFunction({ name, etag }));
  assert.equal(error.code, Code.Aborted);
  assert.equal(error.reason, "ETAG_MISMATCH");
  assert.equal(error.outcome, "not_applied");
  await facade.functions.deleteFunction({ name, etag: updated.etag });
});

test("a store in use cannot be deleted, and the error names what uses it", async () => {
  const name = newName();
  const store = await facade.keyValueStores.createKeyValueStore({ name });
  const arn = store.keyValueStore?.arn ?? "";
  const { keyValueStore, etag } = await facade.keyValueStores.waitForKeyValueStore({ name });
  assert.equal(keyValueStore?.arn, arn);
  await facade.functions.createFunction({
    name,
    functionConfig: { ...FUNCTION.functionConfig, keyValueStoreAssociations: [{ keyValueStoreArn: arn }] },
    functionCode: CODE,
  });
  const error = await failure(facade.keyValueStores.deleteKeyValueStore({ name, etag }));
  assert.equal(error.code, Code.FailedPrecondition);
  assert.equal(error.reason, "KEY_VALUE_STORE_IN_USE");
  assert.ok(error.preconditions.some((each) => `${each.subject} ${each.description}`.includes(name)), error.message);
});

test("an unreachable server is unavailable, and nothing is applied", async (context) => {
  const nobody = connect(await deadTarget());
  context.after(() => nobody.close());
  const error = await failure(nobody.functions.createFunction({ name: newName(), ...FUNCTION }));
  assert.equal(error.code, Code.Unavailable);
  assert.equal(error.reason, "");
  assert.equal(error.outcome, "not_applied");
});

test("a call ends at its deadline, and its error has the requestId for a retry", { timeout: 5_000 }, async (context) => {
  const silent = connect(await silentTarget(context), { deadlineMs: 200 });
  context.after(() => silent.close());
  const error = await failure(silent.functions.createFunction({ name: newName(), ...FUNCTION }));
  assert.equal(error.code, Code.DeadlineExceeded);
  assert.equal(error.outcome, "unknown");
  assert.match(error.requestId, /^[0-9a-f-]{36}$/);
});

test("a long-running call is not cut off by the client's deadline", { timeout: 5_000 }, async (context) => {
  const silent = connect(await silentTarget(context), { deadlineMs: 100 });
  const wait = silent.keyValueStores.waitForKeyValueStore({ name: newName() });
  const first = await Promise.race([wait.catch(() => "ended"), setTimeout(500, "waits")]);
  assert.equal(first, "waits");
  silent.close();
});

test("a call's own deadline overrides the client's", { timeout: 5_000 }, async (context) => {
  const silent = connect(await silentTarget(context), { deadlineMs: null });
  context.after(() => silent.close());
  const error = await failure(silent.tags.listTagsForResource({ resource: "" }, { timeoutMs: 20 }));
  assert.equal(error.code, Code.DeadlineExceeded);
  assert.equal(error.requestId, "");
});

test("no deadline is the longest one, because the server would apply its own default", async (context) => {
  const longest = Array<string>(4).fill("99999999m");
  for (const deadlineMs of [null, Infinity]) {
    const { target, received } = await scriptedTarget(context);
    const patient = connect(target, { deadlineMs });
    await patient.functions.createFunction({ name: "a" });
    await patient.keyValues.updateKeys({ kvsArn: "a" });
    await patient.keyValues.importKeys((async function* () {})());
    patient.close();
    const client = connect(target);
    await client.functions.createFunction({ name: "a" }, { timeoutMs: Infinity });
    client.close();
    assert.deepEqual(received.map(({ timeout }) => timeout), longest);
  }
});

test("the counts of an import are numbers if the server reports them", () => {
  const countsOf = (metadata: Record<string, string>) => {
    const cause = new ConnectError("no", Code.Aborted, undefined, [{ desc: ErrorInfoSchema, value: { metadata } }]);
    const { appliedChanges, unknownChanges } = new FacadeError(cause);
    return [appliedChanges, unknownChanges];
  };
  assert.deepEqual(countsOf({ applied_changes: "450", unknown_changes: "50" }), [450, 50]);
  assert.deepEqual(countsOf({ applied_changes: "0" }), [0, undefined]);
  assert.deepEqual(countsOf({ applied_changes: "many", unknown_changes: "" }), [undefined, undefined]);
  assert.deepEqual(countsOf({}), [undefined, undefined]);
});
