import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";

import { connect, pages } from "cloudfront-facade";

import { TARGET, targetFailingOnce } from "./support.js";

function walk(target: string): Promise<{ stdout: string; stderr: string }> {
  const script = fileURLToPath(new URL("../examples/walk-through.js", import.meta.url));
  const env = { ...process.env, CLOUDFRONT_FACADE_TARGET: target };
  return promisify(execFile)(process.execPath, [script], { env, timeout: 30_000 });
}

test("the walk-through covers the whole life of a function and of a store", async () => {
  const { stdout, stderr } = await walk(TARGET);
  assert.equal(stderr, "");
  const printed = new Map(stdout.trimEnd().split("\n").map((line) => [line.split(" ")[0], line]));
  assert.deepEqual(
    [...printed.keys()],
    ["created", "tested", "published", "store", "keys", "read", "updated", "tags", "deleted"],
  );
  assert.match(printed.get("created") ?? "", /^created arn:aws:cloudfront::\d{12}:function\/walk-through-\w+$/);
  assert.match(printed.get("tested") ?? "", /"\/docs\/index\.html"/);
  assert.match(printed.get("store") ?? "", /^store READY arn:aws:cloudfront::\d{12}:key-value-store\//);
  assert.equal(printed.get("keys"), "keys 121");
  assert.equal(printed.get("read"), "read /old/7 /new/7");
  assert.match(printed.get("updated") ?? "", /"statusCode":302\b/);
  assert.match(printed.get("updated") ?? "", /"\/manual\/"/);
  assert.equal(printed.get("tags"), "tags cloudfront-facade:request stage");
});

test("the walk-through leaves nothing behind when a step fails", { timeout: 60_000 }, async (context) => {
  const facade = connect(TARGET);
  context.after(() => facade.close());
  for (const method of ["WaitForKeyValueStore", "UpdateFunction"]) {
    const ended = await walk(await targetFailingOnce(context, method)).then(
      () => assert.fail("the walk-through did not fail"),
      (failed: { stdout: string; stderr: string }) => failed,
    );
    assert.match(ended.stderr, /this step fails/);
    assert.doesNotMatch(ended.stderr, /left behind/);
    const name = /:function\/(\S+)$/m.exec(ended.stdout)?.[1];
    assert.match(name ?? "", /^walk-through-/);
    for await (const { functions } of pages(facade.functions.listFunctions, {})) {
      assert.ok(!functions.some((each) => each.name === name));
    }
    for await (const { keyValueStores } of pages(facade.keyValueStores.listKeyValueStores, {})) {
      assert.ok(!keyValueStores.some((each) => each.name === name));
    }
  }
});
