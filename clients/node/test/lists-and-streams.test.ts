import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Code, connect, pages } from "cloudfront-facade";
import { FunctionStage } from "cloudfront-facade/v1/function_service_pb";

import { CODE, failingTarget, failure, FUNCTION, newName, newStore, silentTarget, TARGET } from "./support.js";

const facade = connect(TARGET);
after(() => facade.close());

async function* changes(kvsArn: string, requests: number, each: number) {
  for (let request = 0; request < requests; request++) {
    yield {
      kvsArn,
      changes: Array.from({ length: each }, (_, index) => ({
        change: { case: "put" as const, value: { key: `${request}/${index}`, value: "ü" } },
      })),
    };
  }
}

test("keys are imported by a stream, and listed page by page", async () => {
  const kvsArn = await newStore(facade);
  const imported = await facade.keyValues.importKeys(changes(kvsArn, 3, 40));
  assert.equal(imported.appliedChanges, 120n);
  assert.equal(imported.itemCount, 120n);
  const sizes: number[] = [];
  const keys = new Set<string>();
  for await (const page of pages(facade.keyValues.listKeys, { kvsArn, pageSize: 50 })) {
    sizes.push(page.items.length);
    page.items.forEach((item) => keys.add(item.key));
  }
  assert.deepEqual(sizes, [50, 50, 20]);
  assert.equal(keys.size, 120);
});

test("a rejected stream is a FacadeError too", async () => {
  const error = await failure(facade.keyValues.importKeys(changes("no ARN", 1, 1)));
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(error.reason, "VALIDATION_FAILED");
  assert.deepEqual(error.violations.map((each) => each.field), ["kvs_arn"]);
});

test("a stream that fails after its initial metadata is a FacadeError too", async (context) => {
  const failing = connect(await failingTarget(context));
  context.after(() => failing.close());
  const error = await failure(failing.keyValues.importKeys(changes("any", 1, 1)));
  assert.equal(error.code, Code.Aborted);
  assert.equal(error.details, "failed after its start");
});

test("functions are listed by stage, and their code is returned byte for byte", async () => {
  const name = newName();
  const { etag } = await facade.functions.createFunction({ name, ...FUNCTION });
  const got = await facade.functions.getFunction({ name });
  assert.deepEqual(got.functionCode, CODE);
  assert.equal(got.etag, etag);
  const listed: Record<string, string[]> = {};
  for (const stage of [FunctionStage.DEVELOPMENT, FunctionStage.LIVE]) {
    listed[FunctionStage[stage]] = [];
    for await (const page of pages(facade.functions.listFunctions, { stage, pageSize: 1 })) {
      listed[FunctionStage[stage]]?.push(...page.functions.map((each) => each.name));
    }
  }
  assert.ok(listed["DEVELOPMENT"]?.includes(name));
  assert.ok(!listed["LIVE"]?.includes(name));
});

test("a list starts at the page that the request names", async () => {
  const kvsArn = await newStore(facade);
  await facade.keyValues.importKeys(changes(kvsArn, 1, 30));
  const first = await facade.keyValues.listKeys({ kvsArn, pageSize: 20 });
  const rest: string[] = [];
  for await (const page of pages(facade.keyValues.listKeys, { kvsArn, pageSize: 5, pageToken: first.nextPageToken })) {
    assert.ok(page.items.length <= 5);
    rest.push(...page.items.map((item) => item.key));
  }
  assert.equal(rest.length, 10);
  assert.equal(new Set([...rest, ...first.items.map((item) => item.key)]).size, 30);
});

test("every page is requested with the options of the call", { timeout: 20_000 }, async (context) => {
  const kvsArn = await newStore(facade);
  await facade.keyValues.importKeys(changes(kvsArn, 1, 3));
  const headers: string[] = [];
  const options = { onHeader: () => headers.push("seen"), signal: new AbortController().signal };
  for await (const page of pages(facade.keyValues.listKeys, { kvsArn, pageSize: 1 }, options)) {
    assert.equal(page.items.length, 1);
  }
  assert.equal(headers.length, 3);

  const ending = new AbortController();
  const error = await failure(
    (async () => {
      for await (const _ of pages(facade.keyValues.listKeys, { kvsArn, pageSize: 1 }, { signal: ending.signal })) {
        ending.abort();
      }
    })(),
  );
  assert.equal(error.code, Code.Canceled);

  const silent = connect(await silentTarget(context));
  context.after(() => silent.close());
  const late = await failure(pages(silent.functions.listFunctions, {}, { timeoutMs: 100 }).next());
  assert.equal(late.code, Code.DeadlineExceeded);
});
